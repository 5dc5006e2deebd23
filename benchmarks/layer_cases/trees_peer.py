"""A recursive network in PyTorch as it is usually written: a Python function that calls itself, one tree at a time.

    python benchmarks/layer_cases/trees_peer.py TREES.npz

Started by `trees.py` in the peers' environment. Prints one JSON line: the seconds of a pass over the trees.
"""
import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class TreeLstm(nn.Module):
    """Words' vectors, a binary Tree-LSTM and an answer at every node."""

    def __init__(self, words: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, embedding)
        self.leaf = nn.Linear(embedding, 3 * hidden)
        self.inner = nn.Linear(2 * hidden, 5 * hidden)
        self.head = nn.Linear(hidden, 5)

    def forward(self, tokens: torch.Tensor, children: list[list[int]]) -> torch.Tensor:
        """The logits of every node of one tree."""
        states: list[tuple[torch.Tensor, torch.Tensor]] = []
        leaf_gates = iter(self.leaf(self.words(tokens[tokens >= 0])))  # all leaves at once: the kinder way
        for left, right in children:
            if left < 0:
                let_in, let_out, update = next(leaf_gates).chunk(3)
                memory = torch.sigmoid(let_in) * torch.tanh(update)
            else:
                (h_left, c_left), (h_right, c_right) = states[left], states[right]
                total = self.inner(torch.cat([h_left, h_right]))
                let_in, let_out, update, keep_left, keep_right = total.chunk(5)
                memory = (torch.sigmoid(let_in) * torch.tanh(update) + torch.sigmoid(keep_left) * c_left
                          + torch.sigmoid(keep_right) * c_right)
            states.append((torch.sigmoid(let_out) * torch.tanh(memory), memory))
        return self.head(torch.stack([h for h, _ in states]))


def epoch(network: TreeLstm, optimiser: torch.optim.Optimizer, trees: list, batch: int) -> float:
    """Seconds of one pass."""
    started = time.perf_counter()
    for start in range(0, len(trees), batch):
        optimiser.zero_grad()
        for tokens, children, targets in trees[start:start + batch]:
            error = functional.cross_entropy(network(tokens, children), targets)
            (error / batch).backward()
        optimiser.step()
    return time.perf_counter() - started


def main() -> None:
    """Time a pass on one core and on all, each after a few trees to warm up; the faster one counts."""
    data = np.load(sys.argv[1])
    batch, trees = int(data["batch"]), []
    for tokens, children, targets, count in zip(data["tokens"], data["children"], data["targets"], data["count"],
                                                strict=True):
        trees.append((torch.tensor(tokens[:count], dtype=torch.long), children[:count].tolist(),
                      torch.tensor(targets[:count], dtype=torch.long)))
    seconds = {}
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        network = TreeLstm(int(data["words"]), int(data["embedding"]), int(data["hidden"]))
        optimiser = torch.optim.Adam(network.parameters())
        epoch(network, optimiser, trees[:batch], batch)
        seconds[threads] = epoch(network, optimiser, trees, batch)
    best = min(seconds, key=seconds.get)
    print(json.dumps({"torch": torch.__version__, "threads": best, "seconds": seconds[best]}))


if __name__ == "__main__":
    main()

"""The networks of `benchmarks/characters.py` in PyTorch, which it starts in the peers' environment.

    python benchmarks/characters_peer.py lstm DATA.npz SETTINGS_AS_JSON SEED

The same layers, starting weights of the same kind (Glorot, orthogonal from step to step, forget bias 1), the same
optimiser, schedule, batches and number of steps, on one thread. Prints one JSON line: bits per held-out character.
"""

import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

WARM_UP, COLDEST, START = 0.25, 1e-3, 0.04


def glorot(linear: nn.Linear, gain: float = 1.0) -> nn.Linear:
    """Start a linear layer like Pellucid's dense one."""
    nn.init.xavier_uniform_(linear.weight, gain)
    nn.init.zeros_(linear.bias)
    return linear


def embedding(characters: int, size: int) -> nn.Embedding:
    """A vector for each character."""
    layer = nn.Embedding(characters, size)
    nn.init.normal_(layer.weight, 0.0, size**-0.5)
    return layer


class Lstm(nn.Module):
    """Embedding, LSTM, linear layer."""

    def __init__(self, characters: int, neurons: int, size: int) -> None:
        super().__init__()
        self.enter, self.leave = embedding(characters, size), glorot(nn.Linear(neurons, characters))
        self.lstm = nn.LSTM(size, neurons, batch_first=True)
        with torch.no_grad():
            for gate in range(4):
                part = slice(gate * neurons, (gate + 1) * neurons)
                nn.init.xavier_uniform_(self.lstm.weight_ih_l0[part])
                nn.init.orthogonal_(self.lstm.weight_hh_l0[part])
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[neurons : 2 * neurons] = 1.0
            self.lstm.bias_hh_l0.zero_()
        self.lstm.bias_hh_l0.requires_grad_(False)  # one bias is enough

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        return self.leave(self.lstm(self.enter(codes))[0])


class Block(nn.Module):
    """A pre-normalised block of causal attention with rotary positions and a dense part."""

    def __init__(self, width: int, heads: int, gain: float) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inward = glorot(nn.Linear(width, 3 * width), math.sqrt(2))
        self.outward = glorot(nn.Linear(width, width), gain)
        self.first, self.second = glorot(nn.Linear(width, 4 * width)), glorot(nn.Linear(4 * width, width), gain)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, time_, width = x.shape
        split = self.inward(self.first_norm(x)).view(batch, time_, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        gathered = functional.scaled_dot_product_attention(rotated(queries), rotated(keys), values, is_causal=True)
        x = x + self.outward(gathered.transpose(1, 2).reshape(batch, time_, width))
        return x + self.second(functional.gelu(self.first(self.second_norm(x))))


def rotated(x: torch.Tensor) -> torch.Tensor:
    """Rotary positions, the halves of a vector as the pairs."""
    time_, half = x.shape[2], x.shape[3] // 2
    angle = torch.arange(time_)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
    cosine, sine, first, second = angle.cos(), angle.sin(), x[..., :half], x[..., half:]
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


class Transformer(nn.Module):
    """Embedding, blocks, normalisation, linear layer."""

    def __init__(self, characters: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.enter, self.leave = embedding(characters, width), glorot(nn.Linear(width, characters))
        self.blocks = nn.Sequential(*(Block(width, heads, (2 * depth) ** -0.5) for _ in range(depth)))
        self.closing = nn.LayerNorm(width)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        return self.leave(self.closing(self.blocks(self.enter(codes))))


def factor(progress: float) -> float:
    """Pellucid's one-cycle schedule."""
    if progress < WARM_UP:
        return START + (1 - START) * 0.5 * (1 - math.cos(math.pi * progress / WARM_UP))
    falling = (progress - WARM_UP) / (1 - WARM_UP)
    return COLDEST + (1 - COLDEST) * 0.5 * (1 + math.cos(math.pi * falling))


def train(network: nn.Module, data: dict[str, torch.Tensor], settings: dict) -> None:
    """The same number of batches as Pellucid's."""
    training, rows = settings["training"], len(data["inputs"])
    per_epoch = -(-rows // training["batch_size"])
    total = per_epoch * training["epochs"]
    optimiser = torch.optim.Adam([one for one in network.parameters() if one.requires_grad], settings["learning_rate"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: factor(step / total))
    for _ in range(training["epochs"]):
        for chosen in torch.randperm(rows).split(training["batch_size"]):
            optimiser.zero_grad()
            logits = network(data["inputs"][chosen])
            functional.cross_entropy(logits.flatten(0, 1), data["targets"][chosen].flatten()).backward()
            optimiser.step()
            schedule.step()


@torch.no_grad()
def bits(network: nn.Module, data: dict[str, torch.Tensor]) -> float:
    """Bits per held-out character over the targets that count."""
    total, count = 0.0, 0
    for inputs, targets in zip(data["held_inputs"].split(256), data["held_targets"].split(256), strict=True):
        logits = network(inputs).flatten(0, 1)
        total += functional.cross_entropy(logits, targets.flatten(), ignore_index=-1, reduction="sum").item()
        count += int((targets >= 0).sum())
    return total / count / math.log(2)


def main() -> None:
    torch.set_num_threads(1)
    name, path, settings, seed = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
    torch.manual_seed(seed)
    with np.load(path) as file:
        data = {key: torch.from_numpy(file[key].astype(np.int64)) for key in file.files}
    characters, sizes = int(data["characters"]), settings["sizes"]
    if name == "lstm":
        network: nn.Module = Lstm(characters, sizes["neurons"], sizes["embedding"])
    else:
        network = Transformer(characters, **sizes)
    started = time.perf_counter()
    train(network, data, settings)
    seconds = time.perf_counter() - started
    print(json.dumps({"bits": bits(network, data), "seconds": seconds}))


if __name__ == "__main__":
    main()

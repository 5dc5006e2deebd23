"""What `benchmarks/layer_cases/recurrent.py` times in PyTorch, in the peers' environment.

    python benchmarks/layer_cases/recurrent_peer.py CASE_AS_JSON

Prints the seconds of a training step, on all cores and on one, the least over the epochs after the first.
"""

import json
import os
import sys
import time

import torch


def seconds(case: dict, threads: int) -> float:
    """Time epochs of forward, backward and Adam."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(case["features"], case["neurons"], batch_first=True)
    head = torch.nn.Linear(case["neurons"], case["classes"])
    optimiser = torch.optim.Adam([*lstm.parameters(), *head.parameters()])
    x = torch.randn(case["steps"], case["batch"], case["time"], case["features"])
    targets = torch.randint(0, case["classes"], (case["steps"], case["batch"]))
    taken = []
    for _ in range(case["epochs"]):
        started = time.perf_counter()
        for inputs, classes in zip(x, targets, strict=True):
            optimiser.zero_grad()
            outputs, _ = lstm(inputs)
            torch.nn.functional.cross_entropy(head(outputs[:, -1]), classes).backward()
            optimiser.step()
        taken.append((time.perf_counter() - started) / case["steps"])
    return min(taken[1:])


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps({str(threads): seconds(given, threads) for threads in sorted({1, os.cpu_count() or 1})}))

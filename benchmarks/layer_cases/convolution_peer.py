"""What `benchmarks/layer_cases/convolution.py` times in PyTorch, in the peers' environment.

    python benchmarks/layer_cases/convolution_peer.py CASE_AS_JSON

Prints the seconds of a training step, on all cores and on one, the least over the epochs after the first.
"""

import json
import os
import sys
import time

import torch


def network(case: dict) -> torch.nn.Module:
    """The plain convolutional network of the case, in PyTorch's fastest layout."""
    *sides, features = case["shape"]
    layers = []
    for size in case["hidden"]:
        layers += [torch.nn.Conv2d(features, size, 3, padding=1), torch.nn.ReLU(),
                   torch.nn.MaxPool2d(2, ceil_mode=True)]
        features, sides = size, [-(-side // 2) for side in sides]
    head = torch.nn.Linear(features * sides[0] * sides[1], case["classes"])
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), head).to(memory_format=torch.channels_last)


def seconds(case: dict, threads: int) -> float:
    """Time epochs of forward, backward and Adam."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = network(case)
    optimiser = torch.optim.Adam(model.parameters())
    height, width, features = case["shape"]
    x = [torch.randn(case["batch"], features, height, width).to(memory_format=torch.channels_last)
         for _ in range(case["steps"])]
    targets = torch.randint(0, case["classes"], (case["steps"], case["batch"]))
    taken = []
    for _ in range(case["epochs"]):
        started = time.perf_counter()
        for inputs, classes in zip(x, targets, strict=True):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), classes).backward()
            optimiser.step()
        taken.append((time.perf_counter() - started) / case["steps"])
    return min(taken[1:])


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps({str(threads): seconds(given, threads) for threads in sorted({1, os.cpu_count() or 1})}))

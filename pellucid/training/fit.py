"""`pellucid.fit`: train one network of the user's own on arrays."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pellucid.core.declared import TRAINING_SETTINGS
from pellucid.core.settings import Setting, SettingsGroup
from pellucid.core.sizes import bucket
from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.losses import AbstractLoss, losses
from pellucid.training.compiled import enable_disk_cache
from pellucid.training.descent import Descent, descent, one_member
from pellucid.training.diagnosis import diagnose
from pellucid.training.engine import Ending, Outcome, Watch, run
from pellucid.training.history import History
from pellucid.training.loop import Rows
from pellucid.training.objectives import AbstractObjective, Prepared, Supervised
from pellucid.training.optimisers import Optimiser, optimisers
from pellucid.training.plan import SMALLEST_TILE, TILE, Plan, device_data, device_rows
from pellucid.training.program import Batch

_NAMES = ("optimiser", "learning_rate", "weight_decay", "clip", "patience", "time_limit")
_DECLARED = {setting.name: setting for setting in TRAINING_SETTINGS}
FIT = SettingsGroup(
    *(_DECLARED[name] for name in _NAMES),
    Setting("schedule", "choice", "constant", _DECLARED["schedule"].help, choices=_DECLARED["schedule"].choices,
            aliases=_DECLARED["schedule"].aliases),
    Setting("epochs", "integer", 20, "How often all training examples are shown.", low=0, high=1_000_000),
    Setting("batch_size", "integer", 32, "Examples in one iteration.", low=1, high=10_000_000),
    Setting("average", "number", 0.0, "The share of the running average of the weights that a step keeps; 0 for no "
            "average.", low=0.0, high=0.99999))
"""What `fit` takes beside the data, with its defaults."""
PREDICTION_TILE = 256


@dataclass(frozen=True)
class Fit:
    """A trained network and the record of its training.

    Args:
        network: with the weights of the best epoch where there were validation rows, else of the last one.
        state: running statistics of its normalisation layers.
        history: epoch by epoch.
        ending: why training ended.
        seconds, compile_seconds: what it took.
        diagnosis: what went well or wrong, in words.
    """

    network: Any
    state: PyTree
    history: History
    ending: Ending
    seconds: float
    compile_seconds: float
    diagnosis: tuple[str, ...]

    def predict(self, inputs: PyTree) -> PyTree:
        """The network's raw outputs (logits for classes) for `inputs`, arrays with a leading row axis."""
        return predict(self.network, inputs, state=self.state)


def predict(network: Any, inputs: PyTree, *, state: PyTree = None) -> PyTree:
    """The outputs of `network` outside of training, tile by tile: few shapes to compile, little memory.

    Args:
        network: of Pellucid.
        inputs: arrays with a leading row axis.
        state: running statistics, as in `Fit.state`; the initial ones when `None`.

    Returns:
        NumPy arrays with one entry a row.
    """
    inputs = jax.tree.map(_as_device_type, inputs)
    rows = len(jax.tree.leaves(inputs)[0])
    state = network.initial_state() if state is None else state
    tile = min(bucket(rows), PREDICTION_TILE)
    starts = range(0, max(rows, 1), tile)
    outputs = [_forward(network, _padded(inputs, start, tile), state) for start in starts]
    return jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts])[:rows], *outputs)


@eqx.filter_jit
def _forward(network: Any, inputs: PyTree, state: PyTree) -> PyTree:
    return network(inputs, state=state, key=None, training=False)[0]


def _padded(inputs: PyTree, start: int, tile: int) -> PyTree:
    """One tile of rows; a short one is filled up with copies of its first row."""
    def cut(leaf: np.ndarray) -> np.ndarray:
        part = leaf[start:start + tile]
        missing = tile - len(part)
        return np.concatenate([part, np.repeat(leaf[:1], missing, axis=0)]) if missing else part
    return jax.tree.map(cut, inputs)


def fit(network: Any, objective: AbstractObjective | AbstractLoss | str, data: Any, *, validation: Any = None,
        key: Any = 0, watch: Watch | None = None, **settings: Any) -> Fit:
    """Train `network` towards `objective` on `data`, in one compiled program.

    Args:
        network: of Pellucid, or `networks.PerExample(module)` around an Equinox module that takes one example.
        objective: one of `pellucid.losses` or its name, or one of `pellucid.objectives`.
        data: (inputs, targets) or (inputs, targets, weights), arrays with a leading row axis; the inputs alone for an
            objective that needs no targets.
        validation: the same for held-out rows: the weights of the epoch with the lowest error there are kept.
        key: a JAX key or an integer: the same one gives the same weights.
        watch: progress, callbacks, checkpoint.
        settings: `epochs` (20), `batch_size` (32), `optimiser` ("adam"), `learning_rate` (the optimiser's own),
            `schedule` ("constant"), `weight_decay`, `clip`, `patience`, `time_limit`, `average` (0: with 0.999,
            say, a running average of the weights is measured and kept).

    Returns:
        The trained network with its history.

    Raises:
        ShapeError: inputs and targets differ in length, or the network does not fit the inputs.
        DataError: a value is not finite, or no row counts.
        TrainingError: the error was never finite.
        SettingsError: a setting is unknown or out of range.

    Example:
        >>> import jax, numpy as np, pellucid
        >>> x = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
        >>> y = (x[:, 0] > 0).astype("int32")
        >>> net = pellucid.networks.Feedforward(3, (16,), 2, key=jax.random.key(0))
        >>> fit = pellucid.fit(net, pellucid.losses.cross_entropy, (x, y), epochs=30)
        >>> bool((fit.predict(x).argmax(1) == y).mean() > 0.9)
        True
    """
    chosen = FIT.check(settings)
    if chosen["learning_rate"] == "find":
        raise SettingsError("`learning_rate` was 'find', which `fit` cannot do.",
                            "pass a number; pellucid.train and the estimators can look for one")
    objective = _objective(objective)
    training = _checked(data, "data", objective.needs_targets)
    training = objective.prepare(*training, as_seed(key) & 0xFFFFFFFF)
    held_out = None if validation is None else _checked(validation, "validation", objective.needs_targets)
    joined, count = _join(training, held_out), len(training.weight)
    enable_disk_cache()
    optimiser = _optimiser(chosen)
    program, state = descent(one_member(_typed(network, joined[2].dtype)), objective, optimiser,
                             chosen["average"])
    _try_one_row(program, state, joined, training.shared)
    plan = _plan(chosen, optimiser, program, count, as_seed(key))
    size = network.row_sizes(joined[0]) if hasattr(network, "row_sizes") else None
    outcome = run(program, state, device_data(*joined, training.shared, size), _rows(count, len(joined[2]), size), plan,
                  watch)
    return _finished(program, outcome, plan)


def _objective(given: AbstractObjective | AbstractLoss | str) -> AbstractObjective:
    if isinstance(given, AbstractObjective):
        return given
    return Supervised(losses[given] if isinstance(given, str) else given)


def _plan(chosen: Mapping[str, Any], optimiser: Optimiser, program: Descent, count: int, seed: int) -> Plan:
    full = optimiser.name == "lbfgs"
    recipe, batch_size = optimisers[optimiser.name], count if full else chosen["batch_size"]
    rate = recipe.learning_rate if chosen["learning_rate"] is None else chosen["learning_rate"]
    return Plan(epochs=chosen["epochs"], batch_size=batch_size, learning_rate=rate, schedule=chosen["schedule"],
                patience=chosen["patience"], seed=seed, time_limit=chosen["time_limit"],
                tile=max(SMALLEST_TILE, batch_size) if program.members_in_turn else TILE)


def _rows(count: int, total: int, size: np.ndarray | None) -> Rows:
    """Training rows and held-out rows; those of like size side by side, to be measured together."""
    parts = np.arange(count), np.arange(count, total)
    if size is not None:
        parts = [part[np.argsort(size[part], kind="stable")] for part in parts]
    return device_rows([parts[0]], [parts[1]])


def _typed(network: Any, dtype: np.dtype) -> Any:
    """`network` with its weights in the precision of the data."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if eqx.is_inexact_array(leaf) else leaf, network)


def _optimiser(chosen: Mapping[str, Any]) -> Optimiser:
    name = chosen["optimiser"] or "adam"
    decay = optimisers[name].weight_decay if chosen["weight_decay"] is None else chosen["weight_decay"]
    return Optimiser(optimisers.canonical(name), (), decay, chosen["clip"])


def _finished(program: Descent, outcome: Outcome, plan: Plan) -> Fit:
    first = jax.tree.map(lambda leaf: leaf[0], (outcome.carry.best, outcome.carry.state.buffers))
    (weights, network_state), buffers = first
    sentences = diagnose(outcome.history, learning_rate=plan.learning_rate,
                         epochs=plan.epochs) if program.objective.falls else ()
    return Fit(program.layout.assemble(weights, buffers), network_state, outcome.history, outcome.ending,
               outcome.seconds, outcome.compile_seconds, tuple(sentences))


def as_seed(key: Any) -> int:
    """An integer seed from an integer or a JAX key."""
    if isinstance(key, (int, np.integer)):
        return int(key)
    data = jax.random.key_data(key) if jnp.issubdtype(jnp.asarray(key).dtype, jax.dtypes.prng_key) else key
    return int(np.bitwise_xor.reduce(np.asarray(data, np.uint32)))


def _join(training: Prepared, held_out: tuple | None) -> tuple[PyTree, PyTree, np.ndarray]:
    """Training and validation rows as one set of arrays."""
    own = training.inputs, training.targets, training.weight
    if held_out is None:
        return own
    if jax.tree.structure(own) != jax.tree.structure(held_out):
        raise ShapeError(f"`validation` holds {jax.tree.structure(held_out[:2])}; expected what `data` holds, "
                         f"{jax.tree.structure(own[:2])}.", "pass the same kinds of arrays in both")
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), own, held_out)


def _checked(data: Any, name: str, needs_targets: bool) -> tuple[PyTree, np.ndarray, np.ndarray]:
    if not needs_targets:
        data = _without_targets(data)
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        raise ShapeError(f"`{name}` was {type(data).__name__}; expected (inputs, targets) or (inputs, targets, "
                         "weights).", f"pass {name}=(X, y)")
    inputs, targets = jax.tree.map(_as_device_type, data[0]), jax.tree.map(_as_device_type, data[1])
    rows = len(jax.tree.leaves(targets)[0])
    weights = _as_device_type(np.ones(rows) if len(data) == 2 else np.asarray(data[2], float))
    lengths = {len(leaf) for leaf in jax.tree.leaves((inputs, targets, weights))}
    if lengths != {rows} or rows == 0:
        raise ShapeError(f"`{name}` has arrays of {sorted(lengths)} rows; expected the same number, at least 1.",
                         "every array needs one entry a row")
    _require_numbers(name, inputs, targets, weights)
    return inputs, targets, weights


def _without_targets(data: Any) -> Any:
    """Inputs alone as (inputs, nothing); whoever passes targets all the same has them passed on."""
    if isinstance(data, tuple):
        return data
    return data, np.zeros(len(jax.tree.leaves(data)[0]), np.float32)


def _require_numbers(name: str, inputs: PyTree, targets: np.ndarray, weights: np.ndarray) -> None:
    for leaf in jax.tree.leaves((inputs, targets, weights)):
        if leaf.dtype.kind == "f" and (bad := np.size(leaf) - np.count_nonzero(np.isfinite(leaf))):
            raise DataError(f"`{name}` holds {bad} values that are not finite (missing, infinite, or too large for "
                            f"{leaf.dtype}).", "fill or leave out missing values; pellucid.train and the estimators do "
                            "that by themselves")
    if weights.ndim != 1 or (weights < 0).any() or not weights.any():
        raise DataError(f"The weights of `{name}` were {weights}; expected one number a row, at least 0, not all 0.",
                        "a weight says how much a row counts")


def _as_device_type(values: Any) -> np.ndarray:
    """Bytes as they are, other integers as int32, numbers as float32 (float64 where JAX is set to it)."""
    array = np.asarray(values)
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind in "iub":
        return array.astype(np.int32)
    return array.astype(np.float64 if jax.config.jax_enable_x64 else np.float32)


@partial(jax.jit, static_argnums=0)
def _evaluate(program: Descent, state: PyTree, batch: Batch) -> PyTree:
    return program.evaluate(state, batch)


def _try_one_row(program: Descent, state: PyTree, joined: tuple, shared: PyTree) -> None:
    """Run one row through the network's shapes, so that a mismatch is told before anything is compiled."""
    one = jax.tree.map(lambda leaf: leaf[0], state)
    inputs, targets, weight = jax.tree.map(lambda leaf: leaf[:1], joined)
    try:
        _evaluate.eval_shape(program, one, Batch(inputs, targets, weight, np.zeros(1, np.int32), shared))
    except (TypeError, ValueError) as error:
        if isinstance(error, ShapeError):
            raise
        shapes = jax.tree.map(np.shape, inputs)
        raise ShapeError(f"The network does not take inputs of shape {shapes} with targets of shape "
                         f"{jax.tree.map(np.shape, targets)}: "
                         f"{str(error).splitlines()[0]}",
                         "check in_features and out_features; wrap a module for single examples in "
                         "networks.PerExample") from error

"""A network for tables with raw columns: each picture, sentence or graph has an encoder, and a body joins them."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks._rows import sole
from pellucid.networks.parts import Parts, parts_of
from pellucid.networks.places import Places
from pellucid.networks.tabular import Tabular

Inputs = Mapping[str, Any]
MANY = 1 << 30


class Composite(eqx.Module):
    """Several encoders side by side, one for each raw column; what they give joins the numbers and categories.

    Without a body there is a single encoder, whose outputs are the outputs of the network; `path` may add to them.

    Args:
        encoders: networks of the zoo; the i-th takes `inputs["columns"][i]` (the array itself where that holds only
            one, such as pixels).
        body: takes `"numbers"`, followed by the outputs of all encoders, and `"codes"`; `None` for a single encoder
            alone.
        names: of the raw columns, for people; "input 1", … by default.
        path: what the places of a single column add to the outputs, or answer alone; only without a body.

    Raises:
        SettingsError: no encoder, several without a body, a path beside a body, or as many names as there are not
            encoders.
        ShapeError: when called with another number of columns.

    Example:
        >>> key = jax.random.key(0)
        >>> photo = pellucid.networks.Convolutional((8, 8, 1), (4,), 5, key=key)
        >>> network = Composite([photo], Tabular(2 + 5, (3,), 1, key=key), names=["photo"])
        >>> rows = {"numbers": jnp.ones((6, 2)), "codes": jnp.ones((6, 1), jnp.int32),
        ...         "columns": ({"pixels": jnp.ones((6, 8, 8, 1))},)}
        >>> network(rows)[0].shape
        (6, 1)
    """

    members_in_turn: ClassVar[bool] = True

    encoders: tuple[Any, ...]
    body: Tabular | None
    path: Places | None
    names: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, encoders: Sequence[Any], body: Tabular | None = None, *, names: Sequence[str] = (),
                 path: Places | None = None) -> None:
        self.encoders, self.body, self.path = tuple(encoders), body, path
        self.names = tuple(names) or tuple(f"input {place}" for place in range(1, len(self.encoders) + 1))
        if not self.encoders or (body is None and len(self.encoders) > 1):
            raise SettingsError(f"`Composite` got {len(self.encoders)} encoders"
                                f"{'' if body is not None else ' and no body'}; expected at least one, and a body for "
                                "more than one.", "pass body=Tabular(…)")
        if path is not None and body is not None:
            raise SettingsError("`Composite` got a path and a body; a path adds to the outputs of a single encoder.",
                                "leave the path out: the body has one of its own")
        if len(self.names) != len(self.encoders):
            raise SettingsError(f"`Composite` got {len(self.names)} names for {len(self.encoders)} encoders.",
                                "pass one name for each encoder")

    def initial_state(self) -> tuple[Any, ...]:
        """The states of the encoders, then that of the body."""
        return *(encoder.initial_state() for encoder in self.encoders), *(
            [] if self.body is None else [self.body.initial_state()])

    @property
    def prepares(self) -> bool:
        """Whether an encoder has frozen layers whose outputs can be kept; see `prepared`."""
        return any(getattr(encoder, "prepares", False) for encoder in self.encoders)

    @property
    def tile(self) -> int:
        """How many rows should be answered together, at most, where encoders wish for few."""
        return min(getattr(encoder, "tile", MANY) for encoder in self.encoders)

    def prepared(self, inputs: Inputs) -> Inputs:
        """The inputs with what the frozen layers of encoders make of their columns: the same in every epoch, and for
        all networks that start from the same weights."""
        columns = tuple(encoder.prepared(column) if getattr(encoder, "prepares", False) else column
                        for encoder, column in zip(self.encoders, inputs["columns"], strict=True))
        return {**inputs, "columns": columns}

    @property
    def compiler_options(self) -> dict[str, Any]:
        """Those of all encoders."""
        return {name: value for encoder in self.encoders
                for name, value in getattr(encoder, "compiler_options", {}).items()}

    def row_sizes(self, inputs: Inputs) -> np.ndarray:
        """How long each row is, by its largest share of the longest one of any column; all alike for fixed sizes."""
        sizes = np.zeros(len(jax.tree.leaves(inputs["columns"])[0]))
        for encoder, column in zip(self.encoders, inputs["columns"], strict=True):
            if hasattr(encoder, "row_sizes"):
                own = np.asarray(encoder.row_sizes(sole(column)), np.float64)
                sizes = np.maximum(sizes, own / max(own.max(initial=1.0), 1.0))
        return np.round(1000 * sizes).astype(np.int32)

    def rate_factors(self) -> dict[str, float]:
        """The part of the learning rate for each weight that has one of its own, by name."""
        return self._hints("rate_factors")

    def decay_factors(self) -> dict[str, float]:
        """The part of the weight decay for each weight that has one of its own, by name."""
        return self._hints("decay_factors")

    def plain_factors(self) -> dict[str, float]:
        """The weights that are learned by plain gradient descent with momentum, whatever the optimiser."""
        return self._hints("plain_factors")

    def _hints(self, name: str) -> dict[str, float]:
        return {f"encoders.{place}.{weight}": factor for place, encoder in enumerate(self.encoders)
                for weight, factor in getattr(encoder, name, dict)().items()}

    def __call__(self, inputs: Inputs, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From `{"numbers": …, "codes": …, "columns": (…)}` to (batch, out_features), and the new state.

        The other arguments are those of the encoders.
        """
        columns = self._columns(inputs)
        state = self.initial_state() if state is None else state
        keys = [None if key is None else jax.random.fold_in(key, place) for place in range(len(columns) + 1)]
        outputs, states = [], []
        for encoder, column, own_state, own_key in zip(self.encoders, columns, state, keys, strict=False):
            output, own_state = encoder(column, state=own_state, key=own_key, training=training, weight=weight)
            outputs.append(output)
            states.append(own_state)
        if self.body is None:
            return self._with_path(outputs[0], columns[0]), tuple(states)
        output, own_state = self.body(_joined(inputs, outputs), state=state[-1], key=keys[-1], training=training,
                                      weight=weight)
        return output, (*states, own_state)

    def _with_path(self, outputs: jax.Array, column: Any) -> jax.Array:
        """The outputs of a single encoder, and what the path adds to them, or gives alone."""
        if self.path is None:
            return outputs
        return self.path(column) if self.path.alone else outputs + self.path(column)

    def _columns(self, inputs: Inputs) -> list[Any]:
        columns = inputs.get("columns", ())
        if len(columns) != len(self.encoders):
            raise ShapeError(f"`Composite` expected {len(self.encoders)} columns, got {len(columns)}.",
                             'pass {"numbers": …, "codes": …, "columns": (one mapping of arrays for each encoder,)}')
        return [sole(column) for column in columns]

    def last_maps(self, inputs: Inputs, place: int = 0, *,
                  state: tuple[Any, ...] | None = None) -> tuple[jax.Array, Callable[[jax.Array], jax.Array]]:
        """What the last convolution of the encoder at `place` gives outside of training, and the function that makes
        the outputs of that; `AttributeError` for an encoder without convolutions."""
        state = self.initial_state() if state is None else state
        column = self._columns(inputs)[place]
        maps, rest = self.encoders[place].last_maps(column, state=state[place])
        if self.body is None:
            return maps, lambda changed: self._with_path(rest(changed), column)
        others = self.encoded(inputs, state=state)

        def answer(changed: jax.Array) -> jax.Array:
            outputs = [*others[:place], rest(changed), *others[place + 1:]]
            return self.body(_joined(inputs, outputs), state=state[-1])[0]
        return maps, answer

    def encoded(self, inputs: Inputs, *, state: tuple[Any, ...] | None = None) -> list[jax.Array]:
        """What each encoder gives outside of training, (batch, its outputs)."""
        state = self.initial_state() if state is None else state
        return [encoder(column, state=own)[0]
                for encoder, column, own in zip(self.encoders, self._columns(inputs), state, strict=False)]

    def layer_outputs(self, inputs: Inputs, *, state: tuple[Any, ...] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"photo: hidden 1"`, …, then the layers of the body."""
        columns = self._columns(inputs)
        state = self.initial_state() if state is None else state
        found = {}
        for name, encoder, column, own in zip(self.names, self.encoders, columns, state, strict=False):
            layers = encoder.layer_outputs(column, state=own)
            found |= layers if self.body is None else {f"{name}: {layer}": value for layer, value in layers.items()}
        if self.body is None:
            return found | {"output": self._with_path(found["output"], columns[0])}
        outputs = [found[f"{name}: output"] for name in self.names]
        return found | self.body.layer_outputs(_joined(inputs, outputs), state=state[-1])

    def parts(self) -> Parts:
        """The parts of each encoder, side by side, and those of the body behind them."""
        if self.body is None:
            return self._single_parts()
        rows, paths, deepest = [], [], 0
        for name, encoder in zip(self.names, self.encoders, strict=True):
            own = parts_of(encoder)
            for depth, part in own.placed():
                role = "hidden" if part.role == "output" else part.role
                rows.append(replace(part, name=f"{name}: {part.name}", role=role, depth=depth))
                deepest = max(deepest, depth)
            paths += own.paths
        body = parts_of(self.body)
        for depth, part in body.placed():
            role = "hidden" if part.role == "input" else part.role
            rows.append(replace(part, name=f"joined: {part.name}" if part.role == "input" else part.name, role=role,
                                depth=depth + deepest + 1))
        moved = tuple((first + deepest + 1, last + deepest + 1, name) for first, last, name in body.paths)
        return Parts(tuple(rows), (*paths, *moved))

    def _single_parts(self) -> Parts:
        """The parts of the only encoder, never used where the path answers alone, and the path past them."""
        own = parts_of(self.encoders[0])
        if self.path is None:
            return own
        last = max(depth for depth, _ in own.placed())
        rows = [replace(part, uses=0) if self.path.alone else part for part in own.rows]
        return Parts((*rows, *self.path.parts(last)), (*own.paths, (0, last, "places")))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        path = {} if self.path is None else {"path": self.path.spec()}
        return {"network": "composite", "encoders": [encoder.spec() for encoder in self.encoders],
                "body": None if self.body is None else self.body.spec(), "names": list(self.names), **path}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Composite:
        """A new network of this specification; its encoders and body are built already."""
        path = spec.get("path")
        return cls(**spec | {"path": None if path is None else Places.from_spec(path, key=key)})


def _joined(inputs: Inputs, outputs: list[jax.Array]) -> dict[str, jax.Array]:
    """What the body takes: the outputs of the encoders are further numbers."""
    numbers = [inputs["numbers"].astype(outputs[0].dtype)] if "numbers" in inputs else []
    return {"numbers": jnp.concatenate([*numbers, *outputs], axis=1)} | (
        {"codes": inputs["codes"]} if "codes" in inputs else {})

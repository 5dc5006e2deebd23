"""The network for films: one look at each frame and at what changed since the last, then a memory over time."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks._rows import shares
from pellucid.networks.convolutional import AugmentationOptions, Convolutional
from pellucid.networks.parts import Parts
from pellucid.networks.recurrent import Recurrent
from pellucid.nn import Augmentation
from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys

FilmInputs = jax.Array | Mapping[str, jax.Array]


@dataclass(frozen=True)
class FilmSettings:
    """What a `Film` is built from; hashable, and JSON-serialisable through `dataclasses.asdict`."""

    in_shape: tuple[int, int, int, int]
    out_features: int
    hidden: tuple[int, ...] = (16, 32, 64)
    code: int = 64
    memory: int = 64
    motion: bool = True
    residual: bool = False
    dropout: float = 0.0
    augmentation: AugmentationOptions = AugmentationOptions()

    def __post_init__(self) -> None:
        if isinstance(self.in_shape, str) or not isinstance(self.in_shape, Sequence) or len(self.in_shape) != 4:
            raise SettingsError(f"`Film` got in_shape={self.in_shape!r}; expected (frames, height, width, channels).",
                                "pass in_shape=(10, 32, 32, 1), for example")
        object.__setattr__(self, "in_shape", tuple(whole_number("Film", "in_shape", size) for size in self.in_shape))
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name in ("out_features", "code", "memory"):
            whole_number("Film", name, getattr(self, name))
        if isinstance(self.augmentation, Mapping):
            object.__setattr__(self, "augmentation", AugmentationOptions(**self.augmentation))


class Film(eqx.Module):
    """The same convolutions for each frame, whose findings a gated recurrent layer follows over time.

    With `motion` the convolutions see each frame and beside it the difference to the frame before, so that what moves
    can be told from what stands still within one look. All frames of a film are moved, zoomed and brightened alike
    while training. 8-bit integers are divided by 255.

    Inputs are `{"values": (batch, frames, height, width, channels), "lengths": int32 (batch,)}`, or the bare values;
    frames behind a row's length count for nothing.

    Args:
        in_shape: (frames, height, width, channels) of a padded film.
        out_features: number of output neurons, at least 1.
        hidden: features of each stage of the convolutions.
        code: numbers that the convolutions find in a frame.
        memory: neurons of the recurrent layer.
        motion: whether differences between frames are seen, too.
        residual: whether the stages have residual blocks.
        dropout: the share of what the dense layers get that rests while training.
        augmentation: `{"mirror": …, "shift": …, "zoom": …, "contrast": …}`; see `nn.Augmentation`.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, a rate outside its range or an unknown name.
        ShapeError: when called with other shapes.

    Example:
        >>> network = Film((10, 16, 16, 1), 4, key=jax.random.key(0))
        >>> network({"values": jnp.ones((3, 10, 16, 16, 1)), "lengths": jnp.array([10, 4, 1])})[0].shape
        (3, 4)

    Source: Donahue and others 2015, "Long-term recurrent convolutional networks for visual recognition and
    description"; differences beside frames: Simonyan & Zisserman 2014, whose second stream sees motion alone.
    """

    members_in_turn: ClassVar[bool] = True

    augmentation: Augmentation
    look: Convolutional
    course: Recurrent
    settings: FilmSettings = eqx.field(static=True)

    def __init__(self, in_shape: Sequence[int], out_features: int, *, key: jax.Array, **settings: Any) -> None:
        self.settings = chosen = FilmSettings(in_shape, out_features, **settings)
        look_key, course_key = subkeys(key, 2)
        self.augmentation = Augmentation(**asdict(chosen.augmentation))
        _, height, width, channels = chosen.in_shape
        self.look = Convolutional((height, width, channels * (1 + chosen.motion)), chosen.hidden, chosen.code,
                                  residual=chosen.residual, head="flat", dropout=chosen.dropout, key=look_key)
        self.course = Recurrent(chosen.code, (chosen.memory,), out_features, dropout=chosen.dropout, key=course_key)

    def initial_state(self) -> tuple[Any, ...]:
        """That of the convolutions."""
        return self.look.initial_state()

    def row_sizes(self, inputs: FilmInputs) -> np.ndarray:
        """How many frames each film has."""
        if isinstance(inputs, Mapping) and "lengths" in inputs:
            return np.asarray(inputs["lengths"])
        values = inputs["values"] if isinstance(inputs, Mapping) else inputs
        return np.full(len(values), values.shape[1], np.int32)

    def __call__(self, inputs: FilmInputs, *, state: tuple[Any, ...] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[Any, ...]]:
        """From films to (batch, out_features), and the new state.

        Args:
            inputs: the films; see the class.
            state: running statistics from `initial_state()` or a call before; the initial ones when `None`.
            key: the random key for dropout and augmentation; needed only when training with either.
            training: whether dropout, augmentation and batch statistics are at work.
            weight: (batch,) how much each row counts in batch statistics; all alike when `None`.
        """
        frames, lengths = self._read(inputs)
        keys = [None] * 3 if key is None else subkeys(key, 3)
        batch, time = frames.shape[:2]
        if training:
            frames = self._changed(frames, keys[0])
        there = jnp.arange(time) < lengths[:, None]
        each = (there if weight is None else there * weight[:, None]).reshape(-1).astype(frames.dtype)
        codes, state = self.look(self._seen(frames), state=state, key=keys[1], training=training, weight=each)
        course = {"values": jax.nn.relu(codes).reshape(batch, time, -1), "lengths": lengths}
        return self.course(course, key=keys[2], training=training)[0], state

    def layer_outputs(self, inputs: FilmInputs, *, state: tuple[Any, ...] | None = None) -> dict[str, jax.Array]:
        """What each layer gives, outside of training: `"frame: hidden 1"`, …, `"hidden 1"`, `"output"`."""
        frames, lengths = self._read(inputs)
        batch, time = frames.shape[:2]
        looks = self.look.layer_outputs(self._seen(frames), state=state)
        found = {f"frame: {name}": value.reshape(batch, time, *value.shape[1:]) for name, value in looks.items()}
        course = {"values": jax.nn.relu(found["frame: output"]), "lengths": lengths}
        return found | self.course.layer_outputs(course)

    def _read(self, inputs: FilmInputs) -> tuple[Float[Array, "batch frames height width channels"],
                                                 Int[Array, " batch"]]:
        given = inputs if isinstance(inputs, Mapping) else {"values": inputs}
        values, own = given.get("values"), self.settings.in_shape
        if values is None or jnp.ndim(values) != 5 or jnp.shape(values)[2:] != own[1:]:
            found = "no 'values'" if values is None else f"shape {jnp.shape(values)}"
            raise ShapeError(f"`Film` expected 'values' of shape (batch, frames, {', '.join(map(str, own[1:]))}), got "
                             f"{found}.", "build it for frames of this shape; frames without colours need a last axis "
                             "of 1")
        lengths = given.get("lengths")
        values = shares(values, self.course.output.weight.dtype)
        return values, jnp.full(len(values), values.shape[1], jnp.int32) if lengths is None else lengths

    def _changed(self, frames: jax.Array, key: jax.Array | None) -> jax.Array:
        """All frames of a film changed alike: they are the features of one picture."""
        batch, time, height, width, channels = frames.shape
        side = jnp.moveaxis(frames, 1, 3).reshape(batch, height, width, time * channels)
        changed = self.augmentation(side, key=key, training=True)
        return jnp.moveaxis(changed.reshape(batch, height, width, time, channels), 3, 1)

    def _seen(self, frames: jax.Array) -> jax.Array:
        """(batch · frames, height, width, features): each frame, and how it differs from the one before."""
        if self.settings.motion:
            before = jnp.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
            frames = jnp.concatenate([frames, frames - before], axis=-1)
        return frames.reshape(-1, *frames.shape[2:])

    def parts(self) -> Parts:
        """The convolutions, whose weights are used for each frame, and the recurrent layer behind them."""
        time, look, course = self.settings.in_shape[0], self.look.parts(), self.course.parts()
        rows = [replace(part, name=f"frame: {part.name}", role="hidden" if part.role == "output" else part.role,
                        activation="relu" if part.role == "output" else part.activation, uses=part.uses * time)
                for part in look.rows]
        return Parts((*rows, *(replace(part, depth=None) for part in course.rows if part.role != "input")), look.paths)

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values; `pellucid.networks.build` turns it into a network again."""
        settings = asdict(self.settings)
        return {"network": "film", **settings, **{name: list(settings[name]) for name in ("in_shape", "hidden")}}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], *, key: jax.Array) -> Film:
        """A new network of this specification, with new starting weights."""
        return cls(**spec, key=key)



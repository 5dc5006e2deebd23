"""The autoencoder: squeezes inputs through a narrow code and learns to give them back."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import equinox as eqx
import jax

from pellucid.errors import SettingsError
from pellucid.networks._rows import flat_rows, sole
from pellucid.networks.feedforward import Feedforward, State, body_parts
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys


@dataclass(frozen=True)
class AutoencoderSettings:
    """What an `Autoencoder` is built from; the decoder has the encoder's hidden sizes in reverse."""

    in_features: int
    hidden: tuple[int, ...]
    code: int
    activation: str = "relu"
    code_activation: str = "identity"
    output_activation: str = "identity"
    dropout: float = 0.0
    normalisation: str = "none"
    residual: bool = False
    skip: bool = False

    def __post_init__(self) -> None:
        whole_number("Autoencoder", "in_features", self.in_features)
        whole_number("Autoencoder", "code", self.code)
        object.__setattr__(self, "hidden", hidden_sizes("Autoencoder", self.hidden))


class Autoencoder(eqx.Module):
    """Encoder and decoder, each a feed-forward network: inputs → code → the same inputs again.

    A code smaller than the inputs has to keep what matters; trained on damaged inputs with the clean ones as the aim,
    the network learns to repair them. `training.Reconstruction` trains it either way.

    Source: Rumelhart, Hinton & Williams 1986; Vincent et al. 2008, "Extracting and composing robust features with
    denoising autoencoders".

    Args:
        in_features: numbers in an input, at least 1; images are flattened.
        hidden: neurons in each hidden layer of the encoder; the decoder has the same in reverse.
        code: neurons in the code, at least 1.
        activation: the activation function of the hidden neurons.
        code_activation, output_activation: those of the code and of the outputs; `"sigmoid"` for outputs in [0, 1].
        dropout, normalisation, residual: of the hidden layers, as in `Feedforward`.
        skip: whether a linear path leads past the hidden layers of both halves, so that the network starts from, and
            can always fall back on, a linear code.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or an unknown name.
        ShapeError: when called with inputs of another size.

    Example:
        >>> network = Autoencoder(64, (32,), 8, key=jax.random.key(0))
        >>> network.encode(jax.numpy.ones((5, 8, 8))).shape, network(jax.numpy.ones((5, 8, 8)))[0].shape
        ((5, 8), (5, 64))
    """

    encoder: Feedforward
    decoder: Feedforward
    settings: AutoencoderSettings = eqx.field(static=True)
    members_in_turn = True

    def __init__(self, in_features: int, hidden: Sequence[int], code: int, *, activation: str = "relu",
                 code_activation: str = "identity", output_activation: str = "identity", dropout: float = 0.0,
                 normalisation: str = "none", residual: bool = False, skip: bool = False, key: jax.Array) -> None:
        self.settings = settings = AutoencoderSettings(in_features, hidden, code, activation, code_activation,
                                                       output_activation, dropout, normalisation, residual, skip)
        self.encoder, self.decoder = halves(settings, code, in_features, key)

    def initial_state(self) -> tuple[State, State]:
        """Running statistics of encoder and decoder."""
        return self.encoder.initial_state(), self.decoder.initial_state()

    def __call__(self, inputs: jax.Array, *, state: tuple[State, State] | None = None, key: jax.Array | None = None,
                 training: bool = False, weight: jax.Array | None = None) -> tuple[jax.Array, tuple[State, State]]:
        """From (batch, …) to their reconstruction, (batch, in_features), and the new state."""
        first, second = self.initial_state() if state is None else state
        keys = (None, None) if key is None else subkeys(key, 2)
        code, first = self.encoder(self.rows(inputs), state=first, key=keys[0], training=training, weight=weight)
        output, second = self.decoder(code, state=second, key=keys[1], training=training, weight=weight)
        return output, (first, second)

    def rows(self, inputs: jax.Array) -> jax.Array:
        """Inputs as (batch, in_features) floating-point numbers; 8-bit integers are divided by 255."""
        return flat_rows("Autoencoder", sole(inputs), self.settings.in_features, self.decoder.output.weight.dtype)

    def encode(self, inputs: jax.Array, *, state: tuple[State, State] | None = None) -> jax.Array:
        """The code of each input: (batch, code)."""
        return self.encoder(self.rows(inputs), state=None if state is None else state[0])[0]

    def decode(self, code: jax.Array, *, state: tuple[State, State] | None = None) -> jax.Array:
        """What a code stands for: (batch, in_features)."""
        return self.decoder(code, state=None if state is None else state[1])[0]

    def layer_outputs(self, inputs: jax.Array, *, state: tuple[State, State] | None = None) -> dict[str, jax.Array]:
        """What each layer gives: `"encoder, hidden 1"`, …, `"code"`, `"decoder, hidden 1"`, …, `"output"`."""
        first, second = (None, None) if state is None else state
        named = half_outputs("encoder", self.encoder, self.rows(inputs), first)
        named["code"] = named.pop("output")
        return named | half_outputs("decoder", self.decoder, named["code"], second)

    def parts(self) -> Parts:
        """The inputs, the encoder's layers, the code, the decoder's layers."""
        return joined_parts(self.settings.in_features, self.encoder, self.decoder)

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "autoencoder", **asdict(self.settings), "hidden": list(self.settings.hidden)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Autoencoder:
        """A new network of this specification, with new starting weights."""
        return cls(**dict(spec) | {"hidden": tuple(spec["hidden"])}, key=key)


def hidden_sizes(network: str, hidden: Any) -> tuple[int, ...]:
    """The sizes of hidden layers as a tuple; one number stands for one layer."""
    if isinstance(hidden, int):
        hidden = (hidden,)
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise SettingsError(f"`{network}` got hidden={hidden!r}; expected the size of each hidden layer.",
                            "pass hidden=(256, 128), for example")
    return tuple(hidden)


def halves(settings: Any, code: int, out_features: int, key: jax.Array) -> tuple[Feedforward, Feedforward]:
    """Encoder and decoder of an autoencoder's settings.

    Args:
        settings: with the fields of `AutoencoderSettings`.
        code: outputs of the encoder.
        out_features: outputs of the decoder.
        key: the random key for the starting weights.
    """
    first, second = subkeys(key, 2)
    options = {name: getattr(settings, name) for name in ("activation", "dropout", "normalisation", "residual", "skip")}
    encoder = Feedforward(settings.in_features, settings.hidden, code, key=first,
                          output_activation=settings.code_activation, **options)
    decoder = Feedforward(settings.code, settings.hidden[::-1], out_features, key=second,
                          output_activation=settings.output_activation, **options)
    return encoder, decoder


def half_outputs(name: str, half: Feedforward, inputs: jax.Array, state: State | None) -> dict[str, jax.Array]:
    """What the layers of one half give; hidden ones are named after it."""
    values = half.layer_outputs(inputs, state=state)
    return {layer if layer == "output" else f"{name}, {layer}": value for layer, value in values.items()}


def joined_parts(in_features: int, encoder: Feedforward, decoder: Feedforward) -> Parts:
    """The parts of two feed-forward networks, one behind the other; the first one's outputs are called the code."""
    first = body_parts(encoder, 1, 0)
    code_depth = max(part.depth for part in first.rows)
    second = body_parts(decoder, code_depth + 1, code_depth)
    rows = [Part("input", "input", in_features)]
    for name, half in (("encoder", first), ("decoder", second)):
        for part in half.rows:
            if name == "encoder" and part.name == "output":
                rows.append(replace(part, name="code", role="hidden"))
            elif part.name == "output":
                rows.append(part)
            else:
                rows.append(replace(part, name=f"{name}, {part.name}", role="hidden"))
    return Parts(tuple(rows), first.paths + second.paths)

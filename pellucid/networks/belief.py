"""The deep belief network: restricted Boltzmann machines on top of each other, learned without labels."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import equinox as eqx
import jax

from pellucid.errors import SettingsError
from pellucid.networks.boltzmann import RestrictedBoltzmannMachine
from pellucid.networks.feedforward import Feedforward
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import whole_number
from pellucid.nn._random import subkeys


@dataclass(frozen=True)
class BeliefNetworkSettings:
    """What a `BeliefNetwork` is built from."""

    visible: int
    hidden: tuple[int, ...]
    visible_kind: str = "binary"

    def __post_init__(self) -> None:
        hidden = (self.hidden,) if isinstance(self.hidden, int) else self.hidden
        if isinstance(hidden, str) or not isinstance(hidden, Sequence) or not hidden:
            raise SettingsError(f"`BeliefNetwork` got hidden={self.hidden!r}; expected the size of each hidden layer.",
                                "pass hidden=(500, 500), for example")
        object.__setattr__(self, "hidden", tuple(hidden))


class BeliefNetwork(eqx.Module):
    """A stack of restricted Boltzmann machines, each of which learns the hidden neurons of the one below.

    Without labels, `training.pretrain_layers` teaches it machine by machine. Then it encodes (called as a network it
    gives the top hidden probabilities), makes up inputs, or, as a feed-forward network of the same weights, is
    fine-tuned with labels.

    Source: Hinton, Osindero & Teh 2006, "A fast learning algorithm for deep belief nets".

    Args:
        visible: numbers in an input, at least 1.
        hidden: number of neurons in each hidden layer, at least one.
        visible_kind: of the inputs: `"binary"` for values from 0 to 1, `"gaussian"` for standardised numbers.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1, no hidden layer or an unknown kind.
        ShapeError: when called with inputs of another size.

    Example:
        >>> network = BeliefNetwork(64, (32, 16), key=jax.random.key(0))
        >>> classifier = network.to_feedforward(10, key=jax.random.key(1))
        >>> classifier.settings.hidden
        (32, 16)
    """

    machines: tuple[RestrictedBoltzmannMachine, ...]
    settings: BeliefNetworkSettings = eqx.field(static=True)
    members_in_turn = True

    def __init__(self, visible: int, hidden: Sequence[int], *, visible_kind: str = "binary", key: jax.Array) -> None:
        self.settings = settings = BeliefNetworkSettings(visible, hidden, visible_kind)
        sizes = (visible, *settings.hidden)
        keys = subkeys(key, len(settings.hidden))
        self.machines = tuple(
            RestrictedBoltzmannMachine(sizes[index], sizes[index + 1], key=keys[index],
                                       visible_kind="binary" if index else visible_kind)
            for index in range(len(settings.hidden)))

    def initial_state(self) -> tuple[()]:
        """Nothing: the network has no running statistics."""
        return ()

    def __call__(self, inputs: jax.Array, *, state: Any = None, key: jax.Array | None = None, training: bool = False,
                 weight: jax.Array | None = None) -> tuple[jax.Array, tuple[()]]:
        """From (batch, …) to the probabilities of the top hidden neurons, (batch, hidden[-1])."""
        return self.transform(inputs), ()

    def transform(self, inputs: jax.Array, depth: int | None = None) -> jax.Array:
        """The probabilities of the hidden neurons of layer `depth`, from 1 on; those of the top when `None`.

        Each machine is given the probabilities, not samples, of the one below.
        """
        depth = len(self.machines) if depth is None else whole_number("transform", "depth", depth, 0)
        values = inputs
        for machine in self.machines[:depth]:
            values = machine.hidden_probabilities(values)
        return values

    def layer_outputs(self, inputs: jax.Array, *, state: Any = None) -> dict[str, jax.Array]:
        """What each layer gives for these inputs: `"hidden 1"`, …, `"output"`."""
        named = {}
        for number, machine in enumerate(self.machines, 1):
            inputs = machine.hidden_probabilities(inputs)
            named["output" if number == len(self.machines) else f"hidden {number}"] = inputs
        return named

    def reconstruct(self, inputs: jax.Array) -> jax.Array:
        """The inputs as the top hidden neurons hold them, without chance: (batch, visible)."""
        values = self.transform(inputs)
        for machine in reversed(self.machines):
            values = machine.visible_means(values)
        return values

    def sample(self, count: int, *, key: jax.Array, steps: int = 1000) -> jax.Array:
        """Inputs that the network makes up: the top machine samples, the others hand its states down.

        Args:
            count: how many.
            key: the random key.
            steps: rounds of Gibbs sampling in the top machine.

        Returns:
            (count, visible), the means of the last step.
        """
        *down, top = subkeys(key, len(self.machines))
        values = self.machines[-1].sample(count, key=top, steps=steps)
        for machine, own in zip(reversed(self.machines[:-1]), down, strict=True):
            values = machine.visible_means((jax.random.uniform(own, values.shape) < values).astype(values.dtype))
        return values

    def to_feedforward(self, out_features: int, *, key: jax.Array, **options: Any) -> Feedforward:
        """A feed-forward network that starts from these weights, for training with labels.

        Args:
            out_features: number of output neurons, at least 1.
            key: the random key for the output layer.
            options: of `Feedforward`, such as `dropout` or `output_activation`; its hidden neurons are sigmoid.
        """
        network = Feedforward(self.settings.visible, self.settings.hidden, out_features, activation="sigmoid",
                              key=key, **options)
        return eqx.tree_at(
            lambda whole: [array for block in whole.hidden for array in (block.dense.weight, block.dense.bias)],
            network, [array for machine in self.machines for array in (machine.weight, machine.hidden_bias)])

    def parts(self) -> Parts:
        """The inputs and each hidden layer."""
        last = len(self.machines)
        rows = [Part("input", "input", self.settings.visible, kind="belief")]
        for number, machine in enumerate(self.machines, 1):
            name, role = ("output", "output") if number == last else (f"hidden {number}", "hidden")
            rows.append(Part(name, role, machine.settings.hidden, "sigmoid", machine, kind="belief"))
        return Parts(tuple(rows))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "belief", **asdict(self.settings), "hidden": list(self.settings.hidden)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> BeliefNetwork:
        """A new network of this specification, with new starting weights."""
        return cls(**dict(spec) | {"hidden": tuple(spec["hidden"])}, key=key)

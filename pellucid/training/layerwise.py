"""Teaching a belief network without labels, one machine after the other."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx

from pellucid.errors import SettingsError
from pellucid.networks import BeliefNetwork
from pellucid.training.fit import Fit, as_seed, fit, predict
from pellucid.training.objectives.contrastive_divergence import ContrastiveDivergence

FIRST_RATE = 0.1
GAUSSIAN_RATE = 0.01  # nothing bounds what Gaussian neurons give back; Hinton 2012, section 13.2


@dataclass(frozen=True)
class LayerwiseFit:
    """A belief network and the record of each machine's training.

    Args:
        network: the network.
        fits: one for each machine, from the inputs on.
    """

    network: BeliefNetwork
    fits: tuple[Fit, ...]


def pretrain_layers(network: BeliefNetwork, inputs: Any, objective: ContrastiveDivergence | None = None, *,
                    validation: Any = None, key: Any = 0, **settings: Any) -> LayerwiseFit:
    """Teach each machine of a belief network what the hidden neurons of the one below look like.

    Each machine starts from the means of what it is shown. No labels are needed; `network.to_feedforward` then gives
    a network for training with labels.

    Source: Hinton, Osindero & Teh 2006, "A fast learning algorithm for deep belief nets".

    Args:
        network: the belief network.
        inputs: (rows, …), from 0 to 1 or 8-bit integers; standardised for Gaussian visible neurons.
        objective: the objective of each machine; one-step contrastive divergence when `None`.
        validation: inputs of held-out rows; each machine keeps the weights of its best epoch there.
        key: a JAX key or an integer: the same one gives the same weights.
        settings: of `pellucid.fit`, for every machine alike; the optimiser here is "sgd" unless given, its learning
            rate 0.1 (0.01 for Gaussian visible neurons), the batch size 32.

    Example:
        >>> network = pellucid.networks.BeliefNetwork(6, (5, 4), key=jax.random.key(0))
        >>> learned = pellucid.training.pretrain_layers(network, np.eye(6), epochs=2)
        >>> learned.network.transform(np.eye(6)).shape
        (6, 4)
    """
    if not isinstance(network, BeliefNetwork):
        raise SettingsError(f"`pretrain_layers` got a {type(network).__name__}; expected a BeliefNetwork.",
                            "train a single machine with pellucid.fit(machine, objectives.ContrastiveDivergence(), …)")
    objective = ContrastiveDivergence() if objective is None else objective
    machines, fits = [], []
    for index, machine in enumerate(network.machines):
        rate = GAUSSIAN_RATE if machine.settings.visible_kind == "gaussian" else FIRST_RATE
        chosen = {"optimiser": "sgd", "learning_rate": rate} | settings
        learned = fit(_centred(machine, inputs), objective, inputs, validation=validation,
                      key=(as_seed(key) + index) & 0xFFFFFFFF, **chosen)
        machines.append(learned.network)
        fits.append(learned)
        if index + 1 < len(network.machines):
            inputs = predict(learned.network, inputs)
            validation = None if validation is None else predict(learned.network, validation)
    return LayerwiseFit(eqx.tree_at(lambda whole: whole.machines, network, tuple(machines)), tuple(fits))


@eqx.filter_jit
def _centred(machine: Any, inputs: Any) -> Any:
    return machine.centred_on(inputs)

"""Names for what enters the first layer of a network for tables, so that its weights can be read."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.networks.synapses import weights
from pellucid.networks.tabular import Tabular


def joined_names(network: Tabular, number_names: Sequence[str],
                 level_names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A name for each input of the body of `network`, in order.

    Args:
        number_names: of the float channels.
        level_names: of the codes of each category, code 0 (missing or unseen) included.
    """
    embedded = () if network.number_embedding is None else network.embedded_channels
    names = []
    if embedded:
        each = network.number_embedding.out_features // len(embedded)
        parts = ["", *(f", part {number}" for number in range(1, each))]
        names += [f"{number_names[channel]}{part}" for channel in embedded for part in parts]
    names += [number_names[channel] for channel in range(len(number_names)) if channel not in set(embedded)]
    for levels in level_names:
        if len(levels) <= network.categories.one_hot_limit:
            names += [f"{levels[2]} (against {levels[1]})"] if len(levels) == 3 else list(levels[1:])
    for layer, levels in zip(network.category_embeddings, (levels for levels in level_names if len(
            levels) > network.categories.one_hot_limit), strict=True):
        column = levels[0].rsplit(" = ", 1)[0]
        names += [f"{column}, part {number}" for number in range(1, layer.vectors.shape[-1] + 1)]
    return tuple(names)


def first_weights(network: Tabular) -> np.ndarray | None:
    """The weights (inputs, neurons) of the first layer of the body, or `None` where it has no matrix."""
    own = [matrix for name, matrix in weights(network).items() if name.startswith("body.")]
    return own[0] if own else None

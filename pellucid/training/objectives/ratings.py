"""Learning to recommend: to find again what was hidden from users' lists of ratings."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from pellucid.nn._checks import positive, share
from pellucid.nn._random import subkeys, uniform
from pellucid.training.objectives.base import AbstractObjective, Assessment
from pellucid.training.program import Batch


class Lists(NamedTuple):
    """What users rated, one row a user, each list padded to one length.

    Args:
        items: numbers of items; those that are no item are outside the network's range.
        ratings: standardised; 0 for clicks.
        liking: how much finding the item counts when lists are ranked, at least 0.
        folds: the fold of each rating.
    """

    items: Int[Array, "users length"]
    ratings: Float[Array, "users length"]
    liking: Float[Array, "users length"]
    folds: Int[Array, "users length"]


@dataclass(frozen=True)
class HiddenRatings(AbstractObjective):
    """The errors of a `Factorisation` about ratings that are hidden from it, from those that are not.

    A row is a user and the number of a fold, whose ratings are held out: `{"user": int, "fold": int}`; the lists stand
    in `batch.shared`. Each time a user is shown, every rating is hidden with probability `hidden`. With H the hidden
    ones and L the whole list, the error of a user is
    `Σ_{i∈H} (r̂ᵢ - rᵢ)² / |H| - balance · Σ_{i∈L} likingᵢ · log softmax(scores)ᵢ / |L|`, of the heads that the network
    has; users count by |H|. The scores are made from another list, of which the share `hidden_from_ranking` is hidden.
    Held-out errors are those about the fold, from all the others, with H = L = the fold.

    Source: Liang, Krishnan, Hoffman & Jebara 2018, "Variational autoencoders for collaborative filtering", section 2
    (the multinomial likelihood); the squared error is that of matrix factorisation (Koren 2008).

    Args:
        hidden: the share of a list that is hidden where ratings are to be found, above 0 and below 1.
        hidden_from_ranking: the same where the list is to be ranked, from 0 up to, but without, 1.
        balance: what the ranking counts beside the ratings, above 0.
    """

    hidden: float = 0.3
    hidden_from_ranking: float = 0.15
    balance: float = 0.1

    def __post_init__(self) -> None:
        positive("HiddenRatings", "hidden", share("HiddenRatings", "hidden", self.hidden))
        share("HiddenRatings", "hidden_from_ranking", self.hidden_from_ranking)
        positive("HiddenRatings", "balance", self.balance)

    def errors(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The errors about ratings that are hidden anew each time."""
        first, second, third = subkeys(key, 3)
        lists, learned, _ = _of_batch(network, batch)
        hidden = learned & (uniform(first, lists.items.shape) < self.hidden)
        kept = learned & (uniform(second, lists.items.shape) >= self.hidden_from_ranking)
        return self._assess(network, Task(lists, learned & ~hidden, hidden, kept, learned), state, third)

    def measure(self, network: Any, batch: Batch, *, state: PyTree[Array], key: Array) -> Assessment:
        """The errors about the held-out fold."""
        lists, learned, held_out = _of_batch(network, batch)
        return self._assess(network, Task(lists, learned, held_out, learned, held_out), state, None)

    def _assess(self, network: Any, task: Task, state: PyTree[Array], key: Array | None) -> Assessment:
        lists, rated_from, hidden, ranked_from, wanted = task
        place, also = jnp.clip(lists.items, 0, network.items - 1), {}
        total = jnp.zeros(len(place), lists.ratings.dtype)

        def answers(head: str, shown: Array) -> Array:  # the compiler leaves out the head that is not asked
            inputs = {"items": jnp.where(shown, lists.items, network.items), "ratings": lists.ratings}
            outputs, _ = network(inputs, state=state, key=key, training=key is not None)
            return jnp.split(outputs, len(network.heads), axis=1)[network.heads.index(head)]

        if "rating" in network.heads:
            found = jnp.take_along_axis(answers("rating", rated_from), place, axis=1)
            also["squared_error"] = _mean(jnp.square(found - lists.ratings), hidden)
            total += also["squared_error"]
        if "ranking" in network.heads:
            scores = answers("ranking", ranked_from)
            missed = jax.nn.logsumexp(scores, axis=1, keepdims=True) - jnp.take_along_axis(scores, place, axis=1)
            also["surprise"] = _mean(lists.liking * missed, wanted)
            total += (self.balance if "rating" in network.heads else 1.0) * also["surprise"]
        return Assessment(total, state, also, jnp.sum(hidden, axis=1).astype(total.dtype))


class Task(NamedTuple):
    """What a network is asked about lists: the places that ratings are made from and those whose ratings are asked for,
    then the same for ranks."""

    lists: Lists
    rated_from: Bool[Array, "batch length"]
    hidden: Bool[Array, "batch length"]
    ranked_from: Bool[Array, "batch length"]
    wanted: Bool[Array, "batch length"]


def _mean(values: Float[Array, "batch length"], asked: Bool[Array, "batch length"]) -> Float[Array, " batch"]:
    """The mean of each row over the places that are asked for; 0 where there is none."""
    return jnp.sum(jnp.where(asked, values, 0), axis=1) / jnp.maximum(jnp.sum(asked, axis=1), 1)


def _of_batch(network: Any, batch: Batch) -> tuple[Lists, Bool[Array, "batch length"], Bool[Array, "batch length"]]:
    """The lists of a batch's users, and which of their places are learned from and which are held out."""
    lists = jax.tree.map(lambda leaf: leaf[batch.inputs["user"]], Lists(*batch.shared))
    there = (lists.items >= 0) & (lists.items < network.items)
    held_out = lists.folds == batch.inputs["fold"][:, None]
    return lists, there & ~held_out, there & held_out

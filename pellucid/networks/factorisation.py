"""Recommending by factors: a user's vector made of what that user rated, held against a vector for every item."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks.parts import Part, Parts
from pellucid.nn._checks import whole_number
from pellucid.nn._random import normal, subkeys

HEADS = ("rating", "ranking")
START = 0.1
"""Standard deviation of starting weights: vectors this short leave the first answers to the biases."""
TRUST = 3.0
"""How many ratings of a user count as much as the guess, before the first one, that the user is like all others."""


class Head(eqx.Module):
    """One answer for every item: the vectors of the items that a user met, summed up, against those of all items.

    Args:
        items: how many there are.
        size: length of a vector.
        ratings: whether lists hold ratings; else it only counts what is on them.
        key: the random key for the starting weights.
    """

    seen_weight: Array  # (items, size): what it says of a user to have met an item at all
    liked_weight: Array | None  # (items, size): what it says to have liked it more or less than expected
    user_bias: Array  # (size,): the vector of a user of whom nothing is known
    item_weight: Array  # (items, size)
    item_bias: Array  # (items,)

    def __init__(self, items: int, size: int, *, ratings: bool, key: jax.Array) -> None:
        keys = subkeys(key, 3)
        self.seen_weight, self.item_weight, liked = (START * normal(one, (items, size)) for one in keys)
        self.liked_weight = liked if ratings else None
        self.user_bias, self.item_bias = jnp.zeros(size), jnp.zeros(items)

    def user(self, seen: Array, liked: Array) -> Float[Array, "batch size"]:
        """The vectors of users from what they met (1, else 0) and how much more than expected they liked it."""
        scale = jax.lax.rsqrt(jnp.sum(seen, axis=1, keepdims=True) + 1)
        found = seen @ self.seen_weight
        return self.user_bias + scale * (found if self.liked_weight is None else found + liked @ self.liked_weight)

    def __call__(self, user: Array) -> Float[Array, "batch items"]:
        """An answer for every item."""
        return self.item_bias + user @ self.item_weight.T


class Factorisation(eqx.Module):
    """Ratings, and scores to rank by, of all items for each user, from the list of those that the user rated.

    With N the items on a user's list, r their standardised ratings and d = r - bᵢ - b what exceeds the expectation:
    `p = p₀ + (|N| + 1)^-½ Σ_{i∈N} (yᵢ + dᵢ xᵢ)`, rating = b + bᵢ + p·qᵢ, where b, the user's own mean, is the mean of
    r - bᵢ over the list as if it held `exp(trust_bias)` zeros more. No user has a vector of its own, so that somebody
    new is answered like everybody else, from whatever ratings there are. Scores to rank by have vectors and biases
    of their own; they are logits of a softmax over all items.

    Source: Koren 2008, "Factorization meets the neighborhood", equation 15 without p_u, with the asymmetric term of
    its section 4.1; trained on ratings hidden from the list as in Liang et al. 2018, "Variational autoencoders for
    collaborative filtering".

    Args:
        items: how many items there are, at least 1.
        size: length of a vector, at least 1.
        heads: `("rating",)`, `("ranking",)` or both; the output is (batch, heads · items), head after head.
        key: the random key for the starting weights.

    Raises:
        SettingsError: for a size below 1 or another head.

    Example:
        >>> network = Factorisation(1682, 64, key=jax.random.key(0))  # doctest: +SKIP
        >>> network({"items": [[3, 7, 1682]], "ratings": [[1.2, -0.3, 0.0]]})[0].shape  # doctest: +SKIP
        (1, 3364)
    """

    rating: Head | None
    ranking: Head | None
    trust_bias: Array | None  # (): logarithm of how many ratings the guess of a user's mean counts as much as
    items: int = eqx.field(static=True)
    size: int = eqx.field(static=True)
    heads: tuple[str, ...] = eqx.field(static=True)
    members_in_turn: bool = eqx.field(static=True, default=True)

    def __init__(self, items: int, size: int = 64, *, heads: tuple[str, ...] = HEADS, key: jax.Array) -> None:
        self.items, self.size = (whole_number("Factorisation", name, value)
                                 for name, value in (("items", items), ("size", size)))
        self.heads, self.members_in_turn = tuple(heads), True
        if not heads or any(head not in HEADS for head in heads):
            raise SettingsError(f"`Factorisation` got heads={heads!r}; expected some of {', '.join(HEADS)}.",
                                "pass heads=(\"rating\", \"ranking\")")
        first, second = subkeys(key, 2)
        ratings = "rating" in heads
        self.rating = Head(items, size, ratings=True, key=first) if ratings else None
        self.ranking = Head(items, size, ratings=ratings, key=second) if "ranking" in heads else None
        self.trust_bias = jnp.log(jnp.asarray(TRUST)) if ratings else None

    def initial_state(self) -> tuple[()]:
        """It carries nothing along."""
        return ()

    def __call__(self, inputs: Mapping[str, Array], *, state: Any = None, key: Array | None = None,
                 training: bool = False,
                 weight: Array | None = None) -> tuple[Float[Array, "batch outputs"], tuple[()]]:
        """Answers for every item.

        Args:
            inputs: `"items"` int32 (batch, length): numbers of the rated items; one outside 0 … items - 1 is no item;
                `"ratings"` float (batch, length): their ratings, standardised; 0 where there are only clicks.
            state, key, training, weight: as for every network; nothing depends on them.
        """
        return self.layer_outputs(inputs)["output"], ()

    def layer_outputs(self, inputs: Mapping[str, Array], *, state: Any = None) -> dict[str, Array]:
        """The vectors of the users, `"rating, user"` and `"ranking, user"`, and `"output"`."""
        seen, ratings = self._rows(inputs)
        above, named, answers = ratings, {}, []
        if self.rating is not None:
            above = (ratings - self.rating.item_bias) * seen
            count = jnp.sum(seen, axis=1, keepdims=True)
            own = jnp.sum(above, axis=1, keepdims=True) / (count + jnp.exp(self.trust_bias))
            above = above - own * seen
            named["rating, user"] = self.rating.user(seen, above)
            answers.append(own + self.rating(named["rating, user"]))
        if self.ranking is not None:
            named["ranking, user"] = self.ranking.user(seen, jax.lax.stop_gradient(above))
            answers.append(self.ranking(named["ranking, user"]))
        return named | {"output": jnp.concatenate(answers, axis=1)}

    def _rows(self, inputs: Mapping[str, Array]) -> tuple[Array, Array]:
        """Lists as rows over all items: what was met, and the ratings."""
        items, ratings = jnp.asarray(inputs["items"]), jnp.asarray(inputs["ratings"])
        if items.ndim != 2 or items.shape != ratings.shape:
            raise ShapeError(f"`Factorisation` expected items and ratings (batch, length), got {items.shape} and "
                             f"{ratings.shape}.", "pass one rating for each item")
        dtype = (self.rating or self.ranking).item_bias.dtype
        place = jnp.where((items >= 0) & (items < self.items), items, self.items)
        rows = jnp.arange(len(items))[:, None]
        empty = jnp.zeros((len(items), self.items), dtype)
        return (empty.at[rows, place].set(1, mode="drop"),
                empty.at[rows, place].set(ratings.astype(dtype), mode="drop"))

    def item_vectors(self) -> Float[np.ndarray, "items size"]:
        """What it learned of each item, for a map: by its ranking head if it has one."""
        return np.asarray((self.ranking or self.rating).item_weight)

    def parts(self) -> Parts:
        """The list, then for each head the vector of the user and the answers."""
        rows = [Part("items", "input", self.items * (1 if self.rating is None else 2), kind="embedding")]
        for name in self.heads:
            head: Head = getattr(self, name)
            rows.append(Part(f"{name}, user", "hidden", self.size, arrays={
                "seen_weight": head.seen_weight, "liked_weight": head.liked_weight, "user_bias": head.user_bias},
                depth=1, shape=(self.size,), kind="embedding"))
        for name in self.heads:
            head = getattr(self, name)
            own = {"item_weight": head.item_weight, "item_bias": head.item_bias}
            own |= {"trust_bias": self.trust_bias} if name == "rating" else {}
            rows.append(Part(f"{name}", "output", self.items, arrays=own, depth=2, shape=(self.items,)))
        return Parts(tuple(rows))

    def spec(self) -> dict[str, Any]:
        """Everything but the weights, as JSON values."""
        return {"network": "factorisation", "items": self.items, "size": self.size, "heads": list(self.heads)}

    @classmethod
    def from_spec(cls, spec: dict[str, Any], *, key: jax.Array) -> Factorisation:
        """A new network of this specification, with new starting weights."""
        return cls(spec["items"], spec["size"], heads=tuple(spec["heads"]), key=key)


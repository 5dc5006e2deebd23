"""From ratings to a trained recommender: lists, folds, members, intervals."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import numpy as np

from pellucid.core.keys import run_key
from pellucid.core.sizes import bucket
from pellucid.model.calibration import Calibration
from pellucid.model.history import History
from pellucid.model.recommender import Recommender, Scale
from pellucid.tasks.learn import plan_of, trained_members
from pellucid.tasks.network import build_members
from pellucid.tasks.recommend.plain import PRIOR
from pellucid.tasks.recommend.ratings import MOST_ITEMS, Ratings
from pellucid.training.compiled import enable_disk_cache
from pellucid.training.descent import descent
from pellucid.training.engine import Outcome, Watch, run
from pellucid.training.objectives import HiddenRatings, Lists
from pellucid.training.optimisers import Optimiser
from pellucid.training.plan import Plan, device_data, device_rows
from pellucid.uncertainty.conformal import NumberConformal

LONGEST, SHORTEST, MOST_PLACES = 1024, 64, 30_000_000
"""Longer lists are cut to the newest items; to fewer of them where all lists together would fill the memory."""
DISLIKED = 0.3
"""How much it counts to find an item that a user met and did not like, beside one that was liked."""
NO_FOLD = -2
"""Of places where a list has ended."""
ENOUGH_HELD_OUT = 3000
"""A member leaves out about so many ratings, no more than a fifth and no less than a twentieth of them."""
UPDATES = 900
"""Passes of a training: epochs are as many as it takes."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained recommender and how its training went."""

    model: Recommender
    outcome: Outcome
    plan: Plan


def resolve(given: Mapping[str, Any], ratings: Ratings) -> dict[str, Any]:
    """All settings with every `None` that means "chosen from the data" filled in."""
    users = len(np.unique(ratings.user))
    batch = given["batch_size"] or int(np.clip(2 ** round(np.log2(max(users, 1) / 15)), 16, 256))
    recipe = {"batch_size": batch, "epochs": int(np.clip(UPDATES * batch / max(users, 1), 5, 200)), "members": 5,
              "learning_rate": 3e-3, "weight_decay": 2.0, "schedule": "warm_cosine", "optimiser": "adamw",
              "dropout": 0.3, "hidden": (64,)}
    chosen = dict(given) | {name: value for name, value in recipe.items() if given.get(name) is None}
    return chosen | {"optimiser_options": (("b2", 0.99),) if chosen["optimiser"] == "adamw" else (), "average": 0.99,
                     "folds": num_folds(chosen["members"], len(ratings))}


def num_folds(members: int, ratings: int) -> int:
    """How many folds the ratings are dealt to; each member leaves out one of them."""
    return max(members, int(np.clip(ratings // ENOUGH_HELD_OUT, 5, 20)))


def learn(ratings: Ratings, settings: Mapping[str, Any], watch: Watch | None = None) -> Learned:
    """Train the members, each without its own fold of the ratings, and learn from these how far they are off.

    Args:
        ratings: those to learn from.
        settings: resolved.
        watch: progress, callbacks, checkpoint.
    """
    enable_disk_cache()
    with jax.enable_x64(settings["precision"] == "float64"):
        return _learn(ratings, settings, watch)


def _learn(ratings: Ratings, settings: Mapping[str, Any], watch: Watch | None) -> Learned:
    scale = scale_of(ratings)
    known = min(int(ratings.item.max()) + 1, MOST_ITEMS)
    history = history_of(ratings, scale, known)
    deal = _dealt(history, settings["folds"], settings["seed"])
    longest = int(np.bincount(history.owner[history.places < known], minlength=1).max())
    length = min(bucket(longest), LONGEST, max(MOST_PLACES // len(history.users), SHORTEST))
    lists = _lists(history, scale, deal, length)
    spec = {"network": "factorisation", "items": known, "size": settings["hidden"][0],
            "heads": ["rating", "ranking"] if scale.explicit else ["ranking"]}
    members = _started(build_members(spec, settings["members"], settings["precision"], run_key(settings["seed"])),
                       history, deal)
    optimiser = Optimiser(settings["optimiser"], settings["optimiser_options"], settings["weight_decay"],
                          settings["clip"])
    objective = HiddenRatings(settings["dropout"], settings["dropout"] / 2)
    program, state = descent(members, objective, optimiser, settings["average"])
    learns, judges = _rows(history, deal, settings["members"])
    plan = plan_of(settings, max(map(len, learns)), settings["batch_size"])
    outcome = run(program, state, _data(len(history.users), settings, lists), device_rows(learns, judges), plan, watch)
    model = Recommender(trained_members(spec, program, outcome), history, scale,
                        (ratings.columns.user, ratings.columns.item),
                        Calibration(tuple(range(settings["members"])), coverage=settings["coverage"]), length,
                        settings)
    return Learned(replace(model, calibration=calibrated(model, deal, length)), outcome, plan)


def scale_of(ratings: Ratings) -> Scale:
    """Mean, spread and range of the ratings; from their mean on, they mean liking."""
    if not ratings.explicit:
        return Scale()
    mean, spread = float(ratings.value.mean()), float(ratings.value.std())
    return Scale(str(ratings.columns.rating), mean, max(spread, 1e-9), ratings.low, ratings.high, mean)


def history_of(ratings: Ratings, scale: Scale, known: int) -> History:
    """The lists of all users."""
    return History.of(ratings.users.tolist(), ratings.items.tolist(), known, user=ratings.user, item=ratings.item,
                      ratings=scale.encode(ratings.value), moment=ratings.moment)


def _dealt(history: History, folds: int, seed: int) -> np.ndarray:
    """The fold of each rating of the history, so that each user's are spread over the folds."""
    generator, count = np.random.default_rng(seed), len(history.places)
    order = np.lexsort((generator.random(count), history.owner))
    deal = np.empty(count, np.int32)
    deal[order] = (np.arange(count) + generator.integers(folds)) % folds
    return deal


def _lists(history: History, scale: Scale, deal: np.ndarray, length: int) -> Lists:
    """The padded lists of all users, as every step of training sees them."""
    users = np.arange(len(history.users))
    inputs = history.lists(users, length)
    shape = inputs["items"].shape
    folds, liking = np.full(shape, NO_FOLD, np.int32), np.ones(shape, np.float32)
    for user in users:
        own = np.arange(history.starts[user], history.starts[user + 1])
        own = own[history.places[own] < history.known][-length:]
        folds[user, :len(own)] = deal[own]
    if scale.explicit:
        liking = np.where(scale.center + scale.spread * inputs["ratings"] >= scale.liked, 1.0, DISLIKED)
    return Lists(inputs["items"], inputs["ratings"], liking.astype(np.float32), folds)


def _rows(history: History, deal: np.ndarray, members: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The rows, one for each member and user, by which each member learns and is measured."""
    users, owner, usable = len(history.users), history.owner, history.places < history.known
    learns, judges = [], []
    for member in range(members):
        for rows, mine in ((learns, deal != member), (judges, deal == member)):
            rows.append(member * users + np.unique(owner[usable & mine]))
    return learns, judges


def _data(users: int, settings: Mapping[str, Any], lists: Lists) -> Any:
    """A row for each user and each member, whose number is that of the fold that it leaves out."""
    member, user = np.divmod(np.arange(settings["members"] * users, dtype=np.int32), np.int32(users))
    typed = Lists(lists.items, *(one.astype(settings["precision"]) for one in (lists.ratings, lists.liking)),
                  lists.folds)
    return device_data({"user": user, "fold": member}, (), np.ones(len(user), settings["precision"]), tuple(typed))


def _started(members: Any, history: History, deal: np.ndarray) -> Any:
    """`members` with the biases of the items at their means and at the logarithm of their popularity, by what each
    member learns from."""
    rated, ranked = [], []
    for member in range(len((members.rating or members.ranking).item_bias)):
        kept = (deal != member) & (history.places < history.known)
        count = np.bincount(history.places[kept], minlength=history.known)
        rated.append(_item_means(history, kept, count))
        ranked.append(np.log((count + 0.5) / (count.sum() + 0.5 * len(count))))
    for head, biases in (("rating", rated), ("ranking", ranked)):
        if getattr(members, head) is not None:
            like = getattr(members, head).item_bias
            members = eqx.tree_at(lambda one, head=head: getattr(one, head).item_bias, members,
                                  jax.device_put(np.stack(biases).astype(like.dtype)))
    return members


def _item_means(history: History, kept: np.ndarray, count: np.ndarray, rounds: int = 10) -> np.ndarray:
    """By how much each item is rated above the mean, apart from who rated it."""
    owner, places, ratings = history.owner[kept], history.places[kept], history.ratings[kept].astype(np.float64)
    users = np.bincount(owner, minlength=len(history.users)) + PRIOR
    user, item = np.zeros(len(users)), np.zeros(len(count))
    for _ in range(rounds):
        item = np.bincount(places, ratings - user[owner], len(item)) / (count + PRIOR)
        user = np.bincount(owner, ratings - item[places], len(user)) / users
    return item


def calibrated(model: Recommender, deal: np.ndarray, length: int) -> Calibration:
    """Intervals by the ratings that each member left out, from all the other ratings of the same users."""
    if not model.scale.explicit:
        return model.calibration
    history, folds, residuals = model.history, [], []
    for member in range(len(model.members)):
        out = (deal == member) & (history.places < history.known)
        alone, users = model.members.only([member]), np.unique(history.owner[out])
        shown = _without(history, deal == member)
        for start in range(0, len(users), model.piece):
            own = users[start:start + model.piece]
            rows = np.flatnonzero(out & np.isin(history.owner, own))
            outputs = alone.outputs(shown.lists(own, length))[0]
            found = outputs[np.searchsorted(own, history.owner[rows]), history.places[rows]]
            truth = model.scale.center + model.scale.spread * history.ratings[rows].astype(np.float64)
            residuals.append(truth - model.scale.decode(found))
            folds.append(np.full(len(rows), member))
    if not sum(map(len, residuals)):
        return model.calibration
    conformal = NumberConformal.fit(np.concatenate(residuals), np.concatenate(folds), len(model.members))
    return replace(model.calibration, conformal=conformal)


def _without(history: History, out: np.ndarray) -> History:
    """The history without some of its ratings."""
    counts = np.bincount(history.owner[~out], minlength=len(history.users))
    return replace(history, starts=np.concatenate([[0], np.cumsum(counts)]), places=history.places[~out],
                   ratings=history.ratings[~out])

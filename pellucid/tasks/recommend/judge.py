"""How good ratings and lists are on pairs that nothing was learned from, beside plain methods on the same pairs."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pellucid.model.compare import Difference, paired_difference
from pellucid.model.metrics import measure
from pellucid.model.ranking import AT, list_quality, shown_share, top_items
from pellucid.model.recommender import Recommender, seen_mask
from pellucid.report.result import Contender
from pellucid.tasks.recommend.plain import LABELS, Plain, fit_plain
from pellucid.tasks.recommend.ratings import Ratings

RESAMPLES = 2000
MOST_USERS = 4000
"""Users whose lists are judged; of more, so many are drawn."""
PIECE = 256


@dataclass(frozen=True, eq=False)
class Split:
    """Which ratings are learned from, and which are the test."""

    train: np.ndarray
    test: np.ndarray


def split(ratings: Ratings, share: float, seed: int, by_time: bool) -> Split:
    """A share of each user's ratings is the test: drawn at random, or the newest; one is always learned from."""
    order = np.random.default_rng(seed).random(len(ratings)) if not by_time else ratings.moment
    ranked = np.lexsort((np.arange(len(ratings)), order, ratings.user))
    counts = np.bincount(ratings.user, minlength=len(ratings.users))
    # what a share leaves of a rating is rounded by chance, so that users with few are in the test too
    chance = np.random.default_rng(seed + 1).random(len(counts))
    held = np.minimum(np.floor(counts * share + chance).astype(int), np.maximum(counts - 1, 0))
    place = np.arange(len(ratings)) - np.repeat(np.cumsum(counts) - counts, counts)
    test = np.zeros(len(ratings), bool)
    test[ranked] = place >= np.repeat(counts - held, counts)
    return Split(np.flatnonzero(~test), np.flatnonzero(test))


@dataclass(eq=False)
class Evidence:
    """What network and plain methods say about the test.

    Args:
        test: its ratings.
        users: numbers of the users in it.
        rated: ratings of the pairs by the name of the method; the network is `"network"`.
        tops: (users, 10) lists by name; -1 where nothing is left.
        liked: bool (users, known items): what users liked in the test and had not met before.
        lower, upper: the network's intervals.
        seconds, labels, choices: of the plain methods.
    """

    test: Ratings
    users: np.ndarray
    liked: np.ndarray
    rated: dict[str, np.ndarray] = field(default_factory=dict)
    tops: dict[str, np.ndarray] = field(default_factory=dict)
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)

    def quality(self, name: str) -> np.ndarray:
        """(2, users): recall and NDCG of each user's list, NaN where nothing was liked."""
        return np.stack(list_quality(self.tops[name], self.liked))

    def metrics(self, name: str) -> dict[str, float | None]:
        """All metrics of one method; `None` for what it does not answer."""
        found: dict[str, float | None] = {"rmse": None, "mae": None, "recall_at_10": None, "ndcg_at_10": None,
                                          "coverage_at_10": None}
        if name in self.rated:
            found |= {one: measure(one, self.test.value, self.rated[name]) for one in ("rmse", "mae")}
        if name in self.tops and self.liked.any():
            recall, gain = np.nanmean(self.quality(name), axis=1)
            found |= {"recall_at_10": float(recall), "ndcg_at_10": float(gain),
                      "coverage_at_10": shown_share(self.tops[name], self.liked.shape[1])}
        return found if self.rated else {one: value for one, value in found.items() if one not in ("rmse", "mae")}

    def contender(self, name: str, label: str, seconds: float) -> Contender:
        """A method with its metrics."""
        return Contender(name, label, self.metrics(name), seconds)

    @property
    def plain(self) -> tuple[Contender, ...]:
        """The plain methods."""
        return tuple(self.contender(name, LABELS[name], self.seconds[name]) for name in self.labels)


def judge(model: Recommender, train: Ratings, test: Ratings, *, plain: bool = True) -> Evidence:
    """Ask the network, and plain methods fitted on `train`, about the test."""
    known = model.history.known
    users = np.unique(test.user)
    if len(users) > MOST_USERS:
        users = np.sort(np.random.default_rng(model.settings["seed"]).choice(users, MOST_USERS, replace=False))
    seen = seen_mask([model.history.list_of(one)[0] for one in users], known)
    liked = np.zeros_like(seen)
    wanted = (test.value >= model.scale.liked) & (test.item < known) & np.isin(test.user, users)
    liked[np.searchsorted(users, test.user[wanted]), test.item[wanted]] = True
    evidence = Evidence(test, users, liked & ~seen)
    _ask_network(evidence, model, seen)
    for one in fit_plain(train, known, model.scale.liked, model.settings["seed"]) if plain else ():
        _ask_plain(evidence, one, seen)
    return evidence


def _ask_network(evidence: Evidence, model: Recommender, seen: np.ndarray) -> None:
    test, known = evidence.test, model.history.known

    def scores(users: np.ndarray) -> np.ndarray:
        return model.answers(model.history.lists(users, model.length))[1]

    evidence.tops["network"] = _tops(scores, evidence.users, seen)
    if not model.scale.explicit:
        return
    members, _ = model.pairs(test.user, np.where(test.item < known, test.item, -1))
    evidence.rated["network"] = members.mean(axis=0)
    if model.calibration.conformal is not None:
        ends = model.calibration.conformal.intervals(model.calibration.by_fold(members), model.calibration.coverage,
                                                     evidence.rated["network"])
        evidence.lower, evidence.upper = (model.scale.within(end) for end in ends)


def _ask_plain(evidence: Evidence, method: Plain, seen: np.ndarray) -> None:
    test, name = evidence.test, method.name
    evidence.seconds[name], evidence.labels[name] = method.seconds, method.label
    evidence.choices[name] = method.choice
    if method.rate is not None:
        evidence.rated[name] = np.clip(method.rate(test.user, test.item), test.low, test.high)
    if method.rank is not None:
        evidence.tops[name] = _tops(method.rank, evidence.users, seen)


def _tops(scores: Callable[[np.ndarray], np.ndarray], users: np.ndarray, seen: np.ndarray) -> np.ndarray:
    pieces = [top_items(scores(users[start:start + PIECE]), seen[start:start + PIECE], AT)
              for start in range(0, len(users), PIECE)]
    return np.concatenate(pieces) if pieces else np.zeros((0, AT), np.int64)


def compare_ratings(evidence: Evidence) -> tuple[str, Difference] | None:
    """The best plain method by RMSE, and the network against it; users are drawn anew, with all their ratings."""
    errors = {name: measure("rmse", evidence.test.value, values) for name, values in evidence.rated.items()}
    errors.pop("network", None)
    known: Mapping[str, float] = {name: value for name, value in errors.items() if value is not None}
    if not known:
        return None
    best = min(known, key=known.__getitem__)
    found = paired_difference("rmse", evidence.test.value, evidence.rated["network"], evidence.rated[best],
                              groups=evidence.test.user)
    return (best, found) if found else None


def compare_lists(evidence: Evidence, seed: int = 0) -> tuple[str, Difference] | None:
    """The same by NDCG of the lists, over the users who liked something in the test."""
    gains = {name: evidence.quality(name)[1] for name in evidence.tops}
    judged = np.isfinite(gains["network"])
    if judged.sum() < 2 or len(gains) < 2:
        return None
    means = {name: float(values[judged].mean()) for name, values in gains.items()}
    own = means.pop("network")
    best = max(means, key=means.__getitem__)
    gap = (gains["network"] - gains[best])[judged]
    drawn = np.random.default_rng(seed).integers(0, len(gap), (RESAMPLES, len(gap)))
    low, high = np.quantile(gap[drawn].mean(axis=1), (0.025, 0.975))
    return best, Difference("ndcg_at_10", own, means[best], own - means[best], float(low), float(high), len(gap))

"""What only a report about recommending shows: lists of some users, whom popularity serves, a map of the items."""
from __future__ import annotations

import numpy as np

from pellucid.model.recommender import Recommender
from pellucid.report import words
from pellucid.report.canvas import BLUE, FAINT, GREEN, INK, ORANGE, VERMILION, drawing
from pellucid.report.figures import short
from pellucid.report.result import Chart, Grid, Section
from pellucid.tasks.recommend.judge import Evidence
from pellucid.tasks.recommend.plain import LABELS
from pellucid.tasks.recommend.ratings import Ratings

EXAMPLES = 4
LINES = 6
"""Items of a user's history and list that are shown."""
MAPPED = 400
NAMED = 24
GROUPS = 5
"""Groups of items by popularity, each with as many ratings as the next."""
FEW = 30


def sections(train: Ratings, model: Recommender, evidence: Evidence | None) -> tuple[Section, ...]:
    """All that there is to show."""
    found = []
    if evidence is not None and len(evidence.users):
        found += [_examples(train, model, evidence), _popularity(train, model, evidence)]
        if "network" in evidence.rated and len(evidence.rated) > 1:
            found.append(_by_count(train, evidence))
    if model.history.known >= 5:
        found.append(_map(model))
    return tuple(found)


def _examples(train: Ratings, model: Recommender, evidence: Evidence) -> Section:
    """Users of different history lengths: what they liked most, and what they are told."""
    counts = np.bincount(train.user, minlength=len(train.users))[evidence.users]
    order = np.argsort(counts, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(EXAMPLES + 2, len(order))).round().astype(int)][1:-1] \
        if len(order) > EXAMPLES else order
    grids = []
    for place in dict.fromkeys(chosen.tolist()):
        user = evidence.users[place]
        rows = np.flatnonzero(train.user == user)
        rows = rows[np.lexsort((train.item[rows], -train.value[rows]))][:LINES]
        top = evidence.tops["network"][place][:LINES]
        liked = [short(train.items[train.item[row]], 40) + (f" ({train.value[row]:g})" if train.explicit else "")
                 for row in rows]
        told = [short(train.items[item], 40) if item >= 0 else "" for item in top]
        hits = ["yes" if item >= 0 and evidence.liked[place, item] else "" for item in top]
        height = max(len(liked), len(told))
        pad = lambda cells, height=height: cells + [""] * (height - len(cells))  # noqa: E731
        lines = zip(map(str, range(1, height + 1)), pad(liked), pad(told), pad(hits), strict=True)
        grids.append(Grid(f"{train.columns.user} {short(train.users[user], 40)}, "
                          f"{words.count(int(counts[place]), 'rating' if train.explicit else 'click')} before",
                          ("", "liked most before" if train.explicit else "met before", "the network's list",
                           "liked in the test"), tuple(lines), (0,)))
    return Section("Lists for some users", (
        "Whether an item of a list was liked in the test is known only for those that the user rated; the others may "
        "be liked as well.",), grids=tuple(grids))


def _popularity(train: Ratings, model: Recommender, evidence: Evidence) -> Section:
    """Which shares of lists go to popular items, beside what users liked in the test."""
    known = model.history.known
    counts = np.bincount(train.item, minlength=known)[:known]
    order = np.argsort(-counts, kind="stable")
    group = np.empty(known, int)
    group[order] = np.minimum((np.cumsum(counts[order]) - counts[order]) * GROUPS // max(counts.sum(), 1), GROUPS - 1)
    sizes = np.bincount(group, minlength=GROUPS)
    shares = {"liked in the test": np.bincount(group, evidence.liked.sum(axis=0), GROUPS)}
    for name, label in (("network", "this network"), ("item_neighbours", LABELS["item_neighbours"]),
                        ("popularity", LABELS["popularity"])):
        if name in evidence.tops:
            items = evidence.tops[name]
            shares[label] = np.bincount(group[items[items >= 0]], minlength=GROUPS)
    with drawing("popularity", 5.2, 2.9) as drawn:
        axes, width = drawn.axes, 0.8 / len(shares)
        for place, ((label, values), colour) in enumerate(zip(shares.items(), (FAINT, BLUE, GREEN, ORANGE),
                                                               strict=False)):
            axes.bar(np.arange(GROUPS) + (place - len(shares) / 2 + 0.5) * width,
                     100 * values / max(values.sum(), 1), width, color=colour, label=label)
        axes.set_xticks(range(GROUPS), [f"{size:,} items" for size in sizes])
        axes.set(xlabel="groups of items with equally many ratings, the most popular first", ylabel="share, %")
        axes.legend(loc="upper right")
    own = shares["this network"] / max(shares["this network"].sum(), 1)
    reading = ("A method that only names what is popular fills the first group; bars near the grey ones serve tastes "
               "as they are.")
    return Section("Popular and rare items", (
        f"{words.percent(float(own[0]))} of what the network lists are among the {sizes[0]:,} most popular items, "
        "which hold a fifth of all ratings.",),
        charts=(Chart("Whom the lists serve", drawn.svg, "Bars: the share of lists that goes to items of each group of "
                      "popularity, for network and plain methods, beside what users liked in the test.", reading),))


def _by_count(train: Ratings, evidence: Evidence) -> Section:
    """The error of ratings by how many ratings of the user, and of the item, were learned from."""
    charts = []
    for word, numbers, total in (("user", "user", len(train.users)), ("item", "item", len(train.items))):
        counts = np.bincount(getattr(train, numbers), minlength=total)[getattr(evidence.test, numbers)]
        edges = np.unique(np.quantile(counts, np.linspace(0, 1, 7)).round())
        if len(edges) < 3:
            continue
        bins = np.clip(np.searchsorted(edges, counts, side="right") - 1, 0, len(edges) - 2)
        with drawing(f"by-{word}", 4.0, 2.8) as drawn:
            for name, label, colour in (("network", "this network", BLUE),
                                        ("item_neighbours", LABELS["item_neighbours"], GREEN),
                                        ("user_and_item_means", LABELS["user_and_item_means"], VERMILION)):
                if name in evidence.rated:
                    square = (evidence.rated[name] - evidence.test.value) ** 2
                    size = np.bincount(bins, minlength=len(edges) - 1)
                    error = np.sqrt(np.bincount(bins, square, len(edges) - 1) / np.maximum(size, 1))
                    drawn.axes.plot(np.arange(len(edges) - 1), np.where(size >= FEW, error, np.nan), "o-", color=colour,
                                    markersize=4, label=label)
            names = [f"{low:g}–{high:g}" for low, high in zip(edges[:-1], edges[1:], strict=True)]
            drawn.axes.set_xticks(range(len(names)), names)
            drawn.axes.set(xlabel=f"ratings of the {word} that were learned from", ylabel="RMSE")
            drawn.axes.legend(loc="upper right")
        charts.append(Chart(f"Error by the {word}'s number of ratings", drawn.svg,
                            f"Lines: RMSE on the test by how many ratings of the {word} were learned from.",
                            "Lines that fall to the right say that more ratings help; where they start is what to "
                            f"expect for a new {word}."))
    return Section("Error by number of ratings", charts=tuple(charts))


def _map(model: Recommender) -> Section:
    """What the networks learned of the items, in two dimensions: principal components of their vectors."""
    shown = min(MAPPED, model.history.known)
    vectors = model.members.network().item_vectors()[:shown].astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    centred = vectors - vectors.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    places = left[:, :2] * size[:2] if len(size) > 1 else np.zeros((shown, 2))
    with drawing("map", 6.4, 5.0) as drawn:
        drawn.axes.plot(places[:, 0], places[:, 1], "o", color=BLUE, markersize=3, alpha=0.5, markeredgewidth=0)
        for item in _apart(places, NAMED):
            drawn.axes.annotate(short(model.history.items[item], 22), places[item], fontsize=7, color=INK,
                                xytext=(2, 2), textcoords="offset points")
        drawn.axes.set(xticks=[], yticks=[], xlabel="first component", ylabel="second component")
    share = float((size[:2] ** 2).sum() / max((size**2).sum(), 1e-12))
    return Section("A map of the items", (), charts=(Chart(
        "What the network finds alike", drawn.svg, f"The {shown} most popular items as points in a plane.",
        f"The {shown:,} items with most ratings; those that the network finds alike lie near each other. The plane "
        f"holds {words.percent(share)} of the differences between them."),))


def _apart(places: np.ndarray, count: int) -> list[int]:
    """Popular items that lie apart from each other, so that their names can be read."""
    spread = np.ptp(places, axis=0).max() if len(places) else 0.0
    chosen: list[int] = []
    for item in range(len(places)):
        if all(np.abs(places[item] - places[one]).max() > 0.05 * spread for one in chosen):
            chosen.append(item)
        if len(chosen) == count:
            break
    return chosen

"""What a recommender was worth, in words, numbers and drawings."""
from __future__ import annotations

import datetime
from dataclasses import dataclass

from pellucid.core.note import Note
from pellucid.model.compare import Difference
from pellucid.model.recommender import Recommender
from pellucid.report import words
from pellucid.report.evidence import number_promise
from pellucid.report.result import Contender, Promise, Result, Verdict
from pellucid.tasks.job import Finished, Order
from pellucid.tasks.recommend.judge import Evidence, compare_lists, compare_ratings
from pellucid.tasks.recommend.learn import Learned
from pellucid.tasks.recommend.plain import LABELS
from pellucid.tasks.recommend.ratings import Ratings
from pellucid.tasks.recommend.sections import sections
from pellucid.tasks.telling import cost_of, curve_of, metrics_of_run, picture_of, versions


@dataclass(frozen=True, eq=False)
class Story:
    """All that is known at the end of a run.

    Args:
        order: what was asked for.
        ratings: all of them; `train` those that were learned from.
        model: as it is kept.
        learned: how training went.
        evidence: on the test; `None` where there is none.
    """

    order: Order
    ratings: Ratings
    train: Ratings
    model: Recommender
    learned: Learned
    evidence: Evidence | None


def tell(story: Story) -> Finished:
    """The model with its metrics, and everything the report shows."""
    order, model, evidence, outcome = story.order, story.model, story.evidence, story.learned.outcome
    seconds = outcome.seconds + outcome.compile_seconds
    network = Contender("network", "this network", {}, seconds) if evidence is None else evidence.contender(
        "network", "this network", seconds)
    plain = () if evidence is None else evidence.plain
    promise = _promise(story)
    metric = "rmse" if model.scale.explicit else "ndcg_at_10"
    target = model.scale.name or "clicks"
    result = Result(
        title=f"{order.table.source} → {model.columns[1]} for {model.columns[0]}", task="recommend", target=target,
        verdict=_verdict(story, network, promise), metric=metric,
        rows={"train": len(story.train), "test": 0 if evidence is None else len(evidence.test)}, network=network,
        baselines=plain, tested=_tested(story), promise=promise,
        curve=curve_of(outcome, "squared error and surprise" if model.scale.explicit else "surprise"),
        picture=picture_of(model), sections=sections(story.train, model, evidence),
        notes=(*order.notes, *story.ratings.notes, *_choices(evidence)), cost=cost_of(
            outcome, order.stages, story.learned.plan.batch_size), settings=model.settings, command=order.command,
        versions=versions(), created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    metrics = metrics_of_run(result) | {"recommend": {
        "users": len(story.ratings.users), "items": len(story.ratings.items), "liked_from": model.scale.liked,
        "scale": [model.scale.low, model.scale.high]}}
    about = {"versions": versions(), "created": result.created, "data": order.table.source, "rows": dict(result.rows)}
    return Finished(model.with_metrics(metrics, about), result, metrics, outcome.history, outcome.ending,
                    model.settings)


def _tested(story: Story) -> str:
    if story.evidence is None:
        return "No ratings were kept for a test."
    share = words.percent(story.order.settings["test_size"])
    which = "the newest" if story.ratings.columns.time else "drawn at random"
    liked = "" if not story.model.scale.explicit else (
        f" A list is right about an item that its user rated {words.number(story.model.scale.liked)}, the mean, or "
        "better in the test.")
    return (f"{share} of the ratings of each user, {which}, are the test; nothing was learned or chosen from them. "
            f"Lists leave out what the user had rated before.{liked}")


def _promise(story: Story) -> Promise | None:
    evidence = story.evidence
    if evidence is None or evidence.lower is None:
        return None
    return number_promise(evidence.lower, evidence.upper, evidence.test.value, story.model.calibration.coverage)


def _choices(evidence: Evidence | None) -> list[Note]:
    chosen = "" if evidence is None else evidence.choices.get("item_neighbours", "")
    return [Note("neighbours", f"For the method of neighbours were chosen: {chosen}.")] if chosen else []


def _verdict(story: Story, network: Contender, promise: Promise | None) -> Verdict:
    if story.evidence is None:
        return Verdict("alone", ("The network could not be compared with a plain method: there is no test.",))
    ratings = compare_ratings(story.evidence) if story.model.scale.explicit else None
    lists = compare_lists(story.evidence)
    told = [(best, found, _comparison(best, found)) for best, found in (one for one in (ratings, lists) if one)]
    if not told:
        return Verdict("alone", ("The network could not be compared with a plain method on these ratings.",))
    best, first, sentence = told[0]
    return Verdict(first.outcome, (sentence, *(one[2] for one in told[1:]), *_meaning(network, promise)), best, first)


def _comparison(best: str, found: Difference) -> str:
    """One comparison; the first one is about ratings where there are some."""
    ratings = found.metric == "rmse"
    what, name = ("ratings", "RMSE") if ratings else ("lists", "NDCG@10")
    measured = (f"{name} {words.fixed(found.first, 4)} against {words.fixed(found.second, 4)} for "
                f"{words.count(found.rows, 'user')}")
    interval = f"95 % interval of the difference {words.fixed(found.low, 4)} to {words.fixed(found.high, 4)}"
    label = LABELS[best]
    if found.outcome == "beats":
        return f"The network beats the best plain method for {what}, {label}: {measured} ({interval})."
    if found.outcome == "worse":
        return (f"The network does not beat the best plain method for {what}: {label} is better. {measured} "
                f"({interval}).")
    return (f"The network does not clearly beat the best plain method for {what}, {label}; they are on par: {measured} "
            f"({interval}).")


def _meaning(network: Contender, promise: Promise | None) -> list[str]:
    """How good that is for somebody who knows no metric."""
    said, found = [], network.metrics
    if found.get("rmse") is not None:
        said.append(f"Its typical error for a rating (root mean squared) is {words.number(found['rmse'], 3)}.")
    if found.get("recall_at_10") is not None:
        said.append(f"A list of ten items holds {words.percent(found['recall_at_10'])} of what its user liked in the "
                    f"test; all lists together show {words.percent(found['coverage_at_10'])} of the items.")
    if promise is not None and not promise.infinite:
        said.append(f"Its intervals, made to hold the true rating {words.percent(promise.promised)} of the time, held "
                    f"it for {words.percent(promise.measured)} of the test ratings; they are "
                    f"{words.number(promise.size, 3)} wide on average.")
    return said

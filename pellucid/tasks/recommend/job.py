"""`pellucid.train` for recommending: read ratings, learn, judge on ratings kept apart, and tell."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.errors import SettingsError
from pellucid.model.recommender import Recommender
from pellucid.tasks.job import Finished, Job, Order
from pellucid.tasks.recommend.columns import recognise
from pellucid.tasks.recommend.judge import judge, split
from pellucid.tasks.recommend.learn import history_of, learn, resolve
from pellucid.tasks.recommend.ratings import Ratings, read_ratings
from pellucid.tasks.recommend.telling import Story, tell


def run(order: Order) -> Finished:
    """Train and judge; see `Job`."""
    _refuse(order)
    with order.stages.timed("reading"):
        ratings = read_ratings(order.table, order.target, order.settings)
        train, test = _divided(ratings, order)
    with order.stages.timed("training"):
        learned = learn(train, resolve(order.settings, train), order.watch)
    model = _with_all(learned.model, ratings)
    order.keep(model)
    evidence = None
    if len(test):
        with order.stages.timed("judging"):
            try:
                evidence = judge(learned.model, train, test, plain=learned.outcome.ending != "interrupted")
            except KeyboardInterrupt:  # the model is kept; it is told without its quality
                evidence = None
    return tell(Story(order, ratings, train, model, learned, evidence))


def _refuse(order: Order) -> None:
    if order.settings["learning_rate"] == "find":
        raise SettingsError("`learning_rate` was 'find', which a recommender cannot do.", "pass a number")
    if order.settings["optimiser"] == "lbfgs":
        raise SettingsError("`optimiser` was 'lbfgs', which needs all rows at once and no chance in training.",
                            "leave it out")


def _divided(ratings: Ratings, order: Order) -> tuple[Ratings, Ratings]:
    share = order.settings["test_size"]
    if not share:
        return ratings, ratings.take(np.zeros(0, np.int64))
    parts = split(ratings, share, order.settings["seed"], ratings.columns.time is not None)
    return ratings.take(parts.train), ratings.take(parts.test)


def _with_all(model: Recommender, ratings: Ratings) -> Recommender:
    """The model that remembers the ratings of the test too: nothing is learned from them, but what users rated there
    is left out of their lists and counts for what they are told."""
    return replace(model, history=history_of(ratings, model.scale, model.history.known))


RECOMMEND = Job("recommend", run, recognise)

"""What forecasts, recommendations, anomalies and identities are explained by, on stand-ins whose reasons are known."""
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from pellucid.data.panel import Clock, Roles, Series
from pellucid.data.windows import Frame
from pellucid.errors import SettingsError
from pellucid.explain.shapley import exact_shapley
from pellucid.features.between import between, step_groups
from pellucid.features.inputs import Inputs
from pellucid.features.types import Number
from pellucid.model import detect_questions, forecast_questions, verify_questions
from pellucid.model.history import History
from pellucid.model.recommender import Recommender, Scale
from pellucid.model.verifier import Gallery

DAY = 86_400.0


def forecaster(answer, length=6, calendar=("week",)):
    """A forecaster whose network is `answer`, from windows to their values (windows, horizon)."""
    frame = Frame(length, 2, calendar, False, 1.0)
    clock = Clock("seconds", DAY, 0.0, True)
    times = DAY * np.arange(9)
    series = Series("sales", times, np.array([5.0, 5, 5, 1, 2, 4, 8, 16, 32]), np.ones(9, bool))
    return SimpleNamespace(frame=frame, clock=clock, roles=Roles("day", "sales"), read=lambda data: ((series,), []),
                           answer=lambda windows: (answer(windows),))


def raw_values(windows):
    return windows.past * windows.scale[:, None] + windows.level[:, None]


def test_a_forecast_is_explained_by_moments_and_the_calendar():
    model = forecaster(lambda windows: np.stack([
        3 * raw_values(windows)[:, -1] + raw_values(windows)[:, 0], windows.calendar[:, 0]], axis=1))
    question, = forecast_questions.questions(model, None)
    game = question.game
    assert [str(part) for part in game.parts] == [
        "1970-01-04 = 1", "1970-01-05 = 2", "1970-01-06 = 4", "1970-01-07 = 8", "1970-01-08 = 16", "1970-01-09 = 32",
        "day of week = 1970-01-10"]
    assert game.parts[0].place == (3, 4) and question.prediction == game.whole == pytest.approx(97)
    assert game.empty == pytest.approx(4 * 63 / 6) and "1970-01-10" in game.unit
    found = exact_shapley(game)
    assert found.contributions[5] == found.contributions.max() and found.contributions[6] == pytest.approx(0)
    assert found.contributions.sum() == pytest.approx(game.difference)

    second, = forecast_questions.questions(model, None, 2)
    only = exact_shapley(second.game).contributions
    np.testing.assert_allclose(only[:6], 0, atol=1e-12)
    assert only[6] == pytest.approx(second.game.whole) and "1970-01-11" in second.game.unit
    with pytest.raises(SettingsError, match="forecasts step 1 to 2"):
        next(forecast_questions.questions(model, None, 3))


def test_long_windows_are_explained_by_groups_of_moments():
    assert step_groups(24).tolist() == list(range(24))
    groups = step_groups(100)
    assert groups[0] == 0 and groups.max() < 24
    assert (np.bincount(groups)[1:] == 5).all() and (np.diff(groups) >= 0).all()
    kept = np.random.default_rng(0).random((50, 9)) < 0.4
    values = np.random.default_rng(1).normal(size=9)
    for known, filled in zip(kept, between(values, kept), strict=True):
        places = np.flatnonzero(known)
        wanted = np.interp(np.arange(9), places, values[places]) if len(places) else np.full(9, values.mean())
        np.testing.assert_allclose(filled, wanted)


def recommender(explicit=True):
    """Scores are known sums over the list."""
    history = History.of(["Ada", "Bob"], ["Alien", "Heat", "Up"], 3, user=np.array([0, 0]), item=np.array([0, 1]),
                         ratings=np.array([1.0, -1.0], np.float32), moment=np.arange(2))
    taste = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.2], [0.0, 0.0, 0.0]])

    def outputs(inputs):
        there = np.eye(4)[inputs["items"]][:, :, :3] * (1 + inputs["ratings"])[..., None]
        logits = there.sum(axis=1) @ taste
        return np.concatenate([logits, logits], axis=1)[None] if explicit else logits[None]
    members = SimpleNamespace(outputs=outputs)
    scale = Scale("stars", 3.0, 1.0, 1.0, 5.0, 4.0) if explicit else Scale()
    return Recommender(members, history, scale, ("user", "film"), None, 5)


def test_a_rating_is_explained_by_past_ratings():
    model = recommender()
    question, = model.questions([{"user": "Ada", "film": "Up"}])
    game = question.game
    assert [str(part) for part in game.parts] == ["Alien = 4", "Heat = 2"] and game.unit == "rating of “Up”"
    assert game.whole == question.prediction == pytest.approx(4.0) and game.empty == pytest.approx(3.0)
    np.testing.assert_allclose(exact_shapley(game).contributions, [1.0, 0.0], atol=1e-6)


def test_a_place_on_a_list_is_explained_too_and_an_item_can_be_named():
    model = recommender()
    question, = model.questions(pl.DataFrame({"user": ["Ada"]}))
    assert question.prediction == "Up" and question.game.percent and "heads the list" in question.notes[0]
    assert question.game.whole == pytest.approx(np.e / (np.e + 2)) and question.game.empty == pytest.approx(1 / 3)
    named, = model.questions(pl.DataFrame({"user": ["Ada"]}), asked="Heat")
    assert named.game.unit == "rating of “Heat”"
    nobody, = model.questions([{"user": "Cleo", "film": "Up"}])
    assert len(nobody.game) == 0 and nobody.game.whole == nobody.game.empty and "Nothing is known" in nobody.notes[0]
    with pytest.raises(SettingsError, match="nobody rated in training"):
        next(model.questions([{"user": "Ada"}], asked="Alein"))
    with pytest.raises(SettingsError, match="not held against another"):
        next(model.questions([{"user": "Ada"}], instead_of="Up"))
    clicks, = recommender(explicit=False).questions([{"user": "Ada", "film": "Up"}])
    assert [str(part) for part in clicks.game.parts] == ["Alien", "Heat"] and clicks.game.percent


def columns(names, rows, generator):
    frame = {name: generator.normal(size=rows).tolist() for name in names}
    features = tuple(Number.fit(name, pl.Series(name, values)) for name, values in frame.items())
    return frame, features


class Table(dict):
    """Just enough of a table."""

    names = property(tuple)

    def column(self, name):
        return pl.Series(name, self[name])

    def __len__(self):
        return len(next(iter(self.values())))


def encoded(features, table):
    numbers = np.concatenate([feature.encode(table.column(feature.name)).numbers for feature in features], axis=1)
    return {"numbers": numbers, "codes": np.zeros((len(numbers), 0), np.int32)}


def test_strangeness_is_explained_by_columns():
    frame, features = columns(["length", "mass"], 200, np.random.default_rng(0))
    table = Table({"length": [0.1, 0.1], "mass": [0.2, 9.0]})

    class Ranks:
        @staticmethod
        def p_values(scores):
            return np.where(scores[0] > 4, 0.001, 0.5)
    model = SimpleNamespace(features=features, columns=("length", "mass"), ranks=Ranks, false_alarms=0.01,
                            scores=lambda rows: (np.abs(rows["numbers"]).max(axis=1)[None], None))
    normal, strange = detect_questions.questions(model, table, encoded(features, table))
    assert (normal.prediction, strange.prediction) == ("normal", "anomaly")
    found = exact_shapley(strange.game).contributions
    assert [part.name for part in strange.game.parts] == ["length", "mass"] and found[1] > 0.9 * found.sum() > 5


def test_likeness_to_one_identity_is_held_against_another():
    _, features = columns(["eyes", "mouth"], 200, np.random.default_rng(0))
    table = Table({"eyes": [1.0], "mouth": [0.0]})
    gallery = Gallery(("Ada", "Bob", "Cleo"), np.eye(3, dtype=np.float32)[[0, 1, 2]], np.arange(3))
    arrays = encoded(features, table)

    def vectors(rows):
        return np.concatenate([rows["numbers"], np.zeros((len(rows["numbers"]), 1))], axis=1)
    model = SimpleNamespace(features=features, gallery=gallery, threshold=0.5, vectors=vectors,
                            recognise=lambda inputs: (np.array([0]), np.array([0.9])))
    inputs = Inputs(arrays, np.zeros((1, 2), bool))
    question, = verify_questions.questions(model, table, inputs)
    assert question.prediction == question.asked == "Ada" and question.instead_of == "Bob"
    assert "“Ada” less that to “Bob”" in question.game.unit
    ends = gallery.scores(vectors(arrays))[0]
    assert question.game.whole == pytest.approx(ends[0] - ends[1])
    found = exact_shapley(question.game).contributions
    assert found[0] > abs(found[1])
    other, = verify_questions.questions(model, table, inputs, asked="Bob", instead_of="Cleo")
    assert (other.asked, other.instead_of) == ("Bob", "Cleo")
    with pytest.raises(SettingsError, match="not enrolled"):
        next(verify_questions.questions(model, table, inputs, asked="Dan"))

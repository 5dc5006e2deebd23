"""What matters overall: influence, effects and interactions of functions whose answers are known."""
from __future__ import annotations

import numpy as np
import pytest

from pellucid.explain import gradients
from pellucid.explain import overall as module
from pellucid.explain.game import Question, game_of
from pellucid.explain.overall import asked, influence, interactions, level_effect, scale_effect
from pellucid.report.overall import effects_section

ROWS = 400
CELLS = {name: np.random.default_rng(place).uniform(-1, 1, ROWS) for place, name in enumerate(("a", "b", "idle"))}


def answers_of(function):
    """Answers (rows, 1) of a function of the three columns."""
    def answers(origins):
        return function(**{name: cells[origins.get(name, np.arange(ROWS))] for name, cells in CELLS.items()})[:, None]
    return answers


def test_influence_is_the_mean_size_of_contributions_with_an_interval():
    weights = np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 3.0, 0.0]
    questions = [Question(game_of(("a", "b", "idle"), lambda keep, own=own: keep @ own), row, 0.0)
                 for row, own in enumerate(weights)]
    found = influence(questions, ("a", "b", "idle"))
    assert found.columns == ("b", "a", "idle") and found.method == "shapley" and found.rows == 60
    assert found.mean == pytest.approx(np.abs(weights).mean(axis=0)[[1, 0, 2]])
    assert np.all(found.low <= found.mean) and np.all(found.mean <= found.high) and found.low[0] > found.high[1]
    assert influence([], ("a",)) is None and asked(questions[0].game) == 24 and module.STEPS == gradients.STEPS


def test_effect_of_a_number_is_its_own_share_of_the_answer():
    effect = scale_effect(answers_of(lambda a, b, idle: 2 * a + b), "a", CELLS["a"])
    slope = np.polyfit(effect.positions, effect.mean, 1)[0]
    assert effect.ordered and slope == pytest.approx(2, rel=1e-6)
    assert np.all(effect.low <= effect.mean + 1e-9) and np.all(effect.mean <= effect.high + 1e-9)
    flat = scale_effect(answers_of(lambda a, b, idle: 2 * a + b), "idle", CELLS["idle"])
    assert flat.range == pytest.approx(0, abs=1e-9)
    assert scale_effect(answers_of(lambda a, b, idle: a), "a", np.full(ROWS, np.nan)) is None


def test_cells_without_a_value_neither_break_nor_bend_an_effect():
    values = np.where(np.arange(ROWS) % 5 == 0, np.nan, CELLS["a"])
    effect = scale_effect(answers_of(lambda a, b, idle: a**3), "a", values)
    assert np.isfinite(effect.mean).all() and np.all(np.diff(effect.mean) > 0)


def test_effect_of_levels():
    levels = np.where(CELLS["b"] > 0, "high", "low").tolist()
    levels[0] = None
    effect = level_effect(answers_of(lambda a, b, idle: (b > 0) + 0 * a), "b", levels)
    assert effect.values == ("high", "low") and effect.mean.tolist() == [1.0, 0.0] and not effect.ordered
    assert level_effect(answers_of(lambda a, b, idle: b), "b", ["one"] * ROWS) is None


def test_only_columns_that_act_together_interact():
    found = interactions(answers_of(lambda a, b, idle: a * b + idle), ("a", "b", "idle"), ROWS, partners=8)
    assert found[0].columns == ("a", "b")
    assert found[0].size == pytest.approx(1 / 3, rel=0.15)  # the standard deviation of a·b
    assert found[0].low < found[0].size < found[0].high
    assert found[1].size == pytest.approx(0, abs=1e-9)
    assert interactions(answers_of(lambda a, b, idle: a), ("a",), 9) == ()


def test_section_says_it_in_words():
    answers = answers_of(lambda a, b, idle: a * b + a)
    effects = (scale_effect(answers, "a", CELLS["a"]),
               level_effect(answers, "b", np.where(CELLS["b"] > 0, "<b>", "low").tolist()))
    section = effects_section(effects, interactions(answers, ("a", "b"), ROWS), ("probability of “yes”",), percent=True,
                              strongest=0.5)
    assert [chart.title for chart in section.charts] == ["Along a", "Along b", "Columns that act together"]
    assert "lowest at −" in section.sentences[0] and "together they move" in section.sentences[2]
    assert "<b>" not in section.charts[1].svg and "&lt;b&gt;" in section.charts[1].svg
    assert "act almost independently" in effects_section(effects, interactions(answers, ("a", "b"), ROWS), ("x",),
                                                         percent=False, strongest=99.0).sentences[2]

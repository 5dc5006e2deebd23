"""Games, Shapley values, occlusion and the tests of explanations, on games whose answers are known."""
from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.explain.answer import answer, choose_method
from pellucid.explain.evidence import evidence
from pellucid.explain.faithfulness import DO_NOT_RELY, Faithfulness, ModelChecks, agreement, try_order
from pellucid.explain.game import Game, Question, game_of
from pellucid.explain.occlusion import occlusion
from pellucid.explain.shapley import exact_shapley, sampled_shapley, shapley
from pellucid.explain.skill import skill


def crooked(number: int, seed: int = 0) -> Game:
    """A game with effects of single parts, of pairs and of all together."""
    generator = np.random.default_rng(seed)
    single, pairs = generator.normal(size=number), generator.normal(size=(number, number)) / number

    def value(keep: np.ndarray) -> np.ndarray:
        known = keep.astype(float)
        return np.tanh(known @ single) + np.einsum("ci,ij,cj->c", known, pairs, known)
    return game_of(tuple(f"part {place}" for place in range(number)), value)


def by_all_orders(game: Game) -> np.ndarray:
    """Shapley values by their definition."""
    number, total, orders = len(game), np.zeros(len(game)), list(permutations(range(len(game))))
    for order in orders:
        keep = np.zeros((number + 1, number), bool)
        for step, part in enumerate(order, 1):
            keep[step:, part] = True
        total[list(order)] += np.diff(game.value(keep))
    return total / len(orders)


def test_exact_values_are_those_of_the_definition():
    game = crooked(5)
    np.testing.assert_allclose(exact_shapley(game).contributions, by_all_orders(game), atol=1e-12)


def test_sampled_values_come_near_the_exact_ones_and_are_additive():
    game = crooked(10)
    exact, found = exact_shapley(game), sampled_shapley(game, pairs=200, seed=3)
    assert found.contributions.sum() == pytest.approx(game.difference, abs=1e-12)
    off = np.abs(found.contributions - exact.contributions)
    assert np.all(off < 4 * found.errors + 1e-9) and found.errors.max() < 0.1


def test_few_orders_are_additive_too():
    game = crooked(30)
    assert shapley(game, pairs=2).contributions.sum() == pytest.approx(game.difference, abs=1e-12)


def test_a_drawn_game_is_additive_over_its_draws():
    shift = np.array([0.0, 1.0, 5.0])

    def drawn(keep, which):
        return keep[:, 0] * (2.0 - shift[which]) + shift[which] + keep[:, 1:].sum(axis=1)

    def value(keep):
        return np.mean([drawn(keep, np.full(len(keep), draw)) for draw in range(3)], axis=0)
    plain = game_of(tuple("abcdefghijklmnop"), value)
    game = Game(plain.parts, value, "points", plain.whole, plain.empty, draws=3, drawn=drawn)
    found = sampled_shapley(game, pairs=4)
    np.testing.assert_allclose(found.contributions, [0.0, *[1.0] * 15], atol=1e-12)


def test_each_coalition_is_asked_once_and_in_chunks():
    asked = []

    def value(keep):
        asked.append(len(keep))
        return keep.sum(axis=1).astype(float)
    game = game_of(("a", "b", "c"), value)
    asked.clear()
    found = game.ask(np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0], [0, 1, 1]], bool))
    assert found.tolist() == [1, 1, 3, 0, 2] and asked == [2]
    with pytest.raises(ShapeError, match="3 parts was asked about 2"):
        game.ask(np.ones((1, 2), bool))


def test_occlusion_is_complete():
    game = crooked(6)
    assert occlusion(game).contributions.sum() == pytest.approx(game.difference)


def test_parts_may_be_joined():
    game = crooked(4).grouped(np.array([0, 0, 1, 1]), crooked(2).parts)
    assert len(game) == 2 and exact_shapley(game).contributions.sum() == pytest.approx(game.difference)


def test_the_right_order_beats_random_ones_and_the_wrong_one_does_not():
    game = game_of(tuple("abcdefgh"), lambda keep: keep @ np.array([5.0, 3, 2, 1, 0, 0, -1, -2]))
    right = exact_shapley(game).contributions
    good, bad = (Faithfulness(*try_order(game, own)) for own in (right, -right))
    assert good.reliable and good.deletion.low > 0 < good.insertion.low
    assert not bad.reliable and bad.verdict.startswith(DO_NOT_RELY) and bad.deletion.high < 0


def test_a_flat_game_is_not_to_be_relied_on():
    game = game_of(("a", "b", "c"), lambda keep: np.zeros(len(keep)))
    assert not Faithfulness(*try_order(game, np.zeros(3))).reliable


@pytest.mark.parametrize(("checks", "words"), [
    (ModelChecks(skill=0.0, skill_low=-0.01), "better than a guess"),
    (ModelChecks(stability=0.2), "learned from other rows"),
    (ModelChecks(randomised=0.95), "random weights"),
])
def test_what_is_wrong_with_a_model_is_told(checks, words):
    game = game_of(("a", "b", "c"), lambda keep: keep @ np.array([3.0, 1, 0]))
    tested = Faithfulness(*try_order(game, np.array([3.0, 1, 0])), checks=checks)
    assert not tested.reliable and words in tested.verdict and tested.verdict.startswith(DO_NOT_RELY)
    assert ModelChecks.from_json(checks.to_json()) == checks


def test_the_explanation_says_it_all():
    game = game_of(("a", "b", "c"), lambda keep: 10 + keep @ np.array([3.0, -1, 0]))
    found = answer(Question(game, 4, 12.0), task="regress", target="price", faithfulness=True)
    assert found.method == choose_method(game)[0] == "shapley" and "exact" in found.reason
    assert found.completeness == pytest.approx(0) and found.question == "Why 12.00?"
    words = " ".join(found.sentences())
    assert "a (+3.00)" in words and "b (−1.00)" in words and "to the digits shown" in words
    record = found.to_json()
    assert [part["name"] for part in record["parts"]] == ["a", "b", "c"] and record["row"] == 4
    assert found.to_frame()["contribution"].to_list() == pytest.approx([3, -1, 0])


def test_agreement():
    assert agreement(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert agreement(np.zeros(3), np.array([1.0, 2, 3])) == 0 and agreement(np.zeros(3), np.zeros(3)) == 1
    assert agreement(np.array([1.0, -2, 3]), np.array([-1.0, 2, -3]), sizes=True) == pytest.approx(1)


def test_skill_is_not_fooled_by_confidence():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 500)
    guess = np.full((500, 2), 0.5)
    blind = generator.choice([0.001, 0.999], 500)
    assert not skill(truth, np.stack([blind, 1 - blind], 1), guess).shown
    right = np.where(generator.uniform(size=500) < 0.7, truth, 1 - truth)
    too_sure = np.where(np.arange(2) == right[:, None], 0.9999, 0.0001)
    found = skill(truth, too_sure, guess)
    assert found.share < 0 and found.shown


def test_evidence_finds_what_a_sure_answer_hides():
    weights = np.array([4.0, 4, 4, 2, 2, 2, *[0.3] * 14])
    sure = game_of(tuple(f"word {place}" for place in range(20)), lambda keep: 1 / (1 + np.exp(9 - keep @ weights)))
    found = evidence(sure, pairs=4)
    assert found.contributions.sum() == pytest.approx(sure.difference, abs=1e-9)
    np.testing.assert_allclose(found.contributions / found.contributions[0], weights / 4, atol=1e-6)
    assert np.std(sampled_shapley(sure, pairs=4).contributions[:3]) > 0.001


def test_evidence_where_there_is_next_to_nothing_to_tell():
    flat = game_of(("a", "b"), lambda keep: np.full(len(keep), 0.5))
    assert evidence(flat).contributions.tolist() == [0, 0]
    less = game_of(("a", "b"), lambda keep: keep @ np.array([-0.9, 0.2]))
    assert evidence(less).contributions.sum() == pytest.approx(-0.7)

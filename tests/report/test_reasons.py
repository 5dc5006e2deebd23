"""Reasons as bars, marked texts and pages."""
from __future__ import annotations

import numpy as np

from pellucid.core.part import Part
from pellucid.explain.explanation import Explanation
from pellucid.explain.faithfulness import Faithfulness, ModelChecks, try_order
from pellucid.explain.game import Cell, game_of
from pellucid.report.reasons import bar_chart, bars, marked_text, render

TEXT = "so <good>, so bad"
PARTS = tuple(Part("review", TEXT[start:stop], place=(start, stop)) for start, stop in (
    (0, 2), (3, 4), (4, 8), (8, 10), (11, 13), (14, 17)))


def explained(checks: ModelChecks | None = None) -> Explanation:
    """A made-up explanation of a text."""
    contributions = np.array([0.01, 0.0, 0.3, 0.0, 0.02, -0.2])
    game = game_of(tuple(part.name for part in PARTS), lambda keep: 0.5 + keep @ contributions)
    return Explanation("classify", "label", 7, "yes", "probability of “yes”", game.whole, game.empty, PARTS,
                       contributions, np.full(6, 0.004), "evidence", "words add up", "yes", None,
                       Faithfulness(*try_order(game, contributions), checks=checks), True,
                       cells={"review": Cell("text", TEXT)})


def test_bars_sum_what_is_not_shown():
    shown = bars(explained(), 2)
    assert [bar.label for bar in shown] == ["good", "bad", "4 other parts together"]
    assert [bar.amount for bar in shown] == ["+30.0 points", "−20.0 points", "+3.0 points"]
    assert shown[0].share == 1 and shown[1].speaks == "against" and shown[0].error == "± 0.4"


def test_words_are_marked_and_escaped():
    found = marked_text(Cell("text", TEXT), PARTS, explained().contributions)
    assert '<span class="for" style="--size: 1.00" title="good: for">good</span>' in found
    assert '<span class="against" style="--size: 0.67" title="bad: against">bad</span>' in found
    assert "<good" not in found and "&lt;" in found


def test_a_page_needs_nothing_else():
    page = render([explained()], "reviews <1>")
    assert "reviews &lt;1&gt;" in page and "Row 7: Why “yes”?" in page and "<script" not in page
    assert "http" not in page.split("<body>")[1] and page.count("<section>") == 1


def test_what_is_not_to_be_relied_on_is_told_first():
    page = render([explained(ModelChecks(stability=0.1, rows=4))], "reviews")
    assert page.index("Do not rely on this explanation") < page.index("The probability of")
    assert page.count("Do not rely on this explanation") == 1
    assert "Do not rely" not in render([explained()], "reviews")


def test_bars_for_the_report():
    found = bar_chart(explained(), "reason0")
    assert found.startswith("<svg") and "+30.0 points" in found and "good" in found

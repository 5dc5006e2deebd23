"""What would change an answer: valid rows, verified by the model, in words; and what cannot be asked."""
from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.errors import DataError, SettingsError

RANDOM = np.random.default_rng(0)
ROWS = 300
AGE, RATE = RANDOM.integers(18, 80, ROWS), RANDOM.normal(5, 2, ROWS).round(1)
HOUSING = RANDOM.choice(["own", "rent", "free"], ROWS)
TABLE = pl.DataFrame({"age": AGE, "rate": [f"{value:.1f}".replace(".", ",") for value in RATE], "housing": HOUSING,
                      "phone": RANDOM.choice(["yes", "no"], ROWS)})
WORTH = AGE / 60 - RATE / 5 + (HOUSING == "own")
QUICK = {"epochs": 25, "members": 2, "hidden": (8,), "learning_rate": 0.02}


@pytest.fixture(scope="module")
def classifier():
    return pellucid.Classifier(**QUICK).fit(TABLE, np.where(WORTH.mean() < WORTH, "good", "bad"))


@pytest.fixture(scope="module")
def regressor():
    return pellucid.Regressor(**QUICK).fit(TABLE, 100 * WORTH)


def changed(row: dict, alternative) -> dict:
    """The row as a user would type it after reading the sentence."""
    return row | {change.column: change.instead for change in alternative.changes}


def test_changes_are_verified_valid_and_said_in_words(classifier):
    model = classifier.model_
    refused = TABLE.filter(pl.Series(model.predict(TABLE).prediction.tolist()) == "bad").head(12)
    found = classifier.changes(refused, to="good")
    assert sum(bool(one.alternatives) for one in found) >= 11
    for row, one in zip(refused.iter_rows(named=True), found, strict=True):
        assert one.prediction == "bad" and not one.already and one.wanted == "“good”"
        used: set[str] = set()
        for alternative in one.alternatives:
            again = model.predict(changed(row, alternative))
            assert again.prediction[0] == "good" == alternative.prediction
            assert again.confidence[0] == pytest.approx(alternative.probability, abs=1e-5)
            columns = {change.column for change in alternative.changes}
            assert 1 <= len(columns) <= 3 and columns - used
            used |= columns
            for change in alternative.changes:
                assert change.own == row[change.column] != change.instead and change.size > 0
                assert change.column != "age" or 18 <= change.instead <= 79
                assert change.column != "housing" or change.instead in ("own", "rent", "free")
            assert str(alternative).startswith("Had `") and "the answer would be “good” (" in str(alternative)
        counts = [len(alternative.changes) for alternative in one.alternatives]
        assert counts == sorted(counts)
    assert found[0].to_json()["alternatives"][0]["sentence"] == str(found[0].alternatives[0])
    assert found[0].to_frame().height == sum(len(one.changes) for one in found[0].alternatives)
    assert "Had" in repr(found[0]) and "<li>" in found[0]._repr_html_()


def test_locked_columns_stay_and_what_is_already_so_needs_nothing(classifier):
    row = TABLE.row(int(WORTH.argmin()), named=True)
    free = classifier.model_.changes(row, to="good", locked=["age", "housing", "phone"], most=1)[0]
    assert {change.column for one in free.alternatives for change in one.changes} <= {"rate"}
    assert "Kept as they are: `age`, `housing`, `phone`." in free.sentences()
    none = classifier.model_.changes(row, to="good", locked=["age", "rate", "housing"])[0]
    assert not none.alternatives and none.sentences()[0].startswith("No change of up to 3 columns")
    best = classifier.model_.changes(TABLE.row(int(WORTH.argmax()), named=True), to="good")[0]
    assert best.already and best.sentences() == ("Nothing has to change: that is the answer already.",)
    other = classifier.model_.changes(TABLE.row(int(WORTH.argmax()), named=True))[0]
    assert other.wanted == "“bad”" and {one.prediction for one in other.alternatives} == {"bad"}


def test_numbers_reach_a_bound(regressor):
    model = regressor.model_
    rows = TABLE.head(6)
    now = model.predict(rows).prediction
    for one, row, value in zip(regressor.changes(rows, at_least=float(now.max()) - 5), rows.iter_rows(named=True), now,
                               strict=True):
        assert one.already == (value >= now.max() - 5) and one.already != bool(one.alternatives)
        for alternative in one.alternatives:
            assert model.predict(changed(row, alternative)).prediction[0] >= now.max() - 5
    between = regressor.changes(rows[:1], at_least=float(now[0]) + 10, at_most=float(now[0]) + 60)[0]
    assert all(now[0] + 10 <= one.prediction <= now[0] + 60 for one in between.alternatives)
    assert "at least" in between.question and " and at most" in between.question


def test_wishes_that_do_not_fit_are_told(classifier, regressor):
    with pytest.raises(SettingsError, match="none of the classes"):
        classifier.changes(TABLE[:1], to="godo")
    with pytest.raises(SettingsError, match="is a class, not a number"):
        classifier.changes(TABLE[:1], at_least=3)
    with pytest.raises(DataError, match="`agee`"):
        classifier.changes(TABLE[:1], locked=["agee"])
    with pytest.raises(SettingsError, match="`most` was 0"):
        classifier.changes(TABLE[:1], most=0)
    with pytest.raises(SettingsError, match="is a number, not a class"):
        regressor.changes(TABLE[:1], to="good")
    with pytest.raises(SettingsError, match="was not said what"):
        regressor.changes(TABLE[:1])
    with pytest.raises(SettingsError, match="more than `at_most`"):
        regressor.changes(TABLE[:1], at_least=3, at_most=2)

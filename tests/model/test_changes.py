"""What would change an answer: valid rows, verified by the model, in words; and what cannot be asked."""
from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pellucid.errors import DataError, SettingsError
from pellucid.features.targets import NumberTarget


@pytest.fixture
def regressor(classifier):
    """The same network, its first output taken for a number."""
    model = classifier.model_
    return replace(model, target=NumberTarget("worth", 50.0, 10.0, -1000.0, 1000.0),
                   calibration=replace(model.calibration, conformal=None), unlikeness=None)


def changed(row: dict, alternative) -> dict:
    """The row as a user would type it after reading the sentence."""
    return row | {change.column: change.instead for change in alternative.changes}


def test_changes_are_verified_valid_and_said_in_words(classifier, clients):
    model, clients = classifier.model_, clients.drop("worth", "answer")
    refused = clients.filter(pl.Series(model.predict(clients).prediction.tolist()) == "bad").head(12)
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


def test_locked_columns_stay_and_what_is_already_so_needs_nothing(classifier, clients):
    row = clients.row(clients["worth"].arg_min(), named=True)
    free = classifier.model_.changes(row, to="good", locked=["age", "housing", "phone"], most=1)[0]
    assert {change.column for one in free.alternatives for change in one.changes} <= {"rate"}
    assert "Kept as they are: `age`, `housing`, `phone`." in free.sentences()
    none = classifier.model_.changes(row, to="good", locked=["age", "rate", "housing"])[0]
    assert not none.alternatives and none.sentences()[0].startswith("No change of up to 3 columns")
    best = classifier.model_.changes(clients.row(clients["worth"].arg_max(), named=True), to="good")[0]
    assert best.already and best.sentences() == ("Nothing has to change: that is the answer already.",)
    other = classifier.model_.changes(clients.row(clients["worth"].arg_max(), named=True))[0]
    assert other.wanted == "“bad”" and {one.prediction for one in other.alternatives} == {"bad"}


def test_numbers_reach_a_bound(regressor, clients):
    model = regressor
    rows = clients.head(6)
    now = model.predict(rows).prediction
    for one, row, value in zip(regressor.changes(rows, at_least=float(now.max()) - 5), rows.iter_rows(named=True), now,
                               strict=True):
        assert one.already == (value >= now.max() - 5) and one.already != bool(one.alternatives)
        for alternative in one.alternatives:
            assert model.predict(changed(row, alternative)).prediction[0] >= now.max() - 5
    between = regressor.changes(rows[:1], at_least=float(now[0]) + 10, at_most=float(now[0]) + 60)[0]
    assert all(now[0] + 10 <= one.prediction <= now[0] + 60 for one in between.alternatives)
    assert "at least" in between.question and " and at most" in between.question


def test_wishes_that_do_not_fit_are_told(classifier, regressor, clients):
    clients = clients.drop("worth", "answer")
    with pytest.raises(SettingsError, match="none of the classes"):
        classifier.changes(clients[:1], to="godo")
    with pytest.raises(SettingsError, match="is a class, not a number"):
        classifier.changes(clients[:1], at_least=3)
    with pytest.raises(DataError, match="`agee`"):
        classifier.changes(clients[:1], locked=["agee"])
    with pytest.raises(SettingsError, match="`most` was 0"):
        classifier.changes(clients[:1], most=0)
    with pytest.raises(SettingsError, match="is a number, not a class"):
        regressor.changes(clients[:1], to="good")
    with pytest.raises(SettingsError, match="was not said what"):
        regressor.changes(clients[:1])
    with pytest.raises(SettingsError, match="more than `at_most`"):
        regressor.changes(clients[:1], at_least=3, at_most=2)

"""Anomalies end to end: without labels, judged by labels, with few labels; and what cannot be done."""
import json

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.errors import DataError, SettingsError
from pellucid.model.anomalies import fit_labels, judge_flags, judge_ranking
from pellucid.model.detector import Ranks

QUICK = {"task": "detect", "epochs": 6, "members": 2, "hidden": (6,), "batch_size": 64}


def table(rows=300, strange=6):
    """Two numbers that belong together, a word, a constant; in the last rows the numbers do not belong together."""
    generator = np.random.default_rng(0)
    first = generator.normal(size=rows)
    second = 2 * first + 0.05 * generator.normal(size=rows)
    second[rows - strange:] = -2 * first[rows - strange:] + 9
    state = ["normal"] * (rows - strange) + ["anomaly"] * strange
    return pl.DataFrame({"first": first, "second": second, "word": generator.choice(["a", "b"], rows), "same": 1,
                         "state": state})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detect")
    return pellucid.train(table(), "state", run=folder / "run", **QUICK)


def test_strange_rows_are_found_and_explained(run):
    assert run.metrics["network"]["roc_auc"] > 0.95
    assert {"isolation_forest", "local_outlier_factor"} == set(run.metrics["baselines"])
    frame = run.model.predict(table()).to_frame()
    assert frame.columns == ["row", "prediction", "score", "p_value", "reasons"]
    top = frame.sort("score", descending=True).head(3)
    assert min(top["row"]) >= 294 and all("second" in reason for reason in top["reasons"])
    assert set(frame["prediction"]) <= {"normal", "anomaly"} and frame["p_value"].is_between(0, 1).all()
    assert (frame["prediction"] == "anomaly").sum() == (frame["p_value"] <= 0.01).sum()


def test_the_file_keeps_everything(run, tmp_path):
    loaded = pellucid.load(run.model.save(tmp_path / "model.pellucid"))
    np.testing.assert_allclose(loaded.predict(table()).score, run.model.predict(table()).score, rtol=1e-5)
    found = loaded.evaluate(table())
    assert found["metrics"]["roc_auc"] > 0.95 and found["target"] == "state"
    one = loaded.predict({"first": 0.0, "second": 30.0, "word": "never seen", "same": 1})
    assert one.p_value[0] < 0.05 and json.dumps(one.to_json())
    assert loaded.predict(table(), coverage=0.5).flagged.sum() > loaded.predict(table()).flagged.sum()


def test_the_report_shows_what_stands_out(run):
    text = run.report().read_text()
    assert "What stands out" in text and "Anomalies found and false alarms" in text
    assert "only judge" in text


def test_without_a_target(tmp_path):
    run = pellucid.train(table().drop("state"), run=tmp_path / "run", **QUICK)
    assert "stand" in run.result.verdict.headline and run.metrics["baselines"] == {}
    assert min(run.metrics["detect"]["strangest"][:3]) >= 294
    with pytest.raises(DataError, match="nothing can be measured"):
        run.model.evaluate(table())


def test_known_rows_are_learned_from_where_some_are_missing(tmp_path):
    generator = np.random.default_rng(0)
    rows = np.concatenate([generator.normal(size=(250, 2)), generator.normal(size=(50, 2)) * 0.2 + 2.0])
    state = np.array(["normal"] * 250 + ["anomaly"] * 50, dtype=object)
    partly = [word if generator.random() < 0.3 else None for word in state]
    frame = pl.DataFrame({"a": rows[:, 0], "b": rows[:, 1], "state": partly})
    run = pellucid.train(frame, "state", run=tmp_path / "run", **QUICK | {"epochs": 15})
    assert run.model.settings["labels"] == "use"
    assert judge_ranking((state == "anomaly") * 1.0, run.model.predict(frame).score, 0.01)["roc_auc"] > 0.9


def test_only_normal_rows(tmp_path):
    run = pellucid.train(table(strange=0), "state", run=tmp_path / "run", labels="use", **QUICK)
    assert "one_class" in {note.kind for note in run.result.notes}
    assert run.model.members.spec["widths"][0] < 1 and run.result.verdict.outcome == "alone"


@pytest.mark.parametrize(("frame", "target", "more", "message"), [
    (table(1, 0), None, {}, "has 1 row; at least 10"),
    (pl.DataFrame({"a": [1] * 20, "b": [None] * 20}), None, {}, "No column is left"),
    (table(strange=300), "state", {"labels": "use"}, "nothing shows what is normal"),
    (table().with_columns(state=pl.lit(None)), "state", {}, "no value in any row"),
    (table().with_columns(state=pl.col("first")), "state", {}, "different values"),
    (table(), "state", {"positive": "anomalie"}, "not among the values"),
])
def test_what_cannot_be_done_is_told(frame, target, more, message, tmp_path):
    with pytest.raises(DataError, match=message):
        pellucid.train(frame, target, run=tmp_path / "run", **QUICK | more)


def test_labels_need_a_target(tmp_path):
    with pytest.raises(SettingsError, match="no target was named"):
        pellucid.train(table(), run=tmp_path / "run", labels="use", **QUICK)


def test_words_that_mean_an_anomaly():
    assert fit_labels("x", pl.Series([0, 1, 0, 0])).anomalies == ("1",)
    assert fit_labels("x", pl.Series(["good", "bad", "bad"])).anomalies == ("bad",)
    assert fit_labels("x", pl.Series(["p", "q", "q"])).anomalies == ("p",)
    assert fit_labels("x", pl.Series(["p", "q", "q"]), "q").anomalies == ("q",)
    labels = fit_labels("x", pl.Series(["ok", "broken", None]))
    np.testing.assert_array_equal(labels.read(pl.Series(["ok", None, "broken", "new"])), [0, np.nan, 1, np.nan])


def test_p_values_are_shares_of_left_out_rows():
    ranks = Ranks.fit([np.array([1.0, 2.0, 2.0]), np.array([0.0])])
    np.testing.assert_allclose(ranks.p_values(np.array([[2.0, 3.0, 1.5], [0.5, 0.0, -1.0]])), [3 / 5, 2 / 5, 4 / 5])
    many = np.random.default_rng(0).normal(size=20_000)
    p_values = Ranks.fit([many]).p_values(np.array([[2.5, 0.0, -9.0]]))
    exact = (1 + np.array([(many >= 2.5).sum(), (many >= 0).sum(), 20_000])) / 20_001
    assert np.all(p_values >= exact) and np.allclose(p_values, exact, atol=5e-4)


def test_judging():
    truth, scores = np.array([0, 0, 1, 1]), np.array([0.0, 1.0, 2.0, 0.5])
    assert judge_ranking(truth, scores, 0.01) == {"roc_auc": 0.75, "average_precision": pytest.approx(5 / 6),
                                                   "recall_at_rate": 0.5}
    assert judge_ranking(truth[:2], scores[:2], 0.01)["roc_auc"] is None
    assert judge_flags(truth, scores > 0.7) == {"recall": 0.5, "false_alarm_rate": 0.5}

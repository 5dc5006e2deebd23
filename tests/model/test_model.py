"""The trained model: saving, loading, answering row by row, and files of released formats."""
from __future__ import annotations

import copy
import errno
import json
import os
import pickle
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from pellucid.core.note import Note
from pellucid.errors import DataError, StorageError
from pellucid.model.archive import FORMAT, read_archive
from pellucid.model.load import load
from tests.model.make_format_file import FILES, rows

SCHEMA = json.loads((Path(__file__).parents[2] / "pellucid" / "model" / "model.schema.json").read_text())


@pytest.fixture(scope="module")
def model():
    return load(FILES / f"format-{FORMAT}.pellucid")


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_files_of_every_format_answer_as_they_did(number):
    expected = json.loads((FILES / f"format-{number}.json").read_text())
    np.testing.assert_allclose(load(FILES / f"format-{number}.pellucid").predict(rows(10)).probabilities, expected,
                               atol=1e-5)


def test_the_record_follows_its_schema(model):
    jsonschema.validate(dict(read_archive(FILES / f"format-{FORMAT}.pellucid").record), SCHEMA)


def test_saved_loaded_pickled_and_copied_models_answer_the_same(model, tmp_path):
    expected = model.predict(rows(30)).probabilities
    for other in (load(model.save(tmp_path / "a.pellucid")), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(rows(30)).probabilities, expected)


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    first, second = model.save(tmp_path / "a.pellucid"), model.save(tmp_path / "b.pellucid")
    assert first.read_bytes() == second.read_bytes()


def test_a_full_disk_leaves_the_old_file_whole(model, tmp_path, monkeypatch):
    path = model.save(tmp_path / "a.pellucid")
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.pellucid"]


def test_a_row_is_answered_alike_in_any_company(model):
    together = model.predict(rows(120)).probabilities
    alone = [model.predict(row).probabilities[0] for row in rows(120)[:5]]
    np.testing.assert_array_equal(together[:5], alone)


def test_no_rows_give_no_answers(model):
    assert len(model.predict({name: [] for name in ("age", "income", "home", "married")})) == 0


def test_what_is_odd_about_rows_is_told(model):
    odd = [{"age": "old", "income": float("inf"), "home": "castle", "married": "yes", "shoes": 42}]
    kinds = {note.kind for note in model.predict(odd).notes if isinstance(note, Note)}
    assert {"unreadable", "infinite", "unseen", "extra_columns"} <= kinds


def test_lacking_columns_are_named(model):
    with pytest.raises(DataError, match="`home`"):
        model.predict([{"age": 30, "income": 1.0, "married": "no"}])


def test_predictions_as_frame_json_and_csv(model):
    predictions = model.predict(rows(4))
    frame = predictions.to_frame()
    assert frame.columns == ["row", "prediction", "confidence", "probability_no", "probability_yes", "prediction_set"]
    assert predictions.to_csv().count("\n") == 5
    for record, sets in zip(predictions.to_json(), predictions.prediction_sets(), strict=True):
        assert record["prediction_set"] == sets and record["prediction"] in sets
        assert record["confidence"] == max(record["probability_no"], record["probability_yes"])


def test_a_higher_coverage_gives_larger_sets(model):
    low, high = (model.predict(rows(120), coverage=coverage).sets.sum() for coverage in (0.6, 0.95))
    assert low < high


def test_evaluate_counts_and_measures(model):
    found = model.evaluate(rows(120))
    assert found["rows"] == 120 and found["metrics"]["roc_auc"] > 0.8
    assert 0.7 < found["promise"]["coverage_measured"] <= 1


def test_another_rule_of_decision(model):
    plain, strict = model, model.deciding(threshold=0.9)
    wanted = model.classes[model.positive]
    often, seldom = ((one.predict(rows(120)).prediction == wanted).sum() for one in (plain, strict))
    assert seldom < often


def test_a_model_shows_itself(model):
    assert "lend" in repr(model) and "<table" in model._repr_html_() and model.describe().synapses > 0

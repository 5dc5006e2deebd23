"""Classes and numbers to be predicted."""
from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from pellucid.errors import DataError, SettingsError
from pellucid.features.targets import fit_class_target, fit_number_target, recognise_target, target_from_json


@pytest.mark.parametrize(("cells", "task"), [
    (["good", "bad"] * 5, "classify"), (["0", "1"] * 5, "classify"), ([0, 1] * 5, "classify"),
    ([True, False], "classify"),
    ([1.5, 2.5] * 5, "classify"), (list(range(10)) * 5, "classify"), (list(range(30)), "regress"),
    (["1,5", "2,5", "3,5"], "regress"), ([1.5, 2.5, 3.5], "regress"), (["a", "1", "2"], "classify"),
])
def test_task(cells, task):
    found, reason = recognise_target("y", pl.Series(cells))
    assert found == task and "`y`" in reason


def test_the_users_task_is_kept_if_possible():
    assert recognise_target("y", pl.Series([1, 2, 3]), "regress")[0] == "regress"
    assert recognise_target("y", pl.Series([1.5, 2.5, 3.5]), "classify")[0] == "classify"
    with pytest.raises(DataError, match="cannot be predicted as a number"):
        recognise_target("y", pl.Series(["a", "b"]), "regress")
    with pytest.raises(SettingsError, match="did you mean `regress`"):
        recognise_target("y", pl.Series([1, 2]), "regres")
    with pytest.raises(DataError, match="no value in any row"):
        recognise_target("y", pl.Series([None, ""]))


@pytest.mark.parametrize("labels", [["b", "a", "b"], [3, 1, 3], [True, False, True], [1.5, 0.5, 1.5],
                                    ["10", "9", "10"]])
def test_labels_keep_their_type(labels):
    target = fit_class_target("y", pl.Series(labels))
    target = target_from_json(json.loads(json.dumps(target.to_json())))
    decoded = target.decode(target.encode(pl.Series(labels))).tolist()
    assert decoded == labels and [type(label) for label in decoded] == [type(label) for label in labels]


def test_order_and_positive_class():
    target = fit_class_target("y", pl.Series(["good", "bad", "good"]))
    assert target.classes == ("bad", "good") and target.positive == "bad" and target.positive_code == 0
    assert fit_class_target("y", pl.Series([0, 1, 0])).positive == 1
    assert fit_class_target("y", pl.Series([0, 1])).positive == 1
    assert fit_class_target("y", pl.Series([0, 1]), positive="0").positive == 0
    assert fit_class_target("y", pl.Series([True, False]), positive="True").positive is True
    assert fit_class_target("y", pl.Series(["10", "9", "1"])).classes == ("1", "9", "10")
    assert fit_class_target("y", pl.Series([1, 2, 3])).positive is None


def test_an_unknown_positive_class():
    with pytest.raises(DataError, match="did you mean `good`"):
        fit_class_target("y", pl.Series(["good", "bad"]), positive="god")
    with pytest.raises(DataError, match="3 classes"):
        fit_class_target("y", pl.Series(["a", "b", "c"]), positive="a")


def test_missing_and_unknown_labels_have_no_code():
    target = fit_class_target("y", pl.Series(["a", "b", None, ""]))
    assert target.classes == ("a", "b")
    assert target.encode(pl.Series(["b", "c", None, "NA", " a "])).tolist() == [1, -1, -1, -1, 0]


def test_classes_of_one_file_are_found_in_another_type():
    target = fit_class_target("y", pl.Series([0, 1]))
    assert target.encode(pl.Series(["1", "0"])).tolist() == target.encode(pl.Series([1.0, 0.0])).tolist() == [1, 0]
    assert fit_class_target("y", pl.Series([True, False])).encode(pl.Series(["True", "false"])).tolist() == [1, 0]


def test_number_target():
    target = fit_number_target("y", pl.Series(["1,5", "2,5", "abc", ""]))
    assert (target.center, target.scale, target.low, target.high, target.decimal) == (2, 0.5, 1.5, 2.5, ",")
    codes = target.encode(pl.Series(["1,5", "", "2,5"]))
    assert codes.dtype == np.float32 and codes[[0, 2]].tolist() == [-1, 1] and np.isnan(codes[1])
    assert target.decode(np.array([-1.0, 1.0])).tolist() == [1.5, 2.5]
    assert target_from_json(json.loads(json.dumps(target.to_json()))) == target

"""Models of every kind, exported to ONNX and computed with NumPy, against the models themselves.

Their weights are made up, so that no test waits for training, and no tensor stays at a starting value.
"""
import functools
import json
import os
import subprocess
import sys
from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import onnx
import polars as pl
import pytest

from pellucid import __version__
from pellucid.errors import MissingExtraError, ModelFileError, PellucidError, UserError
from pellucid.features.inputs import cardinalities, number_names
from pellucid.features.targets import ClassTarget, NumberTarget
from pellucid.features.types import Boolean, Category, Date, Ignore, Number
from pellucid.model.archive import read_archive, write_archive
from pellucid.model.calibration import Calibration
from pellucid.model.export import export_onnx, onnx_check, predict_numpy
from pellucid.model.export.onnx_check import feeds, made_up_rows, run_file
from pellucid.model.export.onnx_inputs import columns_of
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.networks import build
from pellucid.uncertainty import Calibrator

GENERATOR = np.random.default_rng(7)
ROWS = 200


def _with_gaps(values, gap=None):
    return [gap if row % 9 == 0 else value for row, value in enumerate(values)]


TABLE = pl.DataFrame({
    "age": GENERATOR.normal(40, 12, ROWS).round(1).tolist(),
    "income €": _with_gaps(np.exp(GENERATOR.normal(8, 2, ROWS)).tolist()),
    "count": GENERATOR.poisson(1.5, ROWS).astype(float).tolist(),
    "colour": _with_gaps(GENERATOR.choice(["red", "Grün", "a, b", "7"], ROWS).tolist()),
    "side": GENERATOR.choice(["left", "right"], ROWS).tolist(),
    "place": [f"place {number}" for number in GENERATOR.integers(0, 40, ROWS)],
    "member": _with_gaps(GENERATOR.choice(["yes", "no"], ROWS).tolist()),
    "sex": GENERATOR.choice(["weiblich", "männlich"], ROWS).tolist(),
    "prediction": GENERATOR.normal(size=ROWS).tolist(),
})
TYPES = {"colour": Category, "side": Category, "place": Category, "member": Boolean, "sex": Boolean}


@functools.cache
def features(normalise="standard", names=TABLE.columns):
    """The feature types, fitted; and a column that is not used."""
    fitted = [TYPES.get(name, Number).fit(name, TABLE[name], normalise=normalise) for name in names]
    return (*fitted, Ignore(name="left out"))


def made_up_members(spec, count, dtype, same_edges):
    """Networks whose every tensor is random: weights like those of a trained network, rising bin edges, positive
    variances."""
    generator = np.random.default_rng(0)
    network = eqx.filter_eval_shape(functools.partial(build, spec), key=jax.random.key(0))
    trees = {"network": eqx.filter(network, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct)),
             "state": eqx.filter_eval_shape(network.initial_state)}
    tensors = {}
    for prefix, tree in trees.items():
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            name = f"{prefix}." + jax.tree_util.keystr(path, simple=True, separator=".")
            deviation = leaf.shape[-2] ** -0.5 if name.endswith("weight") else 0.5
            value = deviation * generator.standard_normal((count, *leaf.shape))
            if "edges" in name:
                value = np.sort(2 * (np.repeat(value[:1], count, 0) if same_edges else value), axis=-1)
                value[..., 2] = value[..., 1]  # a bin of no width
            elif name.endswith(("scale", "variance", "factor")):
                value = 0.5 + np.abs(value)
            tensors[name] = value.astype(dtype)
    return Members.from_tensors(spec, tensors)


def made_up_model(target, *, normalise="standard", names=tuple(TABLE.columns), outputs=None, network=None, body=None,
                  decision=None, dtype=np.float32, members=2, same_edges=True):
    """A model of `TABLE` with made-up weights.

    Args:
        target: "two", "three", "number", or a target.
        normalise: of numbers.
        names: the columns it uses.
        outputs: how many output neurons, if not one for each class.
        network, body: settings of `Tabular` and of its `Feedforward`.
        same_edges: whether all members have the same bin edges.
    """
    targets = {"two": ClassTarget("target", ("bad", "good"), "bad"), "three": ClassTarget("target", (1, 2, 30)),
               "number": NumberTarget("target", 3.5, 40.0, -30.0, 60.0)}
    target = targets.get(target, target)
    columns = features(normalise, names)
    classify = isinstance(target, ClassTarget)
    spec = {"network": "tabular", "num_numbers": len(number_names(columns)),
            "cardinalities": list(cardinalities(columns)),
            "out_features": outputs or (len(target.classes) if classify else 1), "skip": True,
            **(network or {}), "body": {"hidden": [8], **(body or {})}}
    beta = ((0.8, 1.0, 1.3), (0.2, -0.1, 0.0)) if classify and len(target.classes) == 3 else ()
    return Model(columns, target, made_up_members(spec, members, dtype, same_edges),
                 Calibration(tuple(range(members)), Calibrator(1.7, *beta) if classify else Calibrator()),
                 decision or {})


CLOSE = 1e-5
BATCH = {"normalisation": "batch", "activation": "silu", "hidden": [8, 6]}
CASES = {
    "piecewise linear, as by default": dict(target="two", network={
        "numbers": {"embedding": "piecewise_linear", "columns": [0, 1, 3], "bins": 4},
        "categories": {"one_hot_limit": 100}}, body={"hidden": [8, 8]}),
    "piecewise linear, edges of each member": dict(target="three", same_edges=False, members=3, network={
        "numbers": {"embedding": "piecewise_linear", "bins": 4}}, body={"activation": "elu"}),
    "a single member": dict(target="two", members=1, network={"numbers": {"embedding": "periodic", "frequencies": 3}}),
    "piecewise linear, mixed": dict(target="number", normalise="robust", network={
        "numbers": {"embedding": "piecewise_linear", "bins": 4, "size": 3}}, body={"activation": "gelu"}),
    "piecewise linear, not raw": dict(target="three", normalise="symmetric", network={
        "numbers": {"embedding": "piecewise_linear", "bins": 3, "raw": False}, "scale": True}, body=BATCH),
    "periodic, pbld": dict(target="three", normalise="minmax", network={
        "numbers": {"embedding": "periodic", "columns": [0, 3], "frequencies": 5, "size": 3}},
        body={"normalisation": "layer", "activation": "mish", "skip": True}),
    "periodic, plr": dict(target="number", network={
        "numbers": {"embedding": "periodic", "frequencies": 5, "size": 3, "variant": "plr"}, "skip": False},
        body={"activation": "tanh", "output_activation": "softsign", "bias": False}),
    "residual, batch": dict(target="number", normalise="quantile", body={**BATCH, "residual": True}),
    "residual, layer": dict(target="two", body={"normalisation": "layer", "residual": True, "hidden": [8, 8]},
                            decision={"costs": {"bad": {"good": 5}, "good": {"bad": 1}}}),
    "one logit": dict(target="two", outputs=1, body={"activation": "selu"}, decision={"threshold": 0.3}),
    "no hidden layer": dict(target="number", normalise="quantile", body={"hidden": []}, names=("age", "colour")),
    "numbers only": dict(target="three", normalise="robust", names=("age", "count"), body={"activation": "softplus"}),
    "numbers as they are": dict(target="two", normalise="none", names=("age", "prediction")),
    "categories only": dict(target=ClassTarget("target", (False, True), True), names=("place", "side")),
    "float64": dict(target="two", dtype=np.float64, body={"activation": "gelu", "normalisation": "layer"}, network={
        "numbers": {"embedding": "periodic", "frequencies": 3, "size": 3}}),
}


@functools.cache
def model_of(name):
    return made_up_model(**CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_the_onnx_file_and_numpy_answer_as_the_model(name, tmp_path):
    model = model_of(name)
    file = export_onnx(model, tmp_path / "model.onnx")
    assert file.largest_difference < CLOSE
    columns = columns_of(model.features, ("prediction", "probabilities"))
    frame = made_up_rows(columns, seed=1)
    found, expected = run_file(file.path.read_bytes(), feeds(columns, frame)), model.predict(frame)
    alone = predict_numpy(model, frame)
    if model.task == "classify":
        np.testing.assert_allclose(found["probabilities"], expected.probabilities, atol=CLOSE)
        np.testing.assert_allclose(alone, expected.probabilities, atol=CLOSE)
        np.testing.assert_array_equal(found["prediction"], model.target.decode(model.decide(found["probabilities"])))
        assert (found["prediction"] == expected.prediction).mean() > 0.99
        assert np.ptp(expected.probabilities[:, 0]) > 0.1
    else:
        np.testing.assert_allclose(found["prediction"][:, 0], expected.prediction, atol=CLOSE * model.target.scale)
        np.testing.assert_allclose(alone, expected.prediction, atol=CLOSE * model.target.scale)
        assert np.ptp(expected.prediction) > 1


def test_the_file_says_what_it_takes_and_gives(tmp_path):
    model = made_up_model("three")
    file = onnx.load(export_onnx(model, tmp_path / "model.onnx"))
    about = {one.key: one.value for one in file.metadata_props}
    columns = json.loads(about["columns"])
    names = [one.name for one in file.graph.input]
    assert [one["input"] for one in columns] == names
    assert [one["column"] for one in columns] == TABLE.columns
    assert "column prediction" in names and "left out" not in names
    assert about["target"] == "target" and about["pellucid_version"] == __version__
    assert json.loads(about["classes"]) == [1, 2, 30]
    by_name = {one.name: one.type.tensor_type for one in [*file.graph.input, *file.graph.output]}
    assert by_name["age"].elem_type == onnx.TensorProto.DOUBLE
    assert by_name["member"].elem_type == onnx.TensorProto.STRING
    assert by_name["prediction"].elem_type == onnx.TensorProto.INT64
    assert by_name["age"].shape.dim[0].dim_param == "rows"


@pytest.mark.parametrize("rows", [1, 7])
def test_any_number_of_rows(rows, tmp_path):
    model = model_of("piecewise linear, as by default")
    content = export_onnx(model, tmp_path / "model.onnx").path.read_bytes()
    columns = columns_of(model.features, ("prediction", "probabilities"))
    frame = made_up_rows(columns, rows)
    found = run_file(content, feeds(columns, frame))
    np.testing.assert_allclose(found["probabilities"], model.predict(frame).probabilities, atol=CLOSE)


def test_words_in_any_spelling_of_yes_and_of_missing(tmp_path):
    model = made_up_model("two", names=("member", "colour", "age"))
    content = export_onnx(model, tmp_path / "model.onnx").path.read_bytes()
    columns = columns_of(model.features, ())
    members = ["YES", "True", "1", "nein", "NA", "", "unknown", "perhaps"]
    frame = pl.DataFrame({"member": members, "colour": ["N/A", "NaN", "?", "null", "red", "Red", "7", ""],
                          "age": [30.0] * len(members)})
    found = run_file(content, feeds(columns, frame))
    np.testing.assert_allclose(found["probabilities"], model.predict(frame).probabilities, atol=CLOSE)


def test_a_date_is_refused_by_name(tmp_path):
    feature = Date.fit("opened on", pl.Series(["2020-01-02", "2021-03-04"]))
    model = made_up_model("number", names=("age",))
    model = type(model)((*model.features, feature), model.target, model.members, model.calibration)
    with pytest.raises(UserError, match="`opened on` is a date"):
        export_onnx(model, tmp_path / "model.onnx")


def test_a_file_that_strays_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_check, "LARGEST", 0.0)
    with pytest.raises(PellucidError, match="not written"):
        export_onnx(model_of("no hidden layer"), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_the_missing_extra_is_named(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pellucid\[onnx\]"):
        export_onnx(model_of("no hidden layer"), tmp_path / "model.onnx")


WITHOUT_JAX = """
import sys
from pellucid.model.export.numpy_forward import predict_numpy
import numpy as np
np.save(sys.argv[3], predict_numpy(sys.argv[1], sys.argv[2]))
import pellucid
assert pellucid.export.predict_numpy is predict_numpy
assert "jax" not in sys.modules and "onnx" not in sys.modules, "loaded"
"""


def test_numpy_alone_runs_a_saved_model_without_jax(tmp_path):
    model = model_of("piecewise linear, as by default")
    path, rows, out = model.save(tmp_path / "model.pellucid"), tmp_path / "rows.csv", tmp_path / "out.npy"
    TABLE.write_csv(rows)
    subprocess.run([sys.executable, "-c", WITHOUT_JAX, path, rows, out], check=True, timeout=60,
                   cwd=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    np.testing.assert_allclose(np.load(out), model.predict(rows).probabilities, atol=CLOSE)


def test_numpy_takes_rows_as_the_model_does(tmp_path):
    model = model_of("no hidden layer")
    row = {"age": 31.5, "colour": "red"}
    expected = model.predict(row).prediction
    np.testing.assert_allclose(predict_numpy(model, row), expected, atol=CLOSE * 40)
    np.testing.assert_allclose(predict_numpy(model, [row, row]), [*expected] * 2, atol=CLOSE * 40)
    assert predict_numpy(model, TABLE.clear()).shape == (0,)
    with pytest.raises(ModelFileError, match="no file"):
        predict_numpy(tmp_path / "none.pellucid", row)


def test_a_damaged_file_is_refused(tmp_path):
    archive = read_archive(model_of("no hidden layer").save(tmp_path / "model.pellucid"))
    tensors = dict(archive.tensors)
    tensors["network.skip.weight"] = tensors["network.skip.weight"] + 1
    with pytest.raises(ModelFileError, match="answers differently"):
        predict_numpy(write_archive(replace(archive, tensors=tensors), tmp_path / "changed.pellucid"), TABLE)
    del tensors["network.body.output.weight"]
    with pytest.raises(ModelFileError, match="is damaged"):
        predict_numpy(write_archive(replace(archive, tensors=tensors), tmp_path / "damaged.pellucid"), TABLE)


def test_another_kind_of_network_is_refused(tmp_path):
    archive = read_archive(model_of("no hidden layer").save(tmp_path / "model.pellucid"))
    record = {**archive.record, "network": {**archive.record["network"], "network": "convolutional"}}
    with pytest.raises(UserError, match="`convolutional` cannot be exported"):
        predict_numpy(write_archive(replace(archive, record=record), tmp_path / "other.pellucid"), TABLE)

"""Similar cases and influence, against gradients by JAX; training rows are in a model file only where asked for."""
from __future__ import annotations

import zipfile
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.errors import DataError, ModelFileError, SettingsError
from pellucid.explain.similar import distances, influences
from pellucid.model.archive import read_archive
from pellucid.model.examples import keep_examples
from pellucid.model.neighbours import look

RANDOM = np.random.default_rng(0)


def test_a_training_row_is_most_like_itself_and_neighbours_agree(keeping, clients, monkeypatch):
    found = keeping.similar(clients.head(20), count=5)
    for row, one in enumerate(found):
        assert one.nearest[0].row == row and one.nearest[0].distance == pytest.approx(0, abs=1e-3)
        assert one.nearest[0].answer == clients["answer"][row] and one.nearest[0].differs == ()
        assert [case.distance for case in one.nearest] == sorted(case.distance for case in one.nearest)
        assert [abs(case.influence) for case in one.influential] == sorted(
            (abs(case.influence) for case in one.influential), reverse=True)
        assert one.nearest[1].cells["size"] == clients["size"][one.nearest[1].row]
        assert "name" not in one.nearest[1].cells
    monkeypatch.setattr("pellucid.model.neighbours.AT_ONCE", 1000)
    for one, again in zip(found, keeping.similar(clients.head(20), count=5), strict=True):
        assert np.allclose(one.to_frame()["influence"], again.to_frame()["influence"], rtol=1e-3, atol=1e-6)
    near = np.mean([case.answer == one.prediction for one in found for case in one.nearest[1:]])
    assert near > 0.8
    assert found[0].to_frame().height == 10 and found[0].kept == found[0].total == len(clients)
    assert "training rows most like it" in found[0].sentences()[0] and found[0].to_json()["nearest"][0]["row"] == 0
    assert "<table" in found[0]._repr_html_() and "Similar(row 0" in repr(found[0])


def test_influence_is_the_product_of_gradients_by_the_last_layer():
    hidden, outputs, weights = RANDOM.normal(size=(2, 6, 3)), RANDOM.normal(size=(2, 6, 2)), np.zeros((4, 2))
    truth, learned = RANDOM.integers(0, 2, 6), RANDOM.random((2, 6)) > 0.3

    def error(weights, row, member):  # the last layer may be moved from where it is
        moved = outputs[member, row] + jnp.append(hidden[member, row], 1.0) @ weights
        return -jax.nn.log_softmax(moved)[truth[row]]
    gradients = np.array([[jax.grad(error)(weights, row, member) for row in range(6)] for member in range(2)])
    expected = np.einsum("mric,msic->mrs", gradients, gradients) * learned[:, None]
    errors = np.asarray(jax.nn.softmax(outputs, axis=-1)) - np.eye(2)[truth]
    assert np.allclose(influences(hidden, errors, hidden, errors, learned), expected.mean(axis=0), atol=1e-5)


def test_distances_and_layers(keeping, clients):
    hidden, outputs = seen = look(keeping.members, keeping.encode(clients)[1].arrays)
    assert np.allclose(outputs, keeping.members.outputs(keeping.encode(clients)[1].arrays), atol=1e-5)
    some = tuple(array[:, :3] for array in seen)
    found = distances(some, seen)
    by_hand = np.zeros((3, len(clients)))
    for own, all_hidden, all_outputs in zip(range(len(hidden)), hidden, outputs, strict=True):
        parts = [array / np.sqrt(np.square(array - array.mean(axis=0)).sum(axis=1).mean())
                 for array in (all_hidden, all_outputs)]
        every = np.concatenate(parts, axis=1)
        by_hand += np.linalg.norm(every[:3, None] - every[None], axis=2) / len(hidden)
        assert own < len(keeping.examples.left_out)
    assert np.allclose(found, by_hand, atol=1e-2)


def test_no_training_row_is_in_a_file_unless_asked_for(keeping, clients, tmp_path):
    plain = replace(keeping, examples=None)
    plain.save(tmp_path / "plain.pellucid")
    keeping.save(tmp_path / "kept.pellucid")

    def contents(name: str) -> bytes:
        with zipfile.ZipFile(tmp_path / name) as file:
            return b"".join(file.read(entry) for entry in file.namelist())
    without, kept = contents("plain.pellucid"), contents("kept.pellucid")
    assert sum(word.encode() in without for word in clients["name"]) == 0
    inputs = keeping.encode(clients)[1].arrays["numbers"]
    raw, texts = clients.select("age", "size").to_numpy(), clients["size"].to_list()
    seen = [any(row.astype(kind).tobytes() in without for kind in (np.float32, np.float64)) for row in raw]
    assert not any(seen) and not any(row.tobytes() in without for row in inputs)
    assert sum(f"{value!r}".encode() in without for value in texts) < len(clients) // 3  # quantiles of single columns
    assert "no training row is" in read_archive(tmp_path / "plain.pellucid").card
    assert sum(value.tobytes() in kept for value in clients["size"].to_numpy()) == len(clients)
    assert "300 of the 300 training rows" in read_archive(tmp_path / "kept.pellucid").card
    with pytest.raises(SettingsError, match="keeps no training rows") as caught:
        pellucid.load(tmp_path / "plain.pellucid").similar(clients[:1])
    assert "--keep-examples" in caught.value.hint
    again = pellucid.load(tmp_path / "kept.pellucid")
    assert again.similar(clients[:2])[1].to_json() == keeping.similar(clients[:2])[1].to_json()


def test_what_cannot_be_kept_is_told(keeping, clients, tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="keep_examples"):
        pellucid.train(clients, task="detect", keep_examples=True, run=tmp_path / "run")
    objects = pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(DataError, match="objects"):
        keep_examples(replace(keeping.examples.table, frame=objects), ["x"], np.zeros(1), np.zeros(1), (0,))
    monkeypatch.setattr("pellucid.model.examples.LARGEST", 1000)
    few = keep_examples(keeping.examples.table, ["age", "size"], np.arange(len(clients)), np.zeros(len(clients)), (0,))
    assert 0 < len(few) < few.total == len(clients)
    broken = {**keeping.examples.tensors(), "examples.table": np.zeros(9, np.uint8)}
    monkeypatch.setattr(type(keeping.examples), "tensors", lambda self: broken)
    keeping.save(tmp_path / "broken.pellucid")
    with pytest.raises(ModelFileError, match="damaged"):
        pellucid.load(tmp_path / "broken.pellucid")

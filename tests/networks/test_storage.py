"""Networks as files: what is kept, foreign networks, and files that are broken."""
import json
import struct

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from pellucid.errors import ModelFileError, ShapeError, StorageError
from pellucid.networks import Feedforward, PerExample, load, save

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


class Mine(eqx.Module):
    """A foreign network that takes one example."""

    layer: eqx.nn.Linear

    def __init__(self, key):
        self.layer = eqx.nn.Linear(3, 2, key=key)

    def __call__(self, x):
        return jnp.tanh(self.layer(x))


def network():
    return Feedforward(3, (4,), 2, normalisation="batch", key=KEY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.safetensors"


def rewritten(path, change):
    """The file with its header changed."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length:])


def test_the_state_is_kept(path):
    own = network()
    _, state = own(jnp.asarray(X), training=True, weight=jnp.ones(4))
    assert save(own, path, state) == path
    loaded, again = load(str(path))
    np.testing.assert_array_equal(own(X, state=state)[0], loaded(X, state=again)[0])
    save(own, path)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, load(path)[1], own.initial_state()))
    with pytest.raises(ShapeError, match="state"):
        save(own, path, (jnp.ones(3),))


@pytest.mark.parametrize("supplied", [
    lambda: PerExample(Mine(jax.random.key(9))), lambda: (lambda key: PerExample(Mine(key)))])
def test_foreign_networks(path, supplied):
    own = PerExample(Mine(KEY))
    save(own, path)
    with pytest.raises(ModelFileError, match="cannot be built"):
        load(path)
    np.testing.assert_array_equal(load(path, network=supplied())[0](X)[0], own(X)[0])
    save(own.module, path)
    np.testing.assert_array_equal(load(path, network=Mine)[0](X[0]), own.module(X[0]))
    with pytest.raises(ModelFileError, match="does not fit"):
        load(path, network=network())


def test_a_full_disk_leaves_the_old_file(path, monkeypatch):
    save(network(), path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save(Feedforward(5, (), 2, key=KEY), path)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_missing_files_and_folders(path):
    save(network(), path)
    with pytest.raises(ModelFileError, match="did you mean .*network.safetensors"):
        load(path.with_name("netwrk.safetensors"))
    with pytest.raises(ModelFileError):
        load(path.parent)


@pytest.mark.parametrize("content", [b"", b"x", b"not a network at all", b"\xff" * 64, b"\x02" + bytes(7) + b"{}"])
def test_other_files(path, content):
    path.write_bytes(content)
    with pytest.raises(ModelFileError):
        load(path)


def test_every_cut_is_noticed(path):
    save(network(), path)
    content = path.read_bytes()
    for length in range(0, len(content), 61):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            load(path)


def test_arrays_of_another_program(path):
    save_file({"weight": np.ones(3, np.float32)}, path)
    with pytest.raises(ModelFileError, match="no network of Pellucid"):
        load(path)


def _record(change):
    def apply(header):
        record = json.loads(header["__metadata__"]["pellucid network"])
        change(record)
        header["__metadata__"]["pellucid network"] = json.dumps(record)
    return apply


@pytest.mark.parametrize(("change", "words"), [
    (_record(lambda record: record.update(format=2)), "format 2"),
    (_record(lambda record: record.pop("spec")), "cannot be read"),
    (_record(lambda record: record["spec"].update(network="feedforwrd")), "feedforwrd"),
    (_record(lambda record: record["spec"].update(hidden=[5])), "has shape"),
    (_record(lambda record: record["spec"].update(hidden=[10**12])), "has shape"),  # nothing of that size is made
    (_record(lambda record: record["spec"].update(hidden=[4, 4])), "lacking"),
    (_record(lambda record: record["spec"].update(surprise=1)), "cannot be built"),
    (lambda header: header["network.output.bias"].update(dtype="I32"), "of type int32"),
    (lambda header: header["__metadata__"].update({"pellucid network": "[" * 100_000}), "cannot be read"),
])
def test_changed_files(path, change, words):
    save(network(), path)
    rewritten(path, change)
    with pytest.raises(ModelFileError, match=words):
        load(path)

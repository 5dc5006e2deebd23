"""Files of PyTorch: tensors are read, anything else is refused and never run."""
from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.torch_file import MAGIC, read_torch_file
from pellucid.errors import DataError

NUMBERS = np.arange(6, dtype=np.float32)


def name(module: str, own: str) -> bytes:
    return f"c{module}\n{own}\n".encode()


def text(words: str) -> bytes:
    return b"X" + struct.pack("<I", len(words.encode())) + words.encode()


REBUILD = name("torch._utils", "_rebuild_tensor_v2")


def tensor(shape=(2, 3), steps=(3, 1), offset=0, size=6, call=REBUILD) -> bytes:
    """The instructions of one tensor, as `torch.save` writes them."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + b"K" + bytes([size])
    sizes = lambda values: b"(" + b"".join(b"K" + bytes([one]) for one in values) + b"t"  # noqa: E731
    hooks = name("collections", "OrderedDict") + b")R"
    return (call + b"(" + storage + b"tQ" + b"K" + bytes([offset]) + sizes(shape) + sizes(steps) + b"\x89" + hooks
            + b"tR")


def dictionary(value: bytes) -> bytes:
    return b"\x80\x02}(" + text("weight") + value + b"u."


def older(path: Path, described: bytes) -> Path:
    """A file as PyTorch wrote it before 1.6."""
    parts = [pickle.dumps(MAGIC, 2), pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2), described,
             pickle.dumps(["0"], 2), struct.pack("<q", 6), NUMBERS.tobytes()]
    path.write_bytes(b"".join(parts))
    return path


def newer(path: Path, described: bytes) -> Path:
    """A file as PyTorch writes it now."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", described)
        archive.writestr("model/data/0", NUMBERS.tobytes())
    return path


class Evil:
    """What an attacker would put into a file."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("write", [older, newer])
def test_tensors_are_read(write, tmp_path):
    found = read_torch_file(write(tmp_path / "a.pth", dictionary(tensor())))
    np.testing.assert_array_equal(found["weight"], NUMBERS.reshape(2, 3))
    turned = read_torch_file(write(tmp_path / "b.pth", dictionary(tensor((3, 2), (1, 3)))))
    np.testing.assert_array_equal(turned["weight"], NUMBERS.reshape(2, 3).T)


@pytest.mark.parametrize("write", [older, newer])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_is_run(write, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = pickle.dumps(Evil(), protocol)
    inside = dictionary(pickle.dumps(Evil(), 2)[2:-1])
    for described in (whole, inside, pickle.dumps({"weight": Evil()}, protocol)):
        with pytest.raises(DataError, match="because it holds"):
            read_torch_file(write(tmp_path / "evil.pth", described))
    assert not Path("ran").exists()


@pytest.mark.parametrize("described", [
    dictionary(tensor(call=name("builtins", "eval"))), dictionary(tensor(call=name("torch", "load"))),
    dictionary(text("words")), pickle.dumps([1, 2], 2), pickle.dumps({"a": 1}, 2),
    b"\x80\x02" + name("collections", "OrderedDict") + b"}b.",  # sets the fields of a class
    b"\x80\x02" + name("torch._utils", "_rebuild_tensor_v2") + b"(K\x01tR.",
])
def test_other_things_are_refused(described, tmp_path):
    with pytest.raises(DataError):
        read_torch_file(older(tmp_path / "a.pth", described))


@pytest.mark.parametrize(("shape", "steps", "offset"), [((2, 4), (4, 1), 0), ((2, 3), (3, 1), 1), ((200,), (0,), 0)])
def test_a_tensor_stays_inside_its_storage(shape, steps, offset, tmp_path):
    with pytest.raises(DataError, match="larger than its storage"):
        read_torch_file(older(tmp_path / "a.pth", dictionary(tensor(shape, steps, offset))))


def test_damaged_files(tmp_path):
    whole = older(tmp_path / "a.pth", dictionary(tensor())).read_bytes()
    for size in (0, 5, 60, len(whole) - 3):
        (tmp_path / "cut.pth").write_bytes(whole[:size])
        with pytest.raises(DataError):
            read_torch_file(tmp_path / "cut.pth")
    with pytest.raises(DataError, match="no file"):
        read_torch_file(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_bytes(io.BytesIO(b"Dear reader").getvalue())
    with pytest.raises(DataError):
        read_torch_file(tmp_path / "text.pth")

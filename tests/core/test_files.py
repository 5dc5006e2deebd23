"""A file is old or new, never half."""
from __future__ import annotations

import errno
import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from pellucid.core.files import remove_leftovers, write_atomically
from pellucid.errors import StorageError


def test_text_and_bytes(tmp_path):
    write_atomically(tmp_path / "a", "grün")
    write_atomically(str(tmp_path / "b"), b"\x00")
    assert (tmp_path / "a").read_text("utf-8") == "grün" and (tmp_path / "b").read_bytes() == b"\x00"


def test_rights_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", "x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, step):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "model"
    file.write_text("old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        write_atomically(file, "new")
    assert caught.value.hint and file.read_text() == "old" and os.listdir(tmp_path) == ["model"]


def test_a_full_disk_while_writing(tmp_path, monkeypatch):
    class Full:
        def __init__(self, file):
            self._file, self.name = file, file.name

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, content):
            self._file.write(content[:1])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real = tempfile.NamedTemporaryFile
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda **options: Full(real(**options)))
    (tmp_path / "model").write_text("old")
    with pytest.raises(StorageError):
        write_atomically(tmp_path / "model", "new")
    assert (tmp_path / "model").read_text() == "old" and os.listdir(tmp_path) == ["model"]


def test_a_disk_that_is_really_full(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        write_atomically(tmp_path / "model", b"o" * 20_000)
        with pytest.raises(StorageError, match="No space left"):
            write_atomically(tmp_path / "model", b"n" * 100_000)
        assert (tmp_path / "model").read_bytes() == b"o" * 20_000 and os.listdir(tmp_path) == ["model"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", "x")
    assert not list(tmp_path.iterdir())


def test_a_missing_folder(tmp_path):
    with pytest.raises(StorageError, match="No such file or directory"):
        write_atomically(tmp_path / "no" / "a", "x")
    write_atomically(tmp_path / "yes" / "a", "x", make_folder=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_atomically(tmp_path / "file" / "a", "x", make_folder=True)


def test_leftovers_of_this_file_alone_are_removed(tmp_path):
    for name in (".model.abc.part", ".other.abc.part", "model", ".model"):
        Path(tmp_path / name).write_text("x")
    remove_leftovers(tmp_path / "model")
    remove_leftovers(tmp_path / "no folder" / "model")
    assert sorted(os.listdir(tmp_path)) == [".model", ".other.abc.part", "model"]

"""Experiment trackers."""
from __future__ import annotations

import sys

import pytest

from pellucid.errors import MissingExtraError
from pellucid.training import TensorBoard
from pellucid.training.history import Epoch


def test_a_missing_extra_is_told_with_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError) as caught:
        TensorBoard(tmp_path)
    assert "tensorboardX" in caught.value.message and caught.value.hint == "pip install 'pellucid[tracking]'"


def test_epochs_are_written(tmp_path):
    pytest.importorskip("tensorboardX")
    callback = TensorBoard(tmp_path)
    callback(Epoch(-1, 0, 2.0, float("nan"), 0.0))
    assert callback(Epoch(0, 5, 1.0, 1.5, 0.1)) is None
    callback._writer.close()  # a thread of tensorboardX writes the file; this waits for it
    assert sum(path.stat().st_size for path in tmp_path.glob("events*")) > 100

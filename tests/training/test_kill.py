"""A run that is killed without warning goes on to the same bits; more of it in benchmarks/resume.py."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

SCRIPT = """
import sys
import numpy as np
import pellucid
rng = np.random.default_rng(0)
table = {f"x{column}": rng.normal(size=300) for column in range(3)}
table["y"] = np.where(table["x0"] > table["x1"] ** 2, "yes", "no")
run = pellucid.train(table, "y", run=sys.argv[1], resume=sys.argv[2] == "resume", epochs=int(sys.argv[3]), members=1,
                     hidden=4, batch_size=1, test_size=0, schedule="cosine")
"""
EPOCHS = 2_000


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts a run; all share a compile cache of their own, because a killed process may leave half an entry."""
    cache = str(tmp_path_factory.mktemp("cache"))

    def process(folder, how="new"):
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), how, str(EPOCHS)], stderr=subprocess.PIPE,
                                env={**os.environ, "JAX_PLATFORMS": "cpu", "JAX_COMPILATION_CACHE_DIR": cache},
                                text=True)
    return process


def finish(process):
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said


def kept(folder):
    """The weights, and the record but for its seconds."""
    with zipfile.ZipFile(folder / "model.pellucid") as file:
        weights = file.read("weights.safetensors")
    lines = (folder / "history.csv").read_text().splitlines()
    assert len(lines) == EPOCHS + 2
    return weights, [line.rsplit(",", 1)[0] for line in lines]


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    """What a run that is left alone comes to."""
    folder = tmp_path_factory.mktemp("whole")
    finish(start(folder))
    return kept(folder)


@pytest.mark.parametrize("moment", ["settings.json", "checkpoint/carry.safetensors"])
def test_a_killed_run_goes_on_to_the_same_bits(start, whole, tmp_path, moment):
    process, deadline = start(tmp_path), time.monotonic() + 100
    while not (tmp_path / moment).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(np.random.default_rng().uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    finish(start(tmp_path, "resume"))
    assert kept(tmp_path) == whole

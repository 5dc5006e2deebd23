"""The compile cache on disk is a help, never a condition."""
from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import jax
import pytest

from pellucid.training import compiled
from pellucid.training.compiled import cache_folder

SCRIPT = """
import jax, numpy as np, pellucid
x = np.ones((8, 3), "float32")
network = pellucid.networks.Feedforward(3, (), 1, key=jax.random.key(0))
fit = pellucid.fit(network, "mean_squared", (x, x[:, :1]), epochs=1)
print(fit.ending, jax.config.jax_compilation_cache_dir)
"""


def fit_with(cache, **more):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PELLUCID_CACHE": str(cache), **more}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, env=environment)
    assert found.stderr == "", found.stderr
    return found.stdout.split()


def test_the_folder_has_a_name_of_its_own_for_each_engine_and_processor(monkeypatch, tmp_path):
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    assert cache_folder().parent == tmp_path and cache_folder().name.startswith("jaxlib-")
    monkeypatch.delenv("PELLUCID_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder().parent == tmp_path / "x" / "pellucid"


@pytest.mark.parametrize("options", [{"xla_cpu_use_fusion_emitters": False}, {"xla_of_another_age": True}])
def test_options_of_the_compiler_are_asked_for_but_not_needed(options):
    asked = []

    class Lowered:
        """What compiles by the real compiler, and notes the options."""

        def compile(self, **given):
            asked.append(given.get("compiler_options"))
            return jax.jit(lambda x: 2 * x).lower(1.0).compile(**given)

    network = SimpleNamespace(compiler_options=options)
    found = compiled._compile(Lowered(), SimpleNamespace(layout=SimpleNamespace(static=network)))
    assert found(1.0) == 2.0
    assert asked == ([options] if "xla_cpu_use_fusion_emitters" in options else [options, None])


@pytest.mark.parametrize("word", ["off", "OFF", "none", "0"])
def test_off(monkeypatch, word):
    monkeypatch.setenv("PELLUCID_CACHE", word)
    assert cache_folder() is None


def test_a_folder_that_cannot_be_made_is_no_trouble(tmp_path):
    (tmp_path / "file").write_text("")
    assert fit_with(tmp_path / "file" / "inside") == ["finished", "None"]


def test_programs_are_kept_in_the_folder_and_damaged_ones_are_no_trouble(tmp_path):
    assert fit_with(tmp_path) == ["finished", str(next(tmp_path.iterdir()))]
    kept = [path for path in next(tmp_path.iterdir()).iterdir() if path.name.endswith("-cache")]
    assert {"jit_run_chunk", "jit__start", "jit_begin"} <= {path.name.split("-")[0] for path in kept}
    for path in kept:
        path.write_bytes(b"junk")
    assert fit_with(tmp_path)[0] == "finished"


def test_what_was_not_read_for_longest_makes_room(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled, "MOST_BYTES", 500)
    for age in range(6):
        path = tmp_path / f"{age}-cache"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1e9 - age, 1e9 - age))
    compiled._make_room(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0-cache", "1-cache"]
    compiled._make_room(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    compiled._make_room(tmp_path / "missing")

"""Random tables at `train` and `inspect`: an answer or an error with a hint, never a traceback."""
from __future__ import annotations

import tempfile
from pathlib import Path

import jax
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pellucid.cli.dispatch import main

ROWS = 24
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
odd = st.sampled_from(["", " ", "NA", "nan", "inf", "-inf", "1e400", "0", "-0.0", "1,5", "yes", "no", "2020-02-30",
                       "2021-01-01", "'", '""', "é", "1e-320", "9" * 25, "0x1F", "true", "None", "\u200b"])
cells = st.one_of(odd, st.integers(-5, 5).map(str), st.floats(allow_nan=True).map(str), names)


@st.composite
def tables(draw: st.DrawFn, rows: int = ROWS) -> str:
    """The text of a delimited file: sane columns, odd columns, a target of a few values or of many."""
    columns = [[str(index) for index in range(rows)]]
    for _ in range(draw(st.integers(0, 2))):
        pool = draw(st.lists(cells, min_size=1, max_size=5))
        columns.append([draw(st.sampled_from(pool)) for _ in range(rows)])
    labels = draw(st.lists(cells, min_size=1, max_size=3))
    columns.append([labels[index % len(labels)] for index in range(rows)])
    header = [f"column {index}" for index in range(len(columns))]
    lines = [header, *map(list, zip(*columns, strict=True))]
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.one_of(tables(), tables(rows=3), st.text(max_size=200), st.binary(max_size=200)),
       st.sampled_from([(), ("--json",), ("--target", "column 0")]))
def test_inspect_never_shows_a_traceback(content, arguments):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.csv"
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        assert main(["inspect", str(path), *arguments]) in (0, 2)


@pytest.fixture(scope="module")
def quick_compilation():
    """Programs that run twice need no optimisation."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@settings(max_examples=6, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(tables(), st.sampled_from(["1", "2"]), st.sampled_from(["0", "0", "0.2"]))
def test_train_never_shows_a_traceback(quick_compilation, content, members, test_size):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.csv"
        path.write_text(content, encoding="utf-8")
        code = main(["train", str(path), "--run", str(Path(folder) / "run"), "--epochs", "2", "--members", members,
                     "--hidden", "4", "--batch-size", "32", "--test-size", test_size, "--quiet"])
        assert code in (0, 2)

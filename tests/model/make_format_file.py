"""Makes tests/model/files/format-1.pellucid and what it answers. Run once for each format, before a release:

    python tests/model/make_format_file.py

The files stay as they are: later versions must read them and answer the same.
"""
from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from pellucid.model.archive import FORMAT
from pellucid.tasks.train import train

FILES = Path(__file__).parent / "files"


def rows(count: int = 120) -> list[dict]:
    """Made-up clients: numbers, a category, a yes-or-no column, missing cells."""
    generator = np.random.default_rng(0)
    age, income = generator.integers(18, 80, count), generator.lognormal(10, 0.5, count).round()
    home = generator.choice(["own", "rent", "free"], count)
    lend = (income / 30000 + (home == "own") + generator.normal(0, 0.5, count)) > 1.2
    return [{"age": int(a), "income": None if i % 17 == 0 else float(m), "home": str(h),
             "married": ["yes", "no"][i % 2], "lend": ["no", "yes"][int(ok)]}
            for i, (a, m, h, ok) in enumerate(zip(age, income, home, lend, strict=True))]


def main() -> None:
    """Train, save, and write down the answers."""
    with tempfile.TemporaryDirectory() as folder:
        run = train(rows(), "lend", run=Path(folder) / "run", members=2, hidden=(4,), epochs=10, column_dropout=0.0)
        run.model.save(FILES / f"format-{FORMAT}.pellucid")
        answers = run.model.predict(rows(10)).probabilities
    (FILES / f"format-{FORMAT}.json").write_text(json.dumps(answers.tolist()))


if __name__ == "__main__":
    main()

"""A small version of benchmarks/planted.py: the words that are causes come first, their decoys behind."""
from __future__ import annotations

import numpy as np
import polars as pl

import pellucid

CAUSES, PARTS = 3, 12


def made(rows: int) -> pl.DataFrame:
    """Texts of twelve words; the label is the majority of three, each with a decoy correlated at 0.7 with it."""
    random = np.random.default_rng(0)
    causes = random.integers(0, 2, (rows, CAUSES))
    decoys = np.where(random.uniform(size=causes.shape) < 0.85, causes, 1 - causes)
    words = [[f"{role}{place}{'yes' if one else 'no'}" for role, bits in (("cause", cause), ("decoy", decoy))
              for place, one in zip("abc", bits, strict=True)] + [
                  f"idle{one}" for one in random.choice(60, PARTS - 2 * CAUSES, replace=False)]
             for cause, decoy in zip(causes, decoys, strict=True)]
    texts = [" ".join(random.permutation(row)) for row in words]
    return pl.DataFrame({"text": texts, "label": np.where(causes.sum(axis=1) > 1, "yes", "no")})


def test_words_that_are_causes_come_first(tmp_path):
    frame = made(800)
    model = pellucid.train(frame[:700], "label", run=tmp_path / "run", members=2, epochs=12, test_size=0.1).model
    asked = frame[700:725]
    right = np.flatnonzero(model.predict(asked).prediction == asked["label"].to_numpy())
    found = model.explain(asked[right.tolist()])
    assert len(found) >= 20 and {one.method for one in found} == {"evidence"}
    ranked = [[one.parts[place].name for place in one.order[:CAUSES]] for one in found]
    assert np.mean([all(name.startswith("cause") for name in names) for names in ranked]) >= 0.95
    one = found[0]
    assert abs(one.completeness) < 1e-9
    assert one.cells["text"].value == asked["text"][int(right[0])]
    assert all(one.cells["text"].value[slice(*part.place)] == part.name for part in one.parts)

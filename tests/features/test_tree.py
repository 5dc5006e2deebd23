"""A column of trees in brackets: recognised, encoded, and what is broken is named."""
import json

import numpy as np
import polars as pl
import pytest

from pellucid.features.recognise import recognise
from pellucid.features.tree import TreeFeature
from pellucid.features.trees import Tree, pruned, read_tree
from pellucid.features.types import feature_from_json

GOOD = ["(1 (0 good) (1 film))", "(0 (0 bad) (0 film))", "(1 (1 good) (0 (0 bad) (1 film)))"]
BROKEN = {"(1 (0 good) (1 film)": "misses a closing bracket",
          "(1 (0 good)) (1 film)": "goes on behind the last bracket",
          "good film": "has something outside the brackets", "(1 (0 good) film)": "has a stray word",
          "(1 ())": "has a node without a label"}


@pytest.mark.parametrize("cells, kind", [
    (GOOD * 5, "tree"), ([*GOOD, "(1 (0 good) (1 film)"] * 5, "tree"),
    (["(see above)", "(none)", "(a b)"] * 5, "category"), (["a", "b"] * 9, "category")])
def test_recognised_with_a_reason(cells, kind):
    found = recognise("sentence", pl.Series(cells))
    assert found.kind == kind
    if kind == "tree":
        assert found.reason.startswith("trees in brackets, 2 words on average; ")


def test_encode_counts_and_names_what_is_broken():
    feature = TreeFeature.fit("tree", pl.Series(GOOD * 2))
    assert feature.vocabulary == ("film", "bad", "good") and feature.labels == ("0", "1") and feature.arity == 2
    one = feature.encode(pl.Series([GOOD[2], None, *BROKEN, "(1 (7 Good) (1 unknown))"]))
    assert one.counts == {"missing": 1, "unreadable": 5} and one.missing.tolist() == [False] + [True] * 6 + [False]
    for row, (cell, reason) in enumerate(BROKEN.items(), 2):
        assert one.trouble[row].startswith(f"row {row + 1} {reason}") and cell[:30] in one.trouble[row]
    assert one.raw["count"].tolist() == [5, 1, 1, 1, 1, 1, 1, 3]
    assert one.raw["tokens"][0, :5].tolist() == [3, 2, 1, -1, -1]
    assert one.raw["labels"][0, :5].tolist() == [1, 0, 1, 0, 1]
    assert one.raw["tokens"][-1, :3].tolist() == [3, 0, -1] and one.raw["labels"][-1, :3].tolist() == [-1, 1, 1]


def test_larger_trees_are_cut_around_the_root():
    feature = TreeFeature.fit("tree", pl.Series(GOOD))
    deep = "(1 (0 a) " * 40 + "(1 b)" + ")" * 40
    wide = "(1 " + "(0 a) " * 12 + ")"
    one = feature.encode(pl.Series([deep, wide, GOOD[0]]))
    assert one.counts == {"cut": 2} and one.raw["count"].tolist()[2] == 3 and one.raw["count"].max() <= feature.nodes
    tree = read_tree("(a (b (c x) (d y)) (e z))")
    assert pruned(tree, 9, 2) is tree
    assert pruned(tree, 3, 2) == Tree(("b", "e", "a"), ("", "z", None), ((), (), (0, 1)))
    assert pruned(tree, 9, 1) == Tree(("c", "b", "a"), ("x", None, None), ((), (0,), (1,)))


def test_json_probe_and_nothing_readable():
    feature = TreeFeature.fit("tree", pl.Series(GOOD))
    assert feature_from_json(json.loads(json.dumps(feature.to_json()))) == feature
    real, made = feature.encode(pl.Series(GOOD)).raw, feature.probe(9, np.random.default_rng(0))
    assert {name: (a.dtype, a.shape[1:]) for name, a in real.items()} == {
        name: (a.dtype, a.shape[1:]) for name, a in made.items()}
    assert (made["children"] < np.arange(feature.nodes)[None, :, None]).all()
    none = TreeFeature.fit("tree", pl.Series(["(", None]))
    assert none.encode(pl.Series(["("])).counts == {"unreadable": 1}
    many = TreeFeature.fit("tree", pl.Series([f"({number} word)" for number in range(60)]))
    assert many.labels == ()

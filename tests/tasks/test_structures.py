"""Molecules and trees from files to predictions."""
import re

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.core.declared import TRAIN
from pellucid.data.read import read_table
from pellucid.data.same import equal_rows
from pellucid.data.schema import infer_schema
from pellucid.tasks import prepare as preparing

QUICK = {"epochs": 1, "members": 1, "test_size": 0.2}


def test_molecules_from_a_plain_table(tmp_path):
    pytest.importorskip("rdkit")
    parts = ["C", "CC", "CCC", "c1ccccc1", "C1CCCCC1", "N", "CO", "CCO"]
    smiles = [f"{one}C(=O){two}{three}" for one in parts for two in ("N", "O", "C") for three in parts]
    smiles = [*smiles[:-3], "hello", "", "[Na+].[Cl-]"] + ["OCC", "CCO"] * 30
    table = pl.DataFrame({"smiles": smiles, "size": [float(len(one)) for one in smiles]})
    table.write_csv(tmp_path / "molecules.csv")
    run = pellucid.train(tmp_path / "molecules.csv", run=tmp_path / "run", **QUICK)
    feature = run.model.features[0]
    assert feature.kind == "molecule" and "all of" not in feature.reason
    said = " ".join(note.message for note in run.result.notes)
    assert re.search(r"cannot be read as a molecule.*`hello`\): it is not written as a molecule", said)
    again = pellucid.load(run.folder / "model.pellucid").predict(table.head(20))
    assert np.allclose(again.prediction, run.model.predict(table.head(20)).prediction)
    odd = run.model.predict(pl.DataFrame({"smiles": ["C" * 300, "C1CC", None, "CCO"]}))
    assert np.isfinite(odd.prediction).all() and (odd.lower <= odd.upper).all()
    assert {note.kind for note in odd.notes} >= {"cut", "unreadable", "missing"}


def test_one_molecule_never_straddles_a_split_and_scaffolds_can_be_groups():
    pytest.importorskip("rdkit")
    smiles = ["OCC", "CCO", "CCN", "CCCl", "Cc1ccccc1", "Oc1ccccc1", "C1CC1", None, None, "oops"]
    table = read_table({"smiles": smiles, "y": list(np.arange(10.0)), "batch": list("ababababab")})
    groups = equal_rows(table, infer_schema(table, "y"))
    assert groups[0] == groups[1] and len(set(groups.tolist())) == 9  # although their batches differ
    many = read_table({"smiles": smiles * 9, "y": list(np.arange(90.0)), "when": list(np.arange(90.0))})
    assert len(set(equal_rows(many, infer_schema(many, "y")).tolist())) == 90  # few things, each in many rows
    prepared = preparing.prepare(table, "y", TRAIN.check({"group_column": "smiles", "types": {"smiles": "molecule"}}))
    assert prepared.schema.column("smiles").kind == "molecule"
    assert prepared.groups[4] == prepared.groups[5] != prepared.groups[6]


def made_up_trees(count, generator):
    """The root says which words there are more of, and so does every node."""
    def grown(leaves):
        if leaves == 1:
            word = str(generator.choice(["good", "fine", "bad", "dull"]))
            value = 1 if word in ("good", "fine") else -1
            return value, f"({int(value > 0)} {word})"
        left, right = grown(leaves // 2), grown(leaves - leaves // 2)
        value = left[0] + right[0]
        return value, f"({int(value > 0)} {left[1]} {right[1]})"

    return [grown(int(generator.integers(3, 9)))[1] for _ in range(count)]


def test_trees_from_a_text_file(tmp_path):
    trees = made_up_trees(300, np.random.default_rng(0))
    trees[3] = trees[3][:-1]
    path = tmp_path / "trees.txt"
    path.write_text("\n".join(trees) + "\n", encoding="utf-8")
    run = pellucid.train(path, run=tmp_path / "run", epochs=6, members=1)
    assert run.model.features[0].kind == "tree" and run.model.classes == ("0", "1")
    assert run.metrics["network"]["accuracy"] > 0.85
    assert any("line 4 misses a closing bracket" in note.message for note in run.result.notes)
    unlabelled = [re.sub(r"\(\d", "(?", tree) for tree in trees[:9]]
    found = pellucid.load(run.folder / "model.pellucid").predict(pl.DataFrame({"tree": unlabelled}))
    assert np.allclose(found.probabilities, run.model.predict(pl.DataFrame({"tree": trees[:9]})).probabilities)
    broken = [note for note in found.notes if note.kind == "unreadable"]
    assert "row 4 misses a closing bracket" in broken[0].message

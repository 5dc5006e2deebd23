"""A column of molecules: recognised, encoded as graphs and descriptors, whatever the cells hold."""
import json
import sys

import numpy as np
import polars as pl
import pytest

from pellucid.errors import MissingExtraError
from pellucid.features.recognise import fit_feature, recognise
from pellucid.features.types import feature_from_json

pytest.importorskip("rdkit")
from pellucid.features import chemistry  # noqa: E402
from pellucid.features.molecule import Molecule  # noqa: E402

KNOWN = ["CCO", "c1ccccc1", "CC(=O)O", "C[C@H](N)C(=O)O", "F/C=C/F", "[Na+].[Cl-]", "CCN(CC)CC", "OC1CCCCC1", "C#N",
         "[H]OC([H])([H])[H]", "CC(C)=O", "c1ccncc1"]
ODD = {"": "missing", "NA": "missing", "C1CC": "not written as", "CN(C)(C)(C)C": "more bonds",
       "c1cccc1": "do not add up", "hello": "not written as"}


def fitted():
    return Molecule.fit("smiles", pl.Series(KNOWN))


@pytest.mark.parametrize("name, cells, kind", [
    ("smiles", ["CCO", "C", "oops", "CN"], "molecule"), ("structure", KNOWN * 2, "molecule"),
    ("canonical_smiles", KNOWN, "molecule"), ("x", ["InChI=1S/CH4/h1H4", "InChI=1S/H2O/h1H2"] * 9, "category"),
    ("inchi", ["InChI=1S/CH4/h1H4", "InChI=1S/H2O/h1H2"] * 9, "molecule"),
    ("embarked", ["S", "C", "Q"] * 20, "category"), ("class", ["I", "II", "III"] * 9, "category"),
    ("answer", ["NO", "CO", "I", "CC"] * 9, "category"), ("smiles", ["happy", "sad", "none"] * 9, "category"),
    ("word", ["cons", "bison", "Scion", "icon", "phonic", "coin", "Boss", "Finn", "Poison", "conic"] * 3, "category")])
def test_recognised_with_a_reason_and_words_are_not_taken_for_molecules(name, cells, kind):
    found = recognise(name, pl.Series(cells))
    assert found.kind == kind
    if kind == "molecule":
        assert "read as molecules" in found.reason and found.distinct == len(set(cells))


def test_without_rdkit_a_telling_name_is_enough_and_fitting_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    assert recognise("smiles", pl.Series(KNOWN)).kind == "molecule"
    assert recognise("structure", pl.Series(KNOWN)).kind != "molecule"
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[molecules\]'"):
        fit_feature("smiles", pl.Series(["CCCCO", "CCCCN"]), kind="molecule")


def test_odd_cells_are_counted_and_named():
    feature, cells = fitted(), [*ODD, None, "CCO"]
    one = feature.encode(pl.Series(cells))
    assert one.counts == {"missing": 3, "unreadable": 4} and one.missing.tolist() == [True] * 7 + [False]
    for row, (cell, reason) in enumerate(ODD.items()):
        if reason != "missing":
            assert f"row {row + 1} (`{cell}`)" in one.trouble[row] and reason in one.trouble[row]
    assert one.raw["node_count"].tolist() == [1] * 7 + [3]
    assert one.raw["graph_features"][:, -1].tolist() == [1] * 7 + [0]
    assert not one.raw["nodes"][:7].any() and np.isfinite(one.raw["graph_features"]).all()


def test_every_kind_of_molecule_has_a_graph():
    feature = fitted()
    cells = ["[Na+].[Cl-]", "C", "[H][H]", "[H]OC([H])([H])[H]", "F/C=C\\F", "[Fe]", "CCO.CCO", "[U+6]", "*CC",
             "InChI=1S/CH4/h1H4", "C" * 700]
    one = feature.encode(pl.Series(cells))
    assert one.counts == {"cut": 1} and not one.missing.any()
    assert one.raw["node_count"].tolist() == [2, 1, 2, 2, 4, 1, 6, 1, 3, 1, feature.atoms]
    assert one.raw["edge_count"].tolist()[:4] == [0, 0, 2, 2]
    assert one.raw["edges"].max() < feature.atoms and np.isfinite(one.raw["graph_features"]).all()
    trans, cis = (feature.encode(pl.Series([cell])).raw["edge_features"] for cell in ("F/C=C/F", "F/C=C\\F"))
    assert (trans != cis).any()


def test_a_molecule_is_encoded_alike_however_it_is_written():
    feature = fitted()
    one = feature.encode(pl.Series(["OCC", "CCO", "C(C)O"])).raw
    for name, values in one.items():
        assert np.allclose(values, values[:1], atol=1e-5), name
    cells = pl.Series(["OCC", "C(O)C", "no", None, "[Cl-].[Na+]"])
    assert Molecule.same(cells).to_list() == ["CCO", "CCO", "no", None, "[Cl-].[Na+]"]
    assert Molecule.families(pl.Series(["CCc1ccccc1", "Oc1ccccc1", "CCO"])).to_list() == ["c1ccccc1", "c1ccccc1", ""]


def test_a_large_molecule_is_cut_to_a_connected_part():
    graph, = chemistry.graphs_of(["C" * 50 + "O"])
    cut = graph.cut(10, 100)
    assert len(cut.nodes) == 10 and len(cut.edges) == 18 and cut.edges.max() == 9
    assert len(graph.cut(10, 7).edges) == 6
    salt, = chemistry.graphs_of(["[Na+].[Cl-].CCCC"])
    assert len(salt.cut(2, 9).nodes) == 2


def test_mol_blocks_keep_their_meaning_when_blanks_are_stripped():
    chem = chemistry.rdkit()
    block = chem.MolToMolBlock(chem.MolFromSmiles("c1ccccc1O"))
    assert chemistry.canonical_smiles([block, block.strip(), block[:200] + "\nM  END"]) == ["Oc1ccccc1"] * 2 + [None]
    feature = Molecule.fit("m", pl.Series([block, "not a block\nM  END"]))
    one = feature.encode(pl.Series(["not a block\nM  END"]))
    assert one.counts == {"unreadable": 1} and "the mol block is damaged" in one.trouble[0]


def test_json_probe_constant_and_nothing_readable():
    feature = fitted()
    assert feature_from_json(json.loads(json.dumps(feature.to_json()))) == feature
    real, made = feature.encode(pl.Series(KNOWN)).raw, feature.probe(5, np.random.default_rng(0))
    assert {name: (a.dtype, a.shape[1:]) for name, a in real.items()} == {
        name: (a.dtype, a.shape[1:]) for name, a in made.items()}
    for cells in (["CCO"] * 4, ["no", None]):
        own = Molecule.fit("smiles", pl.Series(cells))
        one = own.encode(pl.Series(cells))
        assert np.isfinite(one.raw["graph_features"]).all() and not one.raw["graph_features"][:, :-1].any()

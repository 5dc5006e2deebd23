"""Molecules: SMILES to graphs; what cannot be read is told."""
import sys

import numpy as np
import pytest

from pellucid.errors import DataError, MissingExtraError
from pellucid.features import molecules as of


def test_without_rdkit_the_install_command_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[molecules\]'"):
        of.read_molecules(["C"])


def test_graphs_descriptors_and_fingerprints(capfd):
    pytest.importorskip("rdkit")
    read = of.read_molecules(["CCO", "C1CC", "c1ccccc1", "", "C", None, "OCC"])
    assert read.rows.tolist() == [0, 2, 4, 6] and len(read) == 4
    assert read.notes[0].startswith("3 of 7 SMILES cannot be read and were left out: row 1 (`C1CC`), row 3 (``), row")
    assert read.canonical[0] == read.canonical[3]  # two ways to write ethanol
    graphs = of.molecule_graphs(read, most_nodes=9)
    assert graphs["nodes"].shape == (4, 9, len(of.atom_features()))
    assert graphs["edge_features"].shape == (4, 12, len(of.bond_features()))
    assert graphs["node_count"].tolist() == [3, 6, 1, 3] and graphs["edge_count"].tolist() == [4, 12, 0, 4]
    names = of.atom_features()
    ethanol = [{names[index] for index in np.flatnonzero(atom)} for atom in graphs["nodes"][0, :3]]
    assert {"element C", "degree 4", "hydrogens 3", "charge 0", "hybridisation SP3"} <= ethanol[0]
    assert {"element O", "degree 2", "hydrogens 1"} <= ethanol[2]
    bonds = of.bond_features()
    assert {bonds[index] for index in np.flatnonzero(graphs["edge_features"][1, 0])} == {
        "bond AROMATIC", "stereo STEREONONE", "conjugated", "in ring"}
    values, descriptors = of.molecule_descriptors(read)
    assert values.shape == (4, len(descriptors))
    assert values[1, descriptors.index("MolWt")] == pytest.approx(78.11, abs=0.01)
    fingerprints = of.molecule_fingerprints(read, bits=128)
    assert fingerprints.shape == (4, 128) and np.array_equal(fingerprints[0], fingerprints[3])
    assert fingerprints[1].max() == 6  # benzene's atoms are all alike
    assert of.molecule_fingerprints(read, bits=128, counts=False).max() == 1
    assert capfd.readouterr() == ("", "")  # RDKit's own messages are kept away


def test_nothing_readable_is_told():
    pytest.importorskip("rdkit")
    with pytest.raises(DataError, match="None of 2 SMILES can be read; the first is 'hello'"):
        of.read_molecules(["hello", "C(("])

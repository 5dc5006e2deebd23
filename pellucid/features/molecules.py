"""Molecules: SMILES read by RDKit and turned into graphs of atoms and bonds, or into whole-molecule descriptors."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.features.chemistry import (
    atom_features,
    bond_features,
    describe,
    descriptor_names,
    graph_of,
    parse,
    quiet,
    rdkit,
)

__all__ = ["Molecules", "atom_features", "bond_features", "molecule_descriptors", "molecule_fingerprints",
           "molecule_graphs", "read_molecules"]

SHOWN = 3  # unreadable strings that a note quotes


@dataclass(frozen=True, eq=False)
class Molecules:
    """Molecules that could be read.

    Args:
        parsed: RDKit's molecules.
        rows: the number of each one in what was given.
        canonical: its SMILES as RDKit writes it, the same for every way to write one molecule.
        notes: what was noticed, in words, such as how many could not be read.
    """

    parsed: tuple[Any, ...]
    rows: np.ndarray
    canonical: tuple[str, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.parsed)


def read_molecules(smiles: Sequence[str]) -> Molecules:
    """Read SMILES; what cannot be read is left out, counted and told in the notes.

    Args:
        smiles: one string a molecule.

    Raises:
        MissingExtraError: the extra `molecules` is not installed.
        DataError: not one of the strings can be read.

    Example:
        >>> molecules = read_molecules(["CCO", "no molecule", "c1ccccc1"])
        >>> molecules.rows.tolist(), molecules.notes[0]
        ([0, 2], '1 of 3 SMILES cannot be read and was left out: row 1 (`no molecule`).')
    """
    with quiet():
        parsed = [parse(text) for text in smiles]
    bad = [row for row, molecule in enumerate(parsed) if molecule is None]
    if len(bad) == len(parsed):
        raise DataError(f"None of {len(parsed)} SMILES can be read; the first is {next(iter(smiles), None)!r}.",
                        "check that the column holds SMILES, such as `CCO` for ethanol")
    rows = np.array([row for row, molecule in enumerate(parsed) if molecule is not None], np.int32)
    good = tuple(parsed[row] for row in rows)
    notes = []
    if bad:
        shown = ", ".join(f"row {row} (`{smiles[row]}`)" for row in bad[:SHOWN]) + ", …" * (len(bad) > SHOWN)
        was = "was" if len(bad) == 1 else "were"
        notes.append(f"{len(bad)} of {len(parsed)} SMILES cannot be read and {was} left out: {shown}.")
    return Molecules(good, rows, tuple(rdkit().MolToSmiles(molecule) for molecule in good), tuple(notes))


def molecule_graphs(molecules: Molecules, most_nodes: int = 0, most_edges: int = 0) -> dict[str, np.ndarray]:
    """Atoms as nodes and bonds as two directed edges each, padded to one size: what `networks.Graph` takes.

    Args:
        molecules: as read by `read_molecules`.
        most_nodes, most_edges: sizes to pad to, where the largest molecule is smaller.

    Returns:
        `"nodes"` (rows, most_nodes, len(atom_features())), `"edges"` (rows, most_edges, 2), `"edge_features"`
        (rows, most_edges, len(bond_features())), `"node_count"` and `"edge_count"` (rows,).

    Example:
        >>> graphs = molecule_graphs(read_molecules(["CCO", "C"]))
        >>> graphs["node_count"].tolist(), graphs["edges"][0].tolist()
        ([3, 1], [[0, 1], [1, 0], [1, 2], [2, 1]])
    """
    atoms = np.array([molecule.GetNumAtoms() for molecule in molecules.parsed], np.int32)
    bonds = np.array([2 * molecule.GetNumBonds() for molecule in molecules.parsed], np.int32)
    rows, width, length = len(molecules), max(int(atoms.max()), most_nodes), max(int(bonds.max()), most_edges, 1)
    nodes = np.zeros((rows, width, len(atom_features())), np.float32)
    edges = np.zeros((rows, length, 2), np.int32)
    features = np.zeros((rows, length, len(bond_features())), np.float32)
    for row, graph in enumerate(map(graph_of, molecules.parsed)):
        nodes[row, :atoms[row]] = graph.nodes
        edges[row, :bonds[row]], features[row, :bonds[row]] = graph.edges, graph.edge_features
    return {"nodes": nodes, "edges": edges, "edge_features": features, "node_count": atoms, "edge_count": bonds}


def molecule_descriptors(molecules: Molecules) -> tuple[np.ndarray, tuple[str, ...]]:
    """RDKit's descriptors of whole molecules (weight, surface, partial charges, counts of groups, …), unscaled.

    Returns:
        (rows, descriptors) float64, with NaN where a descriptor is not defined or not finite; and their names.
    """
    with quiet():
        values = [describe(molecule, every=True) for molecule in molecules.parsed]
    return np.array(values, np.float64), descriptor_names(every=True)


def molecule_fingerprints(molecules: Molecules, radius: int = 2, bits: int = 2048, counts: bool = True) -> np.ndarray:
    """Extended-connectivity fingerprints: what surrounds each atom up to `radius` bonds, hashed to `bits` places.

    Source: Rogers & Hahn 2010.

    Returns:
        (rows, bits): how often each surrounding occurs, or, without `counts`, 1 where it does.
    """
    rdkit()
    from rdkit.Chem import rdFingerprintGenerator
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    take = generator.GetCountFingerprintAsNumPy if counts else generator.GetFingerprintAsNumPy
    return np.array([take(molecule) for molecule in molecules.parsed], np.float32)

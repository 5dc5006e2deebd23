"""What RDKit says of one molecule: its graph, descriptors, canonical SMILES, scaffold, and why a string is none."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from pellucid.errors import MissingExtraError

ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P", "B", "Si", "Se", "Na", "K", "H")
DEGREES, HYDROGENS = range(6), range(5)
CHARGES = (-2, -1, 0, 1, 2)
HYBRIDISATIONS = ("SP", "SP2", "SP3", "SP3D", "SP3D2")
CHIRALITIES = ("CHI_UNSPECIFIED", "CHI_TETRAHEDRAL_CW", "CHI_TETRAHEDRAL_CCW")
RINGS = range(3, 8)
BONDS = ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC")
STEREO = ("STEREONONE", "STEREOANY", "STEREOZ", "STEREOE", "STEREOCIS", "STEREOTRANS")
MASS_UNIT = 100.0
REMEMBERED = 1 << 14  # molecules: a run encodes its rows several times, and descriptors take milliseconds each
MOST_DESCRIBED = 500  # atoms; the time for some descriptors grows with the square of it
TOO_SLOW = ("qed", "Ipc", "AvgIpc")  # a third of all time; the latter two take minutes for a polymer
MOST_SHAPED = 150  # atoms of a molecule whose shape is made up
KINDS = ("C", "N", "O", "S", "P", "F", "Cl", "Br", "I")
BLOCK_END = "M  END"
PROBLEMS = {"AtomValenceException": "an atom has more bonds than it can have", "KekulizeException":
            "the bonds of an aromatic ring do not add up", "AtomKekulizeException": "an aromatic atom is in no ring"}
"""RDKit's names for chemical problems, in words."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class MoleculeGraph:
    """Atoms, and bonds as two directed edges each.

    Args:
        nodes: float16 (atoms, len(atom_features())).
        edges: int32 (edges, 2), the numbers of the atoms at both ends.
        edge_features: float16 (edges, len(bond_features())).
    """

    nodes: np.ndarray
    edges: np.ndarray
    edge_features: np.ndarray

    def kept(self, atoms: int) -> np.ndarray:
        """The numbers of at most so many atoms, those nearest to the first one along bonds."""
        whole = np.arange(len(self.nodes))
        return whole if len(whole) <= atoms else np.sort(_nearest(self.edges, len(whole), atoms))

    def cut(self, atoms: int, edges: int) -> MoleculeGraph:
        """At most so many atoms, those of `kept`, and at most so many edges of theirs."""
        nodes, kept = self.nodes, self.kept(atoms)
        place = np.full(len(nodes), -1, np.int32)
        place[kept] = np.arange(len(kept))
        inside = np.flatnonzero((place[self.edges] >= 0).all(axis=1))[:edges - edges % 2]
        return MoleculeGraph(nodes[kept], place[self.edges[inside]], self.edge_features[inside])


@dataclass(frozen=True, eq=False)
class MoleculeShape:
    """Atoms in space, without hydrogens.

    Args:
        positions: float32 (atoms, 3), in Ångström.
        kinds: bool (atoms, len(atom_kinds())); an atom may be of several kinds.
        made_up: whether RDKit found the shape, in a frame of its own.
    """

    positions: np.ndarray
    kinds: np.ndarray
    made_up: bool = False


def _nearest(edges: np.ndarray, count: int, most: int) -> np.ndarray:
    """The first `most` atoms that a walk in breadth from the first atom meets; part after part of the molecule."""
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for first, second in edges.tolist():
        neighbours[first].append(second)
    met, order = set(), []
    for start in range(count):
        waiting = deque([start])
        while waiting and len(order) < most:
            atom = waiting.popleft()
            if atom not in met:
                met.add(atom)
                order.append(atom)
                waiting.extend(neighbours[atom])
    return np.array(order)


def canonical_smiles(texts: Iterable[str | None]) -> list[str | None]:
    """Each molecule as RDKit writes it, the same for every way to write one; `None` for what cannot be read."""
    return _each(_canonical, texts)


def scaffolds_of(texts: Iterable[str | None]) -> list[str | None]:
    """The rings of each molecule and what links them, as SMILES (Bemis & Murcko 1996); empty without rings."""
    return _each(_scaffold, texts)


def atoms_of(texts: Iterable[str | None]) -> list[tuple[str, ...] | None]:
    """The element of each atom of each molecule, in the order of its canonical SMILES, which graphs have too; `None`
    for what cannot be read."""
    return _each(_atoms, texts)


def atoms_as_written(texts: Iterable[str | None]) -> list[tuple[str, ...] | None]:
    """The element of each atom in the order of the text itself, which shapes have too; `None` for what cannot be
    read."""
    return _each(_written_atoms, texts)


def graphs_of(texts: Iterable[str | None]) -> list[MoleculeGraph | None]:
    """The graph of each molecule; `None` for what cannot be read."""
    return _each(_graph, texts)


def descriptors_of(texts: Iterable[str | None]) -> list[np.ndarray | None]:
    """The descriptors of each molecule, float64, NaN where one is not defined or the molecule is too large."""
    return _each(_descriptors, texts)


def shapes_of(texts: Iterable[str | None]) -> list[MoleculeShape | None]:
    """The atoms of each molecule in space: those of its mol block, else of a shape that RDKit finds likely; `None` for
    what cannot be read or has no shape."""
    return _each(_shape, texts)


def _each(ask: Callable[[str], Answer | None], texts: Iterable[str | None]) -> list[Answer | None]:
    with quiet():
        return [None if text is None else ask(text) for text in texts]


@lru_cache(REMEMBERED)
def _canonical(text: str) -> str | None:
    molecule = parse(text)
    return None if molecule is None else rdkit().MolToSmiles(molecule)


@lru_cache(REMEMBERED)
def _scaffold(text: str) -> str | None:
    molecule = parse(text)
    if molecule is None:
        return None
    from rdkit.Chem.Scaffolds import MurckoScaffold
    return MurckoScaffold.MurckoScaffoldSmiles(mol=molecule)


@lru_cache(REMEMBERED)
def _graph(text: str) -> MoleculeGraph | None:
    canonical = _canonical(text)
    molecule = parse(canonical) if canonical else None
    return graph_of(parse(text) if molecule is None else molecule)


def _atoms(text: str) -> tuple[str, ...] | None:
    return _written_atoms(_canonical(text) or text)


def _written_atoms(text: str) -> tuple[str, ...] | None:
    molecule = parse(text)
    return None if molecule is None else tuple(atom.GetSymbol() for atom in molecule.GetAtoms())


@lru_cache(REMEMBERED)
def _descriptors(text: str) -> np.ndarray | None:
    molecule = parse(text)
    if molecule is None:
        return None
    if molecule.GetNumAtoms() > MOST_DESCRIBED:
        return np.full(len(descriptor_names()), np.nan)
    return describe(molecule)


@lru_cache(REMEMBERED)
def _shape(text: str) -> MoleculeShape | None:
    molecule = parse(text)
    if molecule is None:
        return None
    made_up = not molecule.GetNumConformers() or not molecule.GetConformer().Is3D()
    molecule = _with_shape(molecule) if made_up else molecule
    if molecule is None:
        return None
    kinds = np.array([_kinds(atom) for atom in molecule.GetAtoms()], bool)
    return MoleculeShape(molecule.GetConformer().GetPositions().astype(np.float32), kinds, made_up)


def _with_shape(molecule: Any) -> Any:
    """The molecule with a likely shape, by distance geometry with knowledge of torsions; always the same one."""
    if molecule.GetNumAtoms() > MOST_SHAPED:
        return None
    from rdkit.Chem import rdDistGeom
    chem = rdkit()
    full, options = chem.AddHs(molecule), rdDistGeom.ETKDGv3()
    options.randomSeed, options.maxIterations = 7, 20
    return chem.RemoveHs(full) if rdDistGeom.EmbedMolecule(full, options) == 0 else None


def atom_kinds() -> tuple[str, ...]:
    """The kinds of atoms in space, in order."""
    return (*KINDS, "other element", "aromatic", "hydrogen bond donor", "hydrogen bond acceptor", "positive",
            "negative")


def _kinds(atom: Any) -> list[bool]:
    symbol, charge, hydrogens = atom.GetSymbol(), atom.GetFormalCharge(), atom.GetTotalNumHs()
    polar = symbol in ("N", "O", "S")
    lone_pair = symbol == "O" or (symbol == "N" and charge <= 0 and not (
        atom.GetIsAromatic() and (hydrogens or atom.GetDegree() > 2)))
    return [*(symbol == kind for kind in KINDS), symbol not in KINDS, atom.GetIsAromatic(), polar and hydrogens > 0,
            lone_pair, charge > 0, charge < 0]


def graph_of(molecule: Any) -> MoleculeGraph | None:
    """The graph of a parsed molecule; `None` of none."""
    if molecule is None:
        return None
    bonds = list(molecule.GetBonds())
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds]
    pairs = [pair for first, second in ends for pair in ((first, second), (second, first))]
    features = np.array([bond_row(bond) for bond in bonds for _ in range(2)]).reshape(-1, len(bond_features()))
    return MoleculeGraph(np.array([atom_row(atom) for atom in molecule.GetAtoms()], np.float16),
                         np.array(pairs, np.int32).reshape(-1, 2), features.astype(np.float16))


def describe(molecule: Any, every: bool = False) -> np.ndarray:
    """The descriptors of a parsed molecule, NaN where one is not defined or not finite; `every` as in
    `descriptor_names`."""
    values = np.array([_described(ask, molecule) for _, ask in _descriptor_list(every)], np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _described(ask: Callable[[Any], float], molecule: Any) -> float:
    try:
        return ask(molecule)
    except (RuntimeError, ValueError, ZeroDivisionError, ArithmeticError, IndexError, KeyError):
        return np.nan  # such as partial charges of a rare metal


def descriptor_names(every: bool = False) -> tuple[str, ...]:
    """The names of RDKit's descriptors, in order; without `every`, those that take too long are left out."""
    return tuple(name for name, _ in _descriptor_list(every))


def _descriptor_list(every: bool) -> list[tuple[str, Callable[[Any], float]]]:
    rdkit()
    from rdkit.Chem import Descriptors
    return [one for one in Descriptors.descList if every or one[0] not in TOO_SLOW]


def why_not(text: str) -> str:
    """Why RDKit takes a string for no molecule, in words."""
    chem, smiles = rdkit(), not (BLOCK_END in text or text.startswith("InChI="))
    with quiet():
        raw = chem.MolFromSmiles(text.strip(), sanitize=False) if smiles else None
        problems = [] if raw is None else chem.DetectChemistryProblems(raw)
    if problems:
        return PROBLEMS.get(problems[0].GetType(), problems[0].Message().strip())
    return "the mol block is damaged" if BLOCK_END in text else "it is not written as a molecule is"


def why_no_shape(text: str) -> str:
    """Why a string has no shape in space, in words."""
    with quiet():
        return why_not(text) if parse(text) is None else "no shape in space was found for it"


def parse(text: Any) -> Any:
    """RDKit's molecule of SMILES, InChI or a mol block, `None` for anything else; call it inside of `quiet`."""
    if not isinstance(text, str) or not text.strip():  # RDKit takes an empty string for a molecule of no atoms
        return None
    chem = rdkit()
    try:
        if BLOCK_END in text:
            return chem.MolFromMolBlock(mended_block(text))
        text = text.strip()
        molecule = chem.MolFromInchi(text) if text.startswith("InChI=") else chem.MolFromSmiles(text)
    except (RuntimeError, ValueError):
        return None
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def mended_block(block: str) -> str:
    """A mol block with three lines above its counts, of which blank ones may have been stripped from a cell."""
    lines = block.splitlines()
    counts = next((place for place, line in enumerate(lines[:6]) if "V2000" in line or "V3000" in line), None)
    return block if counts is None else "\n".join(["", "", "", *lines[counts:]])


def rdkit() -> Any:
    """RDKit's chemistry.

    Raises:
        MissingExtraError: the extra `molecules` is not installed.
    """
    try:
        from rdkit import Chem
    except ImportError:
        raise MissingExtraError.of("rdkit", "molecules", "Reading molecules") from None
    return Chem


def quiet() -> Any:
    """A context that keeps RDKit from writing to the terminal."""
    rdkit()
    from rdkit import rdBase
    return rdBase.BlockLogs()


def atom_features() -> tuple[str, ...]:
    """The names of the numbers that come with an atom, in order."""
    listed = (("element", (*ELEMENTS, "other")), ("degree", (*DEGREES, "more")), ("hydrogens", (*HYDROGENS, "more")),
              ("charge", (*CHARGES, "other")), ("hybridisation", (*HYBRIDISATIONS, "other")),
              ("chirality", (*CHIRALITIES, "other")), ("ring of", RINGS))
    return (*(f"{name} {value}" for name, values in listed for value in values), "aromatic", "in ring", "mass")


def bond_features() -> tuple[str, ...]:
    """The names of the numbers that come with a bond, in order."""
    listed = (("bond", (*BONDS, "other")), ("stereo", (*STEREO, "other")))
    return (*(f"{name} {value}" for name, values in listed for value in values), "conjugated", "in ring")


def _one_hot(value: Any, known: Sequence[Any], other: bool = True) -> Iterator[float]:
    """1 at the place of `value`, with one more place for what is not known."""
    yield from (float(value == option) for option in known)
    if other:
        yield float(value not in known)


def atom_row(atom: Any) -> list[float]:
    """The numbers of one of RDKit's atoms."""
    return [*_one_hot(atom.GetSymbol(), ELEMENTS), *_one_hot(atom.GetTotalDegree(), DEGREES),
            *_one_hot(atom.GetTotalNumHs(), HYDROGENS), *_one_hot(atom.GetFormalCharge(), CHARGES),
            *_one_hot(atom.GetHybridization().name, HYBRIDISATIONS), *_one_hot(atom.GetChiralTag().name, CHIRALITIES),
            *(float(atom.IsInRingSize(size)) for size in RINGS), float(atom.GetIsAromatic()), float(atom.IsInRing()),
            atom.GetMass() / MASS_UNIT]


def bond_row(bond: Any) -> list[float]:
    """The numbers of one of RDKit's bonds."""
    return [*_one_hot(bond.GetBondType().name, BONDS), *_one_hot(bond.GetStereo().name, STEREO),
            float(bond.GetIsConjugated()), float(bond.IsInRing())]

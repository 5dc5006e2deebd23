"""A column of molecules: SMILES, InChI or mol blocks, each turned into a graph of atoms and its RDKit descriptors."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.core.sizes import bucket
from pellucid.errors import MissingExtraError
from pellucid.features import chemistry
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded, with_raw
from pellucid.features.values import as_text

SAMPLE = 200
NAME = re.compile(r"(^|[_\W])(smiles|smi|inchi|mol_?block)($|[_\W])|^(molecules?|ligands?|compounds?)$", re.IGNORECASE)
SMILES = re.compile(r"(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFIbcnops]|[=#$:/\\().~*>-]|%\d\d|\d)+")
TELLING = re.compile(r"[=#\[\]()@/\\]|[cnos]\d|[CNO]\d")
"""What hardly any word has that happens to read as SMILES, such as `I`, `CC` or `NO`."""
BY_NAME, BY_LOOK, TELLING_SHARE = 0.5, 0.9, 0.3
FEWEST = 10  # different strings without a telling name
MOST_ATOMS = 256
TYPICAL = 1.5  # times the 99th percentile: larger training molecules are cut, so that one polymer does not widen all
FARTHEST = 4.0  # descriptors are cut off at this many standard deviations
SMALLEST_SCALE = 1e-6
FAMILIES = (("functional groups", r"^fr_"), ("rings", r"Ring|Cycl|Bridgehead|Spiro"),
            ("drawn to water or fat", r"[Ll]ogP|TPSA|MolMR|SMR"),
            ("hydrogen bonds", r"HDonor|HAcceptor|NHOH|NOCount|Heteroatom"),
            ("charges", r"Charge|PEOE|EState|BCUT|Electron"), ("size and shape", ""))
"""Kinds of descriptors by their names; each is a part of its own."""


@dataclass(frozen=True, kw_only=True)
class Molecule(AbstractFeature):
    """A molecule as a graph, and what RDKit computes of it as a whole.

    Explicit hydrogens are folded into their atoms; salts and other mixtures are one graph of several parts. Of a
    molecule larger than the room, the graph holds a connected part; descriptors are of the whole.

    Args:
        atoms, edges: the room for atoms and directed bonds.
        descriptors: the names of the descriptors.
        center, scale: of each descriptor on a logarithmic scale; a scale of 0 for one that is constant.
    """

    kind: ClassVar[str] = "molecule"
    rewritten: ClassVar[bool] = True
    atoms: int
    edges: int
    descriptors: tuple[str, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """By its name and half of a sample that reads as molecules; or by nearly all of it, without such a name."""
        if cells.dtype != pl.String:
            return None
        some = cells.drop_nulls().unique(maintain_order=True)
        distinct, some = len(some), some.gather_every(max(len(some) // SAMPLE, 1)).head(SAMPLE).to_list()
        named = NAME.search(name) is not None
        share = float(np.mean([looks_like_molecule(cell) for cell in some]))
        if share < (BY_NAME if named else BY_LOOK):
            return None
        counts = {"distinct": distinct, "missing": cells.null_count()}
        try:
            good = sum(one is not None for one in chemistry.canonical_smiles(some)) / len(some)
        except MissingExtraError:  # told by `fit` as soon as the column is needed
            return Recognition(cls.kind, f"named `{name}`, and its cells look like SMILES", **counts) if named else None
        telling = float(np.mean([TELLING.search(cell) is not None for cell in some]))
        if good < (BY_NAME if named else BY_LOOK) or not (named or distinct >= FEWEST and telling >= TELLING_SHARE):
            return None
        return Recognition(cls.kind, f"{_form(some)}; {_share(good, len(some), distinct)} read as molecules", **counts)

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Molecule:
        """Make room for the training molecules, and find the middle and the spread of each descriptor."""
        cells = [cell for cell in as_text(column).drop_nulls().to_list()]
        graphs = [graph for graph in chemistry.graphs_of(cells) if graph is not None]
        atoms, edges = _room(graphs)
        names = chemistry.descriptor_names()
        table = np.array([row for row in chemistry.descriptors_of(cells) if row is not None]).reshape(-1, len(names))
        center, scale = _spread(_flat(table))
        return cls(name=name, reason=reason, atoms=atoms, edges=edges, descriptors=names,
                   center=tuple(center.tolist()), scale=tuple(scale.tolist()))

    @classmethod
    def same(cls, cells: pl.Series) -> pl.Series:
        """Each molecule as canonical SMILES; what cannot be read as it is."""
        texts = as_text(cells)
        known = chemistry.canonical_smiles(texts.to_list())
        return pl.Series(cells.name, [found or text for found, text in zip(known, texts, strict=True)], pl.String)

    @classmethod
    def families(cls, cells: pl.Series) -> pl.Series:
        """The scaffold of each molecule: its rings and what links them."""
        return pl.Series(cells.name, chemistry.scaffolds_of(as_text(cells).to_list()), pl.String)

    @property
    def is_raw(self) -> bool:
        """A network reads the graph."""
        return True

    @property
    def graph_features(self) -> int:
        """How many numbers come with a whole molecule: its descriptors, and whether it is missing."""
        return len(self.descriptors) + 1

    def encode(self, column: pl.Series) -> Encoded:
        """The padded arrays that `networks.Graph` takes; a row without a molecule is one atom without features."""
        cells = as_text(column)
        texts, absent = cells.to_list(), cells.is_null().to_numpy()
        graphs = chemistry.graphs_of(texts)
        bad = np.array([graph is None for graph in graphs], bool)
        raw = _padded(graphs, self.atoms, self.edges) | {"graph_features": self._described(texts, bad)}
        cut = sum(graph is not None and (len(graph.nodes) > self.atoms or len(graph.edges) > self.edges)
                  for graph in graphs)
        unreadable = np.flatnonzero(bad & ~absent)
        trouble = {int(row): f"row {row + 1} (`{shown(texts[row])}`): {chemistry.why_not(texts[row])}"
                   for row in unreadable[:20]}
        return encoded(len(cells), missing=bad, raw=raw, trouble=trouble, counts={
            "missing": absent.sum(), "unreadable": len(unreadable), "cut": cut})

    def _described(self, texts: Sequence[str | None], bad: np.ndarray) -> np.ndarray:
        """Scaled descriptors, and a last column that is 1 where there is no molecule: (rows, graph_features)."""
        here = {name: place for place, name in enumerate(chemistry.descriptor_names())}
        known = np.array([name in here for name in self.descriptors])
        table = np.full((len(texts), len(self.descriptors)), np.nan)
        for row, found in enumerate(chemistry.descriptors_of(texts)):
            if found is not None:
                table[row, known] = found[[here[name] for name in self.descriptors if name in here]]
        scale = np.array(self.scale)
        units = (_flat(table) - np.array(self.center)) / np.where(scale > 0, scale, np.inf)
        units = np.clip(np.nan_to_num(units), -FARTHEST, FARTHEST)
        return np.concatenate([units, bad[:, None]], axis=1).astype(np.float32)

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up chains of made-up atoms."""
        width = min(self.atoms, self.edges // 2 + 1)
        count = generator.integers(1, width + 1, rows).astype(np.int32)
        nodes = generator.integers(0, 2, (rows, self.atoms, len(chemistry.atom_features()))).astype(np.float32)
        edges = np.zeros((rows, self.edges, 2), np.int32)
        pairs = np.arange(2 * (width - 1)) // 2
        edges[:, :len(pairs), 0], edges[:, :len(pairs), 1] = pairs + np.arange(len(pairs)) % 2, pairs
        edges[:, :len(pairs), 1] += 1 - np.arange(len(pairs)) % 2
        features = generator.integers(0, 2, (rows, self.edges, len(chemistry.bond_features()))).astype(np.float32)
        whole = generator.standard_normal((rows, self.graph_features)).astype(np.float32)
        return {"nodes": nodes, "edges": edges, "edge_features": features, "node_count": count,
                "edge_count": 2 * (count - 1), "graph_features": whole}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """The atoms of the graph by element and number, and each family of descriptors of the whole molecule."""
        if row.missing[0]:
            return super().parts(cell, row)
        elements, = chemistry.atoms_of([cell])
        numbers = chemistry.graphs_of([cell])[0].kept(self.atoms)
        atoms = [Part(self.name, f"{elements[number]}{number + 1}", place=(int(number),)) for number in numbers]
        return (*atoms, *(Part(self.name, f"as a whole: {FAMILIES[family][0]}") for family in self._families()))

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """Atoms that are not kept are without features, as are their bonds; descriptors that are not kept are those of
        a middling molecule."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        count, edges = int(row.raw["node_count"][0]), row.raw["edges"][0]
        known = np.ones((len(keep), self.atoms), bool)
        known[:, :count] = keep[:, :count]
        bonds = known[:, edges[:, 0]] & known[:, edges[:, 1]]
        whole = np.broadcast_to(row.raw["graph_features"], (len(keep), self.graph_features)).copy()
        for place, columns in enumerate(self._families().values(), count):
            whole[np.ix_(~keep[:, place], columns)] = 0
        return with_raw(row, {"nodes": row.raw["nodes"] * known[..., None], "graph_features": whole,
                              "edge_features": row.raw["edge_features"] * bonds[..., None]})

    def _families(self) -> dict[int, list[int]]:
        """The columns of the descriptors of each family that there is, in order."""
        found: dict[int, list[int]] = {}
        for column, name in enumerate(self.descriptors):
            family = next(place for place, (_, names) in enumerate(FAMILIES) if re.search(names, name))
            found.setdefault(family, []).append(column)
        return dict(sorted(found.items()))


def looks_like_molecule(cell: str) -> bool:
    """A cheap first look."""
    return "M  END" in cell or cell.startswith("InChI=") or SMILES.fullmatch(cell) is not None


def shown(cell: str) -> str:
    """A cell in a note: the first line of a mol block, the beginning of anything long."""
    line = cell.strip().split("\n", 1)[0]
    return line if len(line) <= 40 else line[:39] + "…"


def _form(cells: Sequence[str]) -> str:
    if any("M  END" in cell for cell in cells):
        return "mol blocks"
    return "InChI" if any(cell.startswith("InChI=") for cell in cells) else "SMILES"


def _share(good: float, sample: int, distinct: int) -> str:
    whole = "all" if good == 1 else f"{100 * good:.0f} %"
    return f"{whole} of {sample:,}" + ("" if sample == distinct else " that were tried")


def _room(graphs: Sequence[chemistry.MoleculeGraph]) -> tuple[int, int]:
    """Places for atoms and for directed bonds."""
    if not graphs:
        return bucket(1), bucket(1)
    counts = np.array([len(graph.nodes) for graph in graphs])
    typical = int(np.ceil(TYPICAL * np.quantile(counts, 0.99)))
    atoms = min(bucket(min(int(counts.max()), typical)), MOST_ATOMS)
    return atoms, bucket(max(len(graph.edges) for graph in graphs if len(graph.nodes) <= atoms))


def _padded(graphs: Sequence[chemistry.MoleculeGraph | None], atoms: int, edges: int) -> dict[str, np.ndarray]:
    """Graphs in arrays of one size; larger ones are cut."""
    rows = len(graphs)
    raw = {"nodes": np.zeros((rows, atoms, len(chemistry.atom_features())), np.float32),
           "edges": np.zeros((rows, edges, 2), np.int32),
           "edge_features": np.zeros((rows, edges, len(chemistry.bond_features())), np.float32),
           "node_count": np.ones(rows, np.int32), "edge_count": np.zeros(rows, np.int32)}
    for row, graph in enumerate(graphs):
        if graph is not None:
            graph = graph.cut(atoms, edges)
            raw["nodes"][row, :len(graph.nodes)] = graph.nodes
            raw["edges"][row, :len(graph.edges)] = graph.edges
            raw["edge_features"][row, :len(graph.edges)] = graph.edge_features
            raw["node_count"][row], raw["edge_count"][row] = len(graph.nodes), len(graph.edges)
    return raw


def _flat(table: np.ndarray) -> np.ndarray:
    """On a logarithmic scale with a sign."""
    return np.sign(table) * np.log1p(np.abs(table))


def _spread(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column over the rows that have it."""
    there = np.isfinite(flat)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, flat, 0).sum(axis=0) / count
    deviation = np.sqrt((np.where(there, flat - mean, 0) ** 2).sum(axis=0) / count)
    return mean, np.where(deviation > SMALLEST_SCALE, deviation, 0.0)

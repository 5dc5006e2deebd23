"""A column of molecules in space: atoms where they are, by kind, for a network that sees them on a grid."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.core.sizes import bucket
from pellucid.features import chemistry
from pellucid.features.base import AbstractFeature, Encoded, encoded, with_raw
from pellucid.features.molecule import Molecule, shown
from pellucid.features.values import as_text

MARGIN = 1.0  # Ångström of empty space around the atoms, but for the farthest in two hundred
FARTHEST = 0.995
STEP, SMALLEST, LARGEST = 4, 8, 24  # voxels of 1 Ångström along an edge; poolings halve it
MOST_ATOMS = 256
COMPARED, TRIES = 40, 5
CLEARLY = 1.15
"""Molecules lie aligned where they overlap so many times as much as turned at random."""


@dataclass(frozen=True, kw_only=True)
class Molecule3D(AbstractFeature):
    """A molecule's atoms in space. Mol blocks bring their coordinates; for SMILES, RDKit makes up a likely shape.

    Args:
        atoms: the room for atoms.
        channels: the kinds of atoms that training molecules hold, among `chemistry.atom_kinds()`.
        size: the edge of the grid, in voxels of 1 Ångström.
        aligned: whether the training molecules lie in one frame, as docked or superposed ones do.
        center: the middle of that frame, subtracted from all positions; where molecules are not aligned, each has a
            middle of its own.
    """

    kind: ClassVar[str] = "molecule_3d"
    continuous: ClassVar[tuple[str, float]] = ("channels", 1.0)
    rewritten: ClassVar[bool] = True
    atoms: int
    channels: tuple[str, ...]
    size: int
    aligned: bool
    center: tuple[float, float, float]

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> Molecule3D:
        """Make room for the training molecules, and see whether they lie aligned."""
        shapes = [shape for shape in chemistry.shapes_of(as_text(column).drop_nulls().to_list()) if shape is not None]
        if not shapes:
            return cls(name=name, reason=reason, atoms=bucket(1), channels=chemistry.atom_kinds()[:1], size=SMALLEST,
                       aligned=False, center=(0.0, 0.0, 0.0))
        aligned = not any(shape.made_up for shape in shapes) and are_aligned([shape.positions for shape in shapes])
        center = np.mean([shape.positions.mean(axis=0) for shape in shapes], axis=0) if aligned else np.zeros(3)
        moved = [shape.positions - (center if aligned else shape.positions.mean(axis=0)) for shape in shapes]
        reach = np.quantile(np.concatenate([np.abs(own).max(axis=1) if aligned else np.linalg.norm(own, axis=1)
                                            for own in moved]), FARTHEST)
        there = np.any([shape.kinds.any(axis=0) for shape in shapes], axis=0)
        return cls(name=name, reason=reason, atoms=min(bucket(max(map(len, moved))), MOST_ATOMS),
                   channels=tuple(kind for kind, used in zip(chemistry.atom_kinds(), there, strict=True) if used),
                   size=int(np.clip(STEP * np.ceil(2 * (reach + MARGIN) / STEP), SMALLEST, LARGEST)),
                   aligned=aligned, center=tuple(center.tolist()))

    @classmethod
    def same(cls, cells: pl.Series) -> pl.Series:
        """As of `Molecule`: shapes of one molecule are the same molecule."""
        return Molecule.same(cells)

    @classmethod
    def families(cls, cells: pl.Series) -> pl.Series:
        """As of `Molecule`: the scaffolds."""
        return Molecule.families(cells)

    @property
    def is_raw(self) -> bool:
        """A network sees the atoms."""
        return True

    def encode(self, column: pl.Series) -> Encoded:
        """`"positions"` float32 (rows, atoms, 3) in Ångström from the middle, and `"channels"` uint8 (rows, atoms,
        channels); no atom in a row without a molecule."""
        cells = as_text(column)
        texts, absent = cells.to_list(), cells.is_null().to_numpy()
        shapes = chemistry.shapes_of(texts)
        positions = np.zeros((len(cells), self.atoms, 3), np.float32)
        channels = np.zeros((len(cells), self.atoms, len(self.channels)), np.uint8)
        known = [chemistry.atom_kinds().index(name) for name in self.channels]
        cut = 0
        for row, shape in enumerate(shapes):
            if shape is None:
                continue
            middle = np.array(self.center) if self.aligned else shape.positions.mean(axis=0)
            own, kinds = (shape.positions - middle)[:self.atoms], shape.kinds[:self.atoms, known]
            positions[row, :len(own)], channels[row, :len(own)] = own, kinds
            cut += len(shape.positions) > self.atoms or np.abs(own).max() > self.size / 2
        bad = np.array([shape is None for shape in shapes], bool)
        unreadable = np.flatnonzero(bad & ~absent)
        trouble = {int(row): f"row {row + 1} (`{shown(texts[row])}`): {chemistry.why_no_shape(texts[row])}"
                   for row in unreadable[:20]}
        return encoded(len(cells), missing=bad, trouble=trouble, raw={"positions": positions, "channels": channels},
                       counts={"missing": absent.sum(), "unreadable": len(unreadable), "cut": cut})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up atoms all over the grid."""
        positions = generator.uniform(-self.size / 2, self.size / 2, (rows, self.atoms, 3)).astype(np.float32)
        channels = generator.integers(0, 2, (rows, self.atoms, len(self.channels))).astype(np.uint8)
        return {"positions": positions, "channels": channels}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """The atoms by element and number, as the cell counts them."""
        if row.missing[0]:
            return super().parts(cell, row)
        elements, = chemistry.atoms_as_written([cell])
        return tuple(Part(self.name, f"{element}{number}", place=(number - 1,))
                     for number, element in enumerate(elements[:self.atoms], 1))

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """Where an atom is not kept is empty space."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        known = np.ones((len(keep), self.atoms), np.uint8)
        known[:, :keep.shape[1]] = keep
        return with_raw(row, {"channels": row.raw["channels"] * known[..., None]})


def are_aligned(positions: Sequence[np.ndarray]) -> bool:
    """Whether molecules overlap clearly more as they lie than turned around their own middles, and than by chance.

    Args:
        positions: (atoms, 3) of each molecule.
    """
    if len(positions) < 4:
        return False
    generator = np.random.default_rng(0)
    picked = [positions[one] for one in generator.permutation(len(positions))[:COMPARED]]
    found = _overlap(picked)
    turned = []
    for _ in range(TRIES):
        some = []
        for own in picked:
            turn, _ = np.linalg.qr(generator.standard_normal((3, 3)))
            middle = own.mean(axis=0)
            some.append((own - middle) @ turn + middle)
        turned.append(_overlap(some))
    return bool(found > CLEARLY * max(turned))


def _overlap(positions: Sequence[np.ndarray]) -> float:
    """The mean overlap of bell curves around the atoms of any two molecules, as a share of their own."""
    total, pairs = 0.0, 0
    for first in range(len(positions)):
        for second in range(first):
            one, two = positions[first], positions[second]
            apart = np.square(one[:, None] - two[None]).sum(axis=2)
            total += np.exp(-apart / 2).sum() / np.sqrt(len(one) * len(two))
            pairs += 1
    return total / pairs

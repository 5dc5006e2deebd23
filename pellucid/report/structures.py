"""Molecules and trees with their parts marked."""
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

from pellucid.core.part import Part
from pellucid.explain.game import Cell
from pellucid.features.chemistry import canonical_smiles, parse, quiet, rdkit
from pellucid.features.trees import Tree, read_tree
from pellucid.report.canvas import BLUE, FAINT, INK, VERMILION, drawing

SIZE = (430, 300)
"""Pixels of a molecule."""
PALEST = 0.03
"""Parts weaker than this are not marked."""
LEAF, LEVEL = 0.42, 0.42
"""Inches that a leaf takes across, and a level of a tree takes down."""
WIDEST = 11.0


def tint(strength: float) -> tuple[float, float, float]:
    """From white to blue for, to vermilion against."""
    colour = np.array(to_rgb(BLUE if strength >= 0 else VERMILION))
    return tuple((1 - (1 - colour) * min(abs(float(strength)), 1.0) * 0.8).tolist())


def molecule_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """The formula with its atoms marked; atoms are numbered as the parts are."""
    atoms = [(part.place[0], value) for part, value in zip(parts, contributions, strict=True) if part.place]
    most = max((abs(value) for _, value in atoms), default=0) or 1.0
    marks = {int(atom): tint(value / most) for atom, value in atoms if abs(value) > PALEST * most}
    with quiet():
        text = (canonical_smiles([cell.value])[0] or cell.value) if cell.kind == "molecule" else cell.value
        svg = _formula(parse(text), marks)
    body = re.sub(r"^.*?(?=<svg)", "", svg, flags=re.S)
    body = re.sub(r"\s+(width|height)='\d+px'", "", body)
    return body.replace("#000000", f"var(--ink, {INK})").replace(
        "<svg", f'<svg id="{name}" style="max-width: {SIZE[0]}px"', 1)


def _formula(molecule: Any, marks: dict[int, tuple[float, float, float]]) -> str:
    rdkit()
    from rdkit.Chem import rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D
    molecule.RemoveAllConformers()
    rdDepictor.Compute2DCoords(molecule)
    for atom in molecule.GetAtoms():
        atom.SetProp("atomNote", str(atom.GetIdx() + 1))
    drawer = rdMolDraw2D.MolDraw2DSVG(*SIZE)
    options = drawer.drawOptions()
    options.clearBackground, options.annotationFontScale = False, 0.5
    options.useBWAtomPalette()
    drawer.DrawMolecule(molecule, highlightAtoms=list(marks), highlightAtomColors=marks, highlightBonds=[],
                        highlightAtomRadii=dict.fromkeys(marks, 0.42))
    drawer.FinishDrawing()
    return drawer.GetDrawingText()


def tree_drawing(name: str, cell: Cell, parts: Sequence[Part], contributions: np.ndarray) -> str:
    """The tree with its words marked; an inner node by the sum of its words."""
    tree = read_tree(cell.value)
    values, across, down = _laid_out(tree, parts, contributions)
    leaves = sum(word is not None for word in tree.words)
    most = max(float(np.abs(values).max(initial=0)), 1e-12)
    longest = max(len(word or "") for word in tree.words)
    width, below = float(np.clip(LEAF * leaves, 3.0, WIDEST)), 0.7 + 0.17 * longest
    with drawing(name, width, LEVEL * (float(down.max()) + below + 0.6)) as drawn:
        axes = drawn.axes
        for node, children in enumerate(tree.children):
            for child in children:
                axes.plot(across[[node, child]], -down[[node, child]], color=FAINT, linewidth=1, zorder=1)
        axes.scatter(across, -down, s=60, c=[tint(value / most) for value in values], edgecolors=INK, linewidths=0.6,
                     zorder=2)
        for node, word in enumerate(tree.words):
            if word is not None:
                axes.text(across[node], -down[node] - 0.3, word, rotation=60, ha="right", va="top", fontsize=9)
        axes.set(xlim=(-0.8, leaves - 0.2), ylim=(-float(down.max()) - below, 0.6))
        axes.set_axis_off()
    return drawn.svg


def _laid_out(tree: Tree, parts: Sequence[Part],
              contributions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each node its value, and its place across and down; leaves stand at the bottom, from left to right.

    Words of a tree that was larger than the network's room are found by their order.
    """
    values, across, height = np.zeros(len(tree)), np.zeros(len(tree)), np.zeros(len(tree))
    leaves = [node for node, word in enumerate(tree.words) if word is not None]
    if len(parts) == len(leaves):
        values[leaves] = contributions
    across[leaves] = np.arange(len(leaves))
    for node, children in enumerate(tree.children):
        if children:
            own = list(children)
            values[node], across[node] = values[own].sum(), across[own].mean()
            height[node] = 1 + height[own].max()
    return values, across, height[-1] - height

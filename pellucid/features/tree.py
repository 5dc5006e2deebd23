"""A column of trees in brackets, such as `(3 (2 good) (2 film))`: words at the leaves, a label at every node."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from pellucid.core.part import Part
from pellucid.core.sizes import bucket
from pellucid.features.base import AbstractFeature, Encoded, Recognition, encoded, with_raw
from pellucid.features.trees import UNKNOWN, Tree, pruned, read_tree, tree_arrays, tree_labels, vocabulary
from pellucid.features.values import as_text

SAMPLE = 200
BRACKETS = re.compile(r"\(\s*[^\s()]+[\s(].*\)", re.DOTALL)
LOOKS, READS = 0.9, 0.5
LEAST = 2  # times that a word has to occur in the training trees
MOST_WORDS = 50_000
MOST_LABELS = 50
MOST_NODES, MOST_CHILDREN = 1024, 8
TYPICAL = 1.5  # times the 99th percentile: larger training trees are cut, so that one does not widen all
EMPTY = Tree(("",), ("",), ((),))
"""Stands in for a tree that is missing: one unknown word."""


@dataclass(frozen=True, kw_only=True)
class TreeFeature(AbstractFeature):
    """A tree, its words by their number in a vocabulary; the labels of its nodes teach, but are never looked at.

    Args:
        vocabulary: the words in small letters by falling count; each occurs at least twice in the training trees.
        labels: what nodes of the training trees are labelled with; empty where there are more than 50 labels.
        nodes, arity: the room for nodes, and for the children of a node.
    """

    kind: ClassVar[str] = "tree"
    vocabulary: tuple[str, ...]
    labels: tuple[str, ...]
    nodes: int
    arity: int

    @classmethod
    def recognise(cls, name: str, cells: pl.Series) -> Recognition | None:
        """Nearly all of a sample is in brackets, and at least half of it reads as trees."""
        if cells.dtype != pl.String:
            return None
        present = cells.drop_nulls()
        some = present.gather_every(max(len(present) // SAMPLE, 1)).head(SAMPLE).to_list()
        if np.mean([BRACKETS.fullmatch(cell) is not None for cell in some]) < LOOKS:
            return None
        trees = [tree for tree in map(read_tree, some) if isinstance(tree, Tree)]
        if len(trees) < READS * len(some) or max(map(len, trees)) == 1:
            return None
        whole = "all" if len(trees) == len(some) else f"{100 * len(trees) / len(some):.0f} %"
        words = sum(len(tree.leaves()) for tree in trees) / len(trees)
        reason = f"trees in brackets, {words:.0f} words on average; {whole} of {len(some):,} that were tried are whole"
        return Recognition(cls.kind, reason, cells.n_unique() - (cells.null_count() > 0), cells.null_count())

    @classmethod
    def fit(cls, name: str, column: pl.Series, *, reason: str = "", normalise: str = "standard") -> TreeFeature:
        """Count words and labels of the training trees, and make room for their nodes."""
        trees = [tree for tree in map(read_tree, as_text(column).drop_nulls().to_list()) if isinstance(tree, Tree)]
        trees = trees or [EMPTY]
        sizes = [len(tree) for tree in trees]
        nodes = min(max(sizes), int(np.ceil(TYPICAL * np.quantile(sizes, 0.99))), MOST_NODES)
        arity = max(len(own) for tree in trees for own in tree.children)
        labels = sorted({label for tree in trees for label in tree.labels})
        return cls(name=name, reason=reason, vocabulary=tuple(vocabulary(trees, least=LEAST))[:MOST_WORDS],
                   labels=tuple(labels) if len(labels) <= MOST_LABELS else (), nodes=bucket(nodes),
                   arity=int(np.clip(arity, 2, MOST_CHILDREN)))

    @property
    def is_raw(self) -> bool:
        """A network walks the trees."""
        return True

    @property
    def vocabulary_size(self) -> int:
        """How many codes there are; 0 is the unknown word."""
        return len(self.vocabulary) + 1

    def encode(self, column: pl.Series) -> Encoded:
        """The padded arrays that `networks.Recursive` takes; and `"labels"` int32 (rows, nodes), -1 where there is
        none."""
        cells = as_text(column)
        texts, absent = cells.to_list(), cells.is_null().to_numpy()
        read = [None if text is None else read_tree(text) for text in texts]
        trees = [tree if isinstance(tree, Tree) else EMPTY for tree in read]
        kept = [pruned(tree, self.nodes, self.arity) for tree in trees]
        cut = sum(before is not after for before, after in zip(trees, kept, strict=True))
        bad = [row for row, tree in enumerate(read) if isinstance(tree, str)]
        trouble = {row: f"row {row + 1} {read[row]} (`{_shown(texts[row])}`)" for row in bad[:20]}
        missing = absent.copy()
        missing[bad] = True
        return encoded(len(cells), missing=missing, raw=self._arrays(kept), trouble=trouble, counts={
            "missing": absent.sum(), "unreadable": len(bad), "cut": cut})

    def _arrays(self, trees: Sequence[Tree]) -> dict[str, np.ndarray]:
        if not trees:
            return {"tokens": np.zeros((0, self.nodes), np.int32), "count": np.zeros(0, np.int32),
                    "children": np.zeros((0, self.nodes, self.arity), np.int32),
                    "labels": np.zeros((0, self.nodes), np.int32)}
        words = {word: code for code, word in enumerate(self.vocabulary, 1)}
        return {**tree_arrays(trees, words, nodes=self.nodes, arity=self.arity),
                "labels": tree_labels(trees, self.labels, nodes=self.nodes)}

    def parts(self, cell: Any, row: Encoded) -> tuple[Part, ...]:
        """The words from left to right, each with the number of its leaf, counted from 0 in the order of brackets that
        close; what an inner node adds is the sum of its words."""
        if row.missing[0]:
            return super().parts(cell, row)
        tree = pruned(read_tree(cell), self.nodes, self.arity)
        return tuple(Part(self.name, word or "…", place=(node,)) for node, word in enumerate(tree.words)
                     if word is not None)

    def mask(self, cell: Any, row: Encoded, keep: np.ndarray, generator: np.random.Generator) -> Encoded:
        """Words that are not kept are unknown ones."""
        if row.missing[0]:
            return super().mask(cell, row, keep, generator)
        tokens = np.repeat(row.raw["tokens"], len(keep), axis=0)
        leaves = np.flatnonzero(tokens[0, :row.raw["count"][0]] >= 0)
        tokens[:, leaves] = np.where(keep, tokens[:, leaves], UNKNOWN)
        return with_raw(row, {"tokens": tokens})

    def probe(self, rows: int, generator: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Made-up words in made-up trees whose nodes have two children each, the last two made."""
        trees = []
        for leaves in generator.integers(1, (self.nodes + 1) // 2 + 1, rows):
            words = [self.vocabulary[place] if self.vocabulary else "" for place in
                     generator.integers(0, max(len(self.vocabulary), 1), leaves)]
            inner = [((0, 1) if node == 0 else (leaves + node - 1, node + 1)) for node in range(leaves - 1)]
            trees.append(Tree(("",) * (2 * leaves - 1), (*words, *(None,) * (leaves - 1)),
                              (*((),) * leaves, *(tuple(map(int, pair)) for pair in inner))))
        return self._arrays(trees)


def _shown(cell: str) -> str:
    return cell if len(cell) <= 40 else cell[:39] + "…"

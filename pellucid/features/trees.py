"""Labelled trees: Penn brackets in, padded arrays out.

A line such as `(3 (2 good) (2 film))` is one tree: each node has a label, and either a word or children. The arrays
list the nodes of each tree from the leaves to the root, children before their parents.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.errors import DataError

UNKNOWN = 0
_TOKEN = re.compile(r"[()]|[^ \t\r\n()]+")  # a no-break space is part of a word


@dataclass(frozen=True)
class Tree:
    """A tree, node by node, children before their parents and the root last.

    Args:
        labels: what each node is labelled with, as written.
        words: the word of each leaf, `None` for a node that has children.
        children: the positions of each node's children, from left to right.
    """

    labels: tuple[str, ...]
    words: tuple[str | None, ...]
    children: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.labels)

    def leaves(self) -> list[str]:
        """The words from left to right."""
        return [word for word in self.words if word is not None]


def parse_trees(lines: Iterable[str]) -> list[Tree]:
    """The trees of lines in Penn bracket form.

    Raises:
        DataError: a line is not one whole tree.

    Example:
        >>> tree, = parse_trees(["(3 (2 good) (2 film))"])
        >>> tree.leaves(), tree.children
        (['good', 'film'], ((), (), (0, 1)))
    """
    return [_parsed(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _parsed(line: str, number: int) -> Tree:
    tree = read_tree(line)
    if isinstance(tree, str):
        raise DataError(f"Line {number} {tree}: {line.strip()[:60]!r}.",
                        "write each tree on one line: (label word) for a leaf, (label child child) for a node")
    return tree


def read_tree(line: str) -> Tree | str:
    """The tree of one line, or what is wrong with it, in words that follow "line 3"."""
    labels, words, children = [], [], []
    open_nodes: list[list] = []  # label, word, positions of the children read so far
    for token in _TOKEN.findall(line):
        if token == "(":
            if labels and not open_nodes:
                return "goes on behind the last bracket"
            open_nodes.append([None, None, []])
        elif not open_nodes:
            return "has something outside the brackets"
        elif token != ")":
            node = open_nodes[-1]
            if node[0] is not None and (node[1] is not None or node[2]):
                return f"has a stray word {token!r}"
            node[0 if node[0] is None else 1] = token
        else:
            label, word, own = open_nodes.pop()
            if label is None or (word is None) == (not own):
                return "has a node without a label, or without word and children"
            if open_nodes:
                open_nodes[-1][2].append(len(labels))
            labels.append(label)
            words.append(word)
            children.append(tuple(own))
    if open_nodes or not labels:
        return "misses a closing bracket" if open_nodes else "holds no tree"
    return Tree(tuple(labels), tuple(words), tuple(children))


def pruned(tree: Tree, nodes: int, arity: int) -> Tree:
    """The part of a tree around its root that has at most so many nodes, and nodes of at most so many children.

    Children beyond `arity` are left out; a node whose children find no room becomes a leaf with an unknown word.
    """
    if len(tree) <= nodes and all(len(own) <= arity for own in tree.children):
        return tree
    kept, place = [len(tree) - 1], 0  # in breadth from the root
    grown: dict[int, tuple[int, ...]] = {}
    while place < len(kept):
        own = tree.children[kept[place]][:arity]
        if len(kept) + len(own) <= nodes:
            grown[kept[place]] = own
            kept.extend(own)
        place += 1
    order = sorted(kept)
    number = {node: new for new, node in enumerate(order)}
    return Tree(tuple(tree.labels[node] for node in order),
                tuple(tree.words[node] if tree.words[node] is not None or grown.get(node) else "" for node in order),
                tuple(tuple(number[child] for child in grown.get(node, ())) for node in order))


def vocabulary(trees: Iterable[Tree], *, least: int = 1, lower: bool = True) -> dict[str, int]:
    """A number from 1 on for every word, the most frequent first; 0 is left for unknown words.

    Args:
        trees: those of the training rows only.
        least: how often a word has to occur.
        lower: whether capitals count as small letters.
    """
    counts = Counter(word.lower() if lower else word for tree in trees for word in tree.leaves())
    kept = sorted((word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word))
    return {word: code for code, word in enumerate(kept, UNKNOWN + 1)}


def tree_arrays(trees: Sequence[Tree], words: Mapping[str, int], *, lower: bool = True,
                nodes: int | None = None, arity: int | None = None) -> dict[str, np.ndarray]:
    """Trees as the padded arrays that `networks.Recursive` takes.

    Args:
        trees: at least one.
        words: the number of each known word, as from `vocabulary`.
        lower: whether capitals count as small letters, as in `vocabulary`.
        nodes: the room for nodes in a row; that of the largest tree when `None`.
        arity: the room for children of a node; that of the widest node, at least 1, when `None`.

    Returns:
        `"tokens"` int32 [trees, nodes] (0 for an unknown word, -1 for a node without a word), `"children"` int32
        [trees, nodes, arity] (-1 for none) and `"count"` int32 [trees], the nodes of each tree.

    Raises:
        DataError: when there is no tree, or one does not fit into `nodes` and `arity`.
    """
    if not trees:
        raise DataError("There was no tree; expected at least one.", "check that the file has lines in brackets")
    largest, widest = max(map(len, trees)), max(1, *(len(own) for tree in trees for own in tree.children))
    nodes, arity = nodes or largest, arity or widest
    if largest > nodes or widest > arity:
        raise DataError(f"A tree has {largest} nodes and a node {widest} children; there was room for nodes={nodes} "
                        f"and arity={arity}.", "leave both out, or make them larger")
    tokens = np.full((len(trees), nodes), -1, np.int32)
    children = np.full((len(trees), nodes, arity), -1, np.int32)
    for row, tree in enumerate(trees):
        for node, (word, own) in enumerate(zip(tree.words, tree.children, strict=True)):
            if word is not None:
                tokens[row, node] = words.get(word.lower() if lower else word, UNKNOWN)
            children[row, node, :len(own)] = own
    return {"tokens": tokens, "children": children, "count": np.array([len(tree) for tree in trees], np.int32)}


def tree_labels(trees: Sequence[Tree], classes: Sequence[str], *, nodes: int | None = None) -> np.ndarray:
    """The class of every node, int32 [trees, nodes]; -1 behind the root and where the label is not among `classes`.

    Args:
        trees: at least one.
        classes: the labels in the order of the network's outputs, such as `"01234"`.
        nodes: as for `tree_arrays`.
    """
    code = {label: number for number, label in enumerate(classes)}
    targets = np.full((len(trees), nodes or max(map(len, trees))), -1, np.int32)
    for row, tree in enumerate(trees):
        targets[row, :len(tree)] = [code.get(label, -1) for label in tree.labels]
    return targets


def root_labels(targets: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The class of each tree's root, int32 [trees], from the classes of all nodes."""
    return targets[np.arange(len(targets)), count - 1]

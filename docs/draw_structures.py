"""What small networks learn of trees, texts, films and molecules: the part of draw_zoo.py where inputs are no rows.

The sentences are made up here, the text is Python's own (`import this`), the films are scikit-learn's digits on the
move, the molecules and their polar surfaces come with RDKit (the extra `molecules`).
"""
from __future__ import annotations

import codecs
import contextlib
import csv
import importlib
import io
from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import pellucid
from pellucid import networks
from pellucid.data.trees import Tree, parse_trees, tree_arrays, tree_labels, vocabulary
from pellucid.features.molecules import atom_features, bond_features, molecule_graphs, read_molecules
from pellucid.networks.tiles import QUIET_COLOUR, SIGNED, TEXT_COLOUR, blank_figure, tiles

KEY = jax.random.key(0)

# Sentences with a mood from -2 to 2 at each node, written as classes 0 to 4.
MOODS = {"superb": 2, "lovely": 2, "good": 1, "funny": 1, "clever": 1, "flawed": -1, "bad": -1, "dull": -1,
         "awful": -2, "vile": -2}
THINGS = ("film", "plot", "music", "cast")
SENTENCES = ("(x (x (x the) (x plot)) (x (x was) (x (x not) (x (x very) (x good)))))",
             "(x (x (x (x the) (x film)) (x (x was) (x dull))) (x (x but) (x (x (x the) (x music)) (x (x was) "
             "(x (x not) (x bad))))))")


def recursive() -> dict[str, Figure]:
    """Sentences in which "not" and "but" turn the mood, and where words end up."""
    random = np.random.default_rng(0)
    trees = parse_trees([sentence(random)[0] for _ in range(2000)])
    words, room = vocabulary(trees), max(map(len, trees))
    inputs, targets = tree_arrays(trees, words, nodes=room), tree_labels(trees, "01234", nodes=room)
    network = networks.Recursive(len(words) + 1, 5, embedding=8, hidden=16, key=KEY)
    fit = pellucid.fit(network, "cross_entropy", (inputs, targets), epochs=20, batch_size=50, learning_rate=0.01, key=0)
    asked = parse_trees(SENTENCES)
    told = np.asarray(fit.predict(tree_arrays(asked, words, nodes=room)))
    chances = np.exp(told) / np.exp(told).sum(-1, keepdims=True)
    single = parse_trees([f"(x {word})" for word in words])
    kinds = [{1: "praise", -1: "blame", 0: "joins or turns" if word in ("not", "very", "and", "but") else "neither"}
             [np.sign(MOODS.get(word, 0))] for word in words]
    space = networks.draw_space(fit.network, tree_arrays(single, words, nodes=room, arity=2), kinds, layer="words")
    return {"recursive_sentences": moods(asked, chances @ np.arange(-2, 3)),
            "recursive_words": with_names(space, kinds, list(words))}


def sentence(random: np.random.Generator, depth: int = 1) -> tuple[str, int]:
    """A sentence in brackets, and its mood: "not" turns moods, "very" strengthens, behind "but" stands what counts."""
    if depth and random.random() < 0.5:
        (first, one), (second, other) = sentence(random, depth - 1), sentence(random, depth - 1)
        word = random.choice(["and", "but"])
        mood = other if word == "but" else int(np.fix((one + other) / 2))
        return f"({mood + 2} {first} ({other + 2} (2 {word}) {second}))", mood
    said, mood = opinion(random)
    thing = f"(2 (2 the) (2 {random.choice(THINGS)}))"
    return f"({mood + 2} {thing} ({mood + 2} (2 was) {said}))", mood


def opinion(random: np.random.Generator, depth: int = 2) -> tuple[str, int]:
    """An adjective, perhaps behind "not" and "very"."""
    if not depth or random.random() < 0.4:
        word = random.choice(list(MOODS))
        return f"({MOODS[word] + 2} {word})", MOODS[word]
    said, mood = opinion(random, depth - 1)
    word = random.choice(["not", "very"])
    mood = int(np.clip(2 * mood, -2, 2)) if word == "very" else -int(np.sign(mood))
    return f"({mood + 2} (2 {word}) {said})", mood


def moods(trees: list[Tree], values: np.ndarray) -> Figure:
    """Trees one above the other, each node in the colour of its value."""
    figure = blank_figure("the mood at each node, as the network sees it", height=5.6)
    for axes, tree, own in zip(figure.subplots(len(trees), 1), trees, values, strict=True):
        leaf, places = 0, np.zeros((len(tree), 2))
        for node, (word, children) in enumerate(zip(tree.words, tree.children, strict=True)):
            places[node] = (leaf, 0) if word else (places[list(children), 0].mean(), 1 + max(places[list(children), 1]))
            leaf += word is not None
            for child in children:
                axes.plot(*places[[child, node]].T, color=QUIET_COLOUR, linewidth=0.8, zorder=1)
            if word:
                axes.annotate(word, places[node], (0, -10), textcoords="offset points", ha="center", va="top",
                              fontsize=9, color=TEXT_COLOUR)
        shown = axes.scatter(*places.T, s=130, c=own[:len(tree)], cmap=SIGNED, vmin=-2, vmax=2, edgecolors=TEXT_COLOUR,
                             linewidths=0.6, zorder=2)
        axes.margins(0.05, 0.2)
        axes.axis("off")
    figure.colorbar(shown, ax=figure.axes, fraction=0.03, pad=0.02, ticks=[-2, 0, 2]).ax.set_yticklabels(
        ["blame", "neither", "praise"], fontsize=9)
    return figure


def with_names(figure: Figure, labels: list[str], names: list[str]) -> Figure:
    """Names written beside the points of `draw_space`, none over another."""
    axes = figure.axes[0]
    figure.canvas.draw()  # so that places on the page are known
    taken: list[np.ndarray] = []
    for points, label in zip(axes.collections, np.unique(labels), strict=True):
        own = [name for name, kind in zip(names, labels, strict=True) if kind == label]
        for place, name in zip(points.get_offsets(), own, strict=True):
            start = axes.transData.transform(place)
            shifts = sorted(range(-60, 61, 4), key=abs)
            shift = next(shift for shift in shifts
                         if all(abs(start[0] - x) > 45 or abs(start[1] + shift - y) > 12 for x, y in taken))
            taken.append(start + [0, shift])
            axes.annotate(name, place, (6, 0.72 * shift), textcoords="offset points", fontsize=8, va="center",
                          color=TEXT_COLOUR)
    return figure


def transformer() -> dict[str, Figure]:
    """What each head of a language model looks at, learned from Python's rules of style."""
    with contextlib.redirect_stdout(io.StringIO()):
        text = codecs.decode(importlib.import_module("this").s, "rot13")
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text], np.int32)
    windows = np.lib.stride_tricks.sliding_window_view(codes, 65)
    network = networks.Transformer(len(letters), len(letters), width=64, depth=2, heads=2, causal=True, codes=True,
                                   output="steps", key=KEY)
    fit = pellucid.fit(network, "cross_entropy", (windows[:, :-1], windows[:, 1:]), epochs=20, batch_size=32,
                       learning_rate=3e-3, schedule="one_cycle", key=0)
    line = "Explicit is better than implicit."
    print(f"  goes on: {continued(fit, letters, 'Simple is better ', 30)!r}")
    found = np.array([[letters.index(letter) for letter in line]])
    first, second = fit.network.blocks
    entering = (first, fit.network.enter(found)), (second, fit.network.layer_outputs(found)["block 1"])
    shares = [np.asarray(block.attention.shares(block.normalisation(x)))[0] for block, x in entering]
    return {"transformer_attention": attention(line, np.concatenate(shares))}


def continued(fit: Any, letters: list[str], start: str, count: int) -> str:
    """`start` and the letters that the network finds most likely behind it."""
    for _ in range(count):
        codes = np.full((1, 64), 0, np.int32)
        codes[0, :len(start)] = [letters.index(letter) for letter in start]
        start += letters[int(np.argmax(np.asarray(fit.predict(codes))[0, len(start) - 1]))]
    return start


def attention(line: str, shares: np.ndarray) -> Figure:
    """For each head of each block, how much each letter (row) attends to each earlier one (column)."""
    figure = blank_figure("where each letter (row) looks (column), in two blocks", width=7.0, height=7.2)
    for number, (axes, own) in enumerate(zip(figure.subplots(2, 2).flat, shares, strict=True)):
        axes.imshow(own, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(f"block {1 + number // 2}, head {number % 2}", fontsize=9, color=QUIET_COLOUR)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(range(len(line)), list(line), fontsize=7, family="monospace")
            axis.set_tick_params(length=0)
    return figure


def convolutional_recurrent() -> dict[str, Figure]:
    """The next frame of a film of a moving digit, and what a few cells follow."""
    digits = load_digits().images.astype(np.float32) / 16
    random = np.random.default_rng(0)
    inputs, targets = films(digits[:1500], 800, random)
    network = networks.ConvolutionalRecurrent((14, 14, 1), (12,), 1, window=5, key=KEY)
    fit = pellucid.fit(network, "binary_cross_entropy", (inputs, targets), epochs=25, batch_size=20,
                       learning_rate=1e-2, schedule="one_cycle", clip=1.0, key=0)
    unseen, true = films(digits[1500:], 3, random)
    told = 1 / (1 + np.exp(-np.asarray(fit.predict(unseen))))
    figure = blank_figure("five frames of a film; the sixth as foretold, and as it was", height=3.8)
    rows = [[*unseen[film, :, :, :, 0], told[film, :, :, 0], true[film, :, :, 0]] for film in range(len(unseen))]
    names = [*(f"frame {number}" for number in range(1, 6)), "foretold", "true"]
    tiles(figure, [np.clip(image, 0, 1) for row in rows for image in row],
          [*names, *[""] * (len(names) * (len(rows) - 1))], len(names), bar=False)
    return {"convolutional_recurrent_frames": figure,
            "convolutional_recurrent_cells": networks.draw_activations(fit.network, unseen, "hidden 1", row=0)}


def films(digits: np.ndarray, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Films of a digit that bounces about on 14 × 14 pixels: five frames, and the one after them."""
    shown = np.zeros((count, 6, 14, 14), np.float32)
    for film in shown:
        digit, place = digits[random.integers(len(digits))], random.integers(0, 7, 2)
        speed = random.choice([-1, 1], 2)
        for frame in film:
            frame[place[0]:place[0] + 8, place[1]:place[1] + 8] = digit
            speed = np.where((place + speed < 0) | (place + speed > 6), -speed, speed)
            place = place + speed
    return shown[:, :-1, ..., None], shown[:, -1, ..., None]


def graph() -> dict[str, Figure]:
    """How polar a molecule's surface is, and which atoms make it so, of which the network was never told."""
    from rdkit import RDConfig  # an extra
    path = Path(RDConfig.RDDataDir) / "NCI" / "first_5k.tpsa.csv"
    lines = [row for row in csv.reader(path.read_text(encoding="utf-8").splitlines()[1:]) if len(row[0]) < 60]
    found = read_molecules([row[0] for row in lines[:2200]])
    surface = np.array([float(lines[row][1]) for row in found.rows], np.float32)
    inputs = molecule_graphs(found)
    network = networks.Graph(len(atom_features()), 1, edge_features=len(bond_features()), hidden=32, depth=2,
                             readout="sum", head={"hidden": ()}, key=KEY)
    part = lambda rows: {name: values[rows] for name, values in inputs.items()}  # noqa: E731
    fit = pellucid.fit(network, "mean_squared", (part(slice(0, 2000)), surface[:2000, None] / 10), epochs=25,
                       batch_size=32, learning_rate=3e-3, schedule="one_cycle", clip=5.0, key=0)
    held = part(slice(2000, None))
    error = np.asarray(fit.predict(held))[:, 0] * 10 - surface[2000:]
    print(f"  root of the mean squared error {np.sqrt(np.mean(error ** 2)):.1f} Å², of guessing the mean "
          f"{surface[2000:].std():.1f} Å²")
    # With the sum as readout and a head without hidden neurons, an answer is a sum of what each atom adds to it.
    shown = [row for row in np.argsort(-surface[2000:]) if "." not in found.canonical[2000 + row]  # in one piece
             and found.parsed[2000 + row].GetNumHeavyAtoms() < 20][:36:6]
    values = np.asarray(fit.network.layer_outputs(held)["nodes"] @ fit.network.head.output.weight)[..., 0] * 10
    return {"graph_atoms": atoms([found.parsed[2000 + row] for row in shown], values[shown])}


def atoms(molecules: list[Any], values: np.ndarray) -> Figure:
    """Molecules, each atom in the colour of its value."""
    from rdkit.Chem import rdDepictor
    figure = blank_figure("what each atom adds to the polar surface (Å²), as the network sees it", height=4.8)
    top = np.abs(values).max()
    for axes, molecule, own in zip(figure.subplots(2, 3).flat, molecules, values, strict=True):
        rdDepictor.Compute2DCoords(molecule)
        places = molecule.GetConformer().GetPositions()[:, :2]
        for bond in molecule.GetBonds():
            ends = places[[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]]
            across = np.array([[0, 1], [-1, 0]]) @ (ends[1] - ends[0]) * 0.08
            for side in {1.0: (0,), 2.0: (-1, 1), 3.0: (-1.5, 0, 1.5)}.get(bond.GetBondTypeAsDouble(), (-1, 1)):
                axes.plot(*(ends + side * across).T, color=QUIET_COLOUR, linewidth=0.9, zorder=1,
                          linestyle=":" if bond.GetIsAromatic() and side == 1 else "-")
        shown = axes.scatter(*places.T, s=110, c=own[:len(places)], cmap=SIGNED, vmin=-top, vmax=top,
                             edgecolors=QUIET_COLOUR, linewidths=0.5, zorder=2)
        for atom, place, value in zip(molecule.GetAtoms(), places, own, strict=False):
            if atom.GetSymbol() != "C":
                axes.annotate(atom.GetSymbol(), place, ha="center", va="center", fontsize=7,
                              color="white" if value > 0.6 * top else TEXT_COLOUR)
        axes.set_aspect("equal")
        axes.margins(0.12)
        axes.axis("off")
    figure.colorbar(shown, ax=figure.axes, fraction=0.03, pad=0.02).ax.tick_params(labelsize=9)
    return figure


PICTURES = (recursive, transformer, convolutional_recurrent, graph)

"""What the report shows of pictures: one of each class, those most often confused, and the worst errors."""
from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from pellucid.features.image import Image
from pellucid.model.model import Model
from pellucid.report import words
from pellucid.report.result import Gallery, Section, Thumbnail
from pellucid.report.thumbnails import png
from pellucid.tasks.judge import Evidence
from pellucid.tasks.prepare import Prepared

CLASSES, PAIRS, OF_A_PAIR, WORST = 20, 3, 5, 10


def picture_sections(prepared: Prepared, model: Model, evidence: Evidence | None) -> tuple[Section, ...]:
    """Pictures of test rows, for the first column of pictures; nothing where there is none.

    Args:
        prepared: the table.
        model: how pictures were encoded, and the classes.
        evidence: what was said about test rows.
    """
    feature = next((one for one in model.features if isinstance(one, Image)), None)
    if feature is None or evidence is None:
        return ()
    _, once = np.unique(evidence.rows, return_index=True)
    wall = _Wall(prepared, feature, evidence.rows[once])
    truth, said = evidence.truth[once], evidence.network[once]
    galleries = _of_classes(wall, truth, said, model) if prepared.task == "classify" else _of_numbers(wall, truth, said)
    size = f"{feature.height} × {feature.width} pixels {'in grey' if feature.channels == 1 else 'in colour'}"
    sentence = (f"Test pictures as the network sees them, {size}; the originals are {feature.original[0]} × "
                f"{feature.original[1]} in the middle. Point at one to see its name.")
    shown = tuple(gallery for gallery in galleries if gallery.pictures)
    return (Section("The pictures", (sentence,), galleries=shown),) if shown else ()


class _Wall:
    """Where thumbnails of test rows come from."""

    def __init__(self, prepared: Prepared, feature: Image, rows: np.ndarray) -> None:
        self.prepared, self.feature, self.rows = prepared, feature, rows

    def gallery(self, title: str, places: Sequence[int], captions: Sequence[str]) -> Gallery:
        """The pictures at `places` among the test rows, with words below; unreadable ones are left out."""
        table = self.prepared.table.take(self.rows[list(places)])
        column = table.column(self.feature.name)
        found = self.feature.encode(column)
        names = table.files.to_list() if table.files is not None else [
            os.path.basename(cell) if isinstance(cell, str) else "" for cell in column.to_list()]
        return Gallery(title, tuple(
            Thumbnail(png(pixels), words_, name) for pixels, words_, name, absent in
            zip(found.raw["pixels"], captions, names, found.missing, strict=True) if not absent))


def _of_classes(wall: _Wall, truth: np.ndarray, said: np.ndarray, model: Model) -> list[Gallery]:
    decided, labels = said.argmax(axis=1), [str(label) for label in model.classes]
    rows = np.arange(len(truth))
    sure = said[rows, decided]
    right = decided == truth
    clear = [max(np.flatnonzero(right & (truth == label)), key=lambda row: sure[row]) for label in range(len(labels))
             if (right & (truth == label)).any()][:CLASSES]
    galleries = [wall.gallery("The clearest picture of each class", clear, [labels[truth[row]] for row in clear])]
    confused = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confused, (truth[~right], decided[~right]), 1)
    for pair in np.argsort(-confused, axis=None, kind="stable")[:PAIRS]:
        actual, instead = divmod(int(pair), len(labels))
        if not confused[actual, instead]:
            break
        there = np.flatnonzero((truth == actual) & (decided == instead))
        there = there[np.argsort(-sure[there], kind="stable")][:OF_A_PAIR]
        title = f"Taken for {labels[instead]}, but {labels[actual]}: {confused[actual, instead]} of " \
                f"{(truth == actual).sum():,}"
        galleries.append(wall.gallery(title, there, [f"{words.percent(sure[row])} sure" for row in there]))
    worst = np.flatnonzero(~right)
    worst = worst[np.argsort(-sure[worst], kind="stable")][:WORST]
    galleries.append(wall.gallery("The worst errors: wrong and yet sure", worst, [
        f"{labels[truth[row]]}, taken for {labels[decided[row]]} ({words.percent(sure[row])} sure)" for row in worst]))
    return galleries


def _of_numbers(wall: _Wall, truth: np.ndarray, said: np.ndarray) -> list[Gallery]:
    error = np.abs(said - truth)
    galleries = []
    for title, order in (("The best answers", np.argsort(error, kind="stable")),
                         ("The worst errors", np.argsort(-error, kind="stable"))):
        rows = order[:WORST]
        galleries.append(wall.gallery(title, rows, [
            f"{words.number(truth[row])}, predicted {words.number(said[row])}" for row in rows]))
    return galleries

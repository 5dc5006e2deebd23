"""Folders of frames as films: which pictures belong to one, told by their names and by how alike they are."""
from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

import numpy as np

from pellucid.features._films import is_animated, natural
from pellucid.features._pictures import Form, Unreadable, pixels
from pellucid.features.media import sniff_file

FEWEST_FRAMES = 3
GAPS = 3
"""Numbers of frames may have such holes: every third frame of a camera."""
LOOKED_AT = 12
ALIKE = 0.85
"""Neighbouring frames of a film differ by less than this share of what frames of two films differ by."""
SMALL = Form(24, 24, 1)
ANIMATED = (".gif", ".webp", ".apng")


def films_of(top: str, files: Sequence[str]) -> dict[str, list[str]] | None:
    """The frames of each film by its folder, if the pictures below `top` are frames, else `None`.

    Pictures are frames where each class has folders of its own, each with numbered pictures, and neighbours in a folder
    are more alike than pictures of different folders.

    Args:
        top: the folder.
        files: paths of pictures relative to it.
    """
    films = grouped(files)
    deep = {folder: names for folder, names in films.items() if os.sep in folder}
    if sum(map(len, deep.values())) < 0.95 * len(files) or len(deep) < 2:
        return None
    numbered = {folder: names for folder, names in deep.items() if is_numbered(names)}
    if len(numbered) < 0.8 * len(deep) or not _are_alike(top, numbered):
        return None
    return deep


def grouped(files: Sequence[str]) -> dict[str, list[str]]:
    """The files of each folder, by the numbers in their names."""
    films: dict[str, list[str]] = {}
    for name in files:
        films.setdefault(os.path.dirname(name), []).append(name)
    return {folder: sorted(names, key=natural) for folder, names in films.items()}


def is_numbered(names: Sequence[str]) -> bool:
    """Whether names differ by a number alone, which counts up without large holes."""
    found = [re.fullmatch(r"(.*?)(\d+)(\D*)", os.path.basename(name)) for name in names]
    if len(names) < FEWEST_FRAMES or not all(found) or len({(one[1], one[3].lower()) for one in found}) > 1:
        return False
    numbers = sorted(int(one[2]) for one in found)
    return len(set(numbers)) == len(numbers) and numbers[-1] - numbers[0] <= GAPS * len(numbers)


def _are_alike(top: str, films: Mapping[str, Sequence[str]]) -> bool:
    folders = sorted(films)
    folders = folders[::max(len(folders) // LOOKED_AT, 1)][:LOOKED_AT]
    pairs = []
    for folder in folders:
        names = films[folder]
        middle = len(names) // 2
        try:
            pairs.append([pixels(os.path.join(top, names[place]), SMALL).astype(np.float64)
                          for place in (middle - 1, middle)])
        except Unreadable:
            continue
    if len(pairs) < 2:
        return False
    near = np.mean([np.abs(one - other).mean() for one, other in pairs])
    far = np.mean([np.abs(pairs[place][0] - pairs[place - 1][1]).mean() for place in range(len(pairs))])
    return bool(near < ALIKE * far)


def are_animated(paths: Sequence[str]) -> bool:
    """Whether most of these files are animated pictures, by a look at some."""
    some = [path for path in paths if path.lower().endswith(ANIMATED)]
    if 2 * len(some) <= len(paths):
        return False
    sample = some[::max(len(some) // LOOKED_AT, 1)][:LOOKED_AT]
    return 2 * sum(map(is_animated, sample)) > len(sample)


def holds_pictures(folder: str) -> bool:
    """Whether the first files of a folder are pictures."""
    try:
        with os.scandir(folder) as entries:
            some = [entry.path for entry, _ in zip(entries, range(5), strict=False)]
    except OSError:
        return False
    return any(sniff_file(path) == "image" for path in some)

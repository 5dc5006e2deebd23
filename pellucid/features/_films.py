"""Films: folders or lists of frames, animated pictures, or arrays, as 8-bit pixels of one shape."""
from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from pellucid.features._pictures import (
    LARGEST,
    NUMPY,
    Form,
    Look,
    Source,
    Unreadable,
    boxed,
    eight_bits,
    look,
    pixels,
    plain,
    reason_of,
)
from pellucid.features.media import PICTURES, array_shape, is_film_shape, listed

MOST_STORED = 1 << 31
"""Bytes; a larger array is not read."""


def frame_names(folder: str) -> list[str]:
    """The full paths of the pictures in a folder, in the order of the numbers in their names."""
    try:
        names = [name for name in os.listdir(folder) if name.lower().endswith(PICTURES) and not name.startswith(".")]
    except OSError:
        return []
    return [os.path.join(folder, name) for name in sorted(names, key=natural)]


def natural(name: str) -> tuple:
    """A key that sorts `frame 2` before `frame 10`."""
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part.lower())
                 for part in re.split(r"(\d+)", name) if part)


def spread(count: int, most: int) -> np.ndarray:
    """Up to `most` of `count` frames, evenly spread, from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def is_film(source: Source) -> bool:
    """Whether a cell names, or holds, several frames."""
    if isinstance(source, str):
        if os.path.isdir(source):
            return bool(frame_names(source))
        if (names := listed(source)) is not None:
            return len(names) > 1 and all(name.lower().endswith(PICTURES) for name in names)
    return is_animated(source)


def is_animated(source: Source) -> bool:
    """Whether a file, or its bytes, is an animated picture or an array of frames."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            head = file.read(4096)
            if head.startswith(NUMPY):
                return is_film_shape(array_shape(head))
            file.seek(0)
            with Image.open(file) as image:
                return bool(getattr(image, "is_animated", False))
    except Exception:  # a damaged file, which `film` names
        return False


def film_look(source: Source) -> tuple[int, Look] | None:
    """How many frames a film has and what the first is like, without decoding them all; `None` for what is no film."""
    try:
        frames = _frames(source)
        if isinstance(frames, np.ndarray):
            return len(frames), Look(*frames.shape[1:3], frames.dtype not in (np.uint8, bool), "array")
        if isinstance(frames, list):
            first = look(frames[0])
            return None if first is None else (len(frames), first)
        with frames as image:
            count = int(getattr(image, "n_frames", 1))
            return count, Look(image.height, image.width, False, image.format or "picture")
    except Exception:  # a damaged file, which `film` names
        return None


def film_range(source: Source) -> tuple[float, float] | None:
    """The least and the largest value of a film that is an array."""
    try:
        values = _frames(source)
        finite = values[np.isfinite(values)] if isinstance(values, np.ndarray) else np.zeros(0)
        return (float(finite.min()), float(finite.max())) if finite.size else None
    except Exception:  # a damaged file, which `film` names
        return None


def film(source: Source, form: Form, most: int) -> np.ndarray:
    """Up to `most` frames, evenly spread, as uint8 (frames, height, width, channels).

    Args:
        source: a folder, a list of paths, an animated picture or an array of frames; or the bytes of such a file.
        form: the asked-for shape of a frame.
        most: how many frames at most.

    Raises:
        Unreadable: there is no such film, or one of its frames cannot be read.
    """
    try:
        return _film(source, form, most)
    except Unreadable:
        raise
    except FileNotFoundError:
        raise Unreadable("there is no such file or folder") from None
    except UnidentifiedImageError:
        raise Unreadable("neither a folder of frames nor a film") from None
    except MemoryError:
        raise Unreadable("too large for the memory") from None
    except Exception as error:  # decoders of damaged files raise all kinds of errors
        raise Unreadable(reason_of(error)) from None


def _film(source: Source, form: Form, most: int) -> np.ndarray:
    frames = _frames(source)
    if isinstance(frames, list):
        return np.stack([_frame(frames[place], form) for place in spread(len(frames), most)])
    if isinstance(frames, np.ndarray):
        return np.stack([_array_frame(frames[place], form) for place in spread(len(frames), most)])
    with frames as image:
        if image.width * image.height > LARGEST:
            raise Unreadable(f"too large: {image.width:,} × {image.height:,} pixels")
        wanted = set(spread(int(getattr(image, "n_frames", 1)), most).tolist())
        return np.stack([boxed(plain(frame.copy(), form), form)
                         for place, frame in enumerate(ImageSequence.Iterator(image)) if place in wanted])


def _frame(path: str, form: Form) -> np.ndarray:
    try:
        return pixels(path, form)
    except Unreadable as error:
        raise Unreadable(f"frame {os.path.basename(path)}: {error}") from None


def _array_frame(values: np.ndarray, form: Form) -> np.ndarray:
    values = eight_bits(values if values.ndim == 3 else values[..., None], form)
    if values.shape == (form.height, form.width, form.channels):
        return values
    return boxed(Image.fromarray(values[..., 0] if values.shape[2] == 1 else values), form)


def _frames(source: Source) -> Sequence[str] | np.ndarray | Image.Image:
    """The paths of a film's frames, the array that holds them, or the opened picture."""
    if isinstance(source, str):
        if os.path.isdir(source):
            names = frame_names(source)
            if not names:
                raise Unreadable("a folder without pictures")
            return names
        names = listed(source)
        if names is not None:
            if not names:
                raise Unreadable("an empty list")
            return names
    if source.startswith(NUMPY) if isinstance(source, bytes) else source.lower().endswith(".npy"):
        return _array(source)
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)


def _array(source: Source) -> np.ndarray:
    if isinstance(source, str) and os.path.getsize(source) > MOST_STORED:
        raise Unreadable("the file is too large")
    try:
        values = np.load(io.BytesIO(source) if isinstance(source, bytes) else source, allow_pickle=False)
    except (ValueError, EOFError):
        raise Unreadable("a damaged NumPy file") from None
    if not is_film_shape(values.shape) or values.dtype.kind not in "buif" or not values.size:
        raise Unreadable(f"an array of shape {values.shape} is no film")
    return values



"""Pictures of any size, mode and depth to 8-bit pixels of one shape."""
from __future__ import annotations

import ast
import io
import os
import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

Source = str | bytes
LARGEST = 130_000_000
"""Pixels; a picture of more is not decoded."""
LARGE = 20_000_000
"""Pictures of more pixels are decoded one at a time, whatever the number of threads."""
STRETCH = 1.1
"""A picture whose shape differs by less is stretched, without bars at its sides."""
NUMPY = b"\x93NUMPY"
_ORIENTATION = 274
_TURNED = (5, 6, 7, 8)
_large = threading.Lock()


class Unreadable(Exception):
    """Why a picture cannot be read, in words for a user."""


@dataclass(frozen=True)
class Form:
    """What every picture of a column becomes.

    Args:
        height, width: in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        low, high: of pictures with more than 8 bits a channel, the values that become 0 and 255.
    """

    height: int
    width: int
    channels: int
    low: float = 0.0
    high: float = 255.0


def pixels(source: Source, form: Form) -> np.ndarray:
    """A picture as uint8 (height, width, channels).

    Args:
        source: a path, or the bytes of a file.
        form: the asked-for shape.

    Raises:
        Unreadable: there is no such file, or it holds no whole picture.
    """
    try:
        return _pixels(source, form)
    except Unreadable:
        raise
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except UnidentifiedImageError:
        raise Unreadable("not a picture file") from None
    except Image.DecompressionBombError:
        raise Unreadable("too many pixels") from None
    except MemoryError:
        raise Unreadable("too large for the memory") from None
    except Exception as error:  # decoders of damaged files raise all kinds of errors
        raise Unreadable(reason_of(error)) from None


def reason_of(error: Exception) -> str:
    """Why a decoder failed, in words for a user."""
    said = str(error).lower()
    if "truncated" in said or "unexpected end" in said or isinstance(error, EOFError):
        return "the file is cut short"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return "damaged picture file"


def _pixels(source: Source, form: Form) -> np.ndarray:
    if _is_array(source):
        values = eight_bits(_array(source), form)
        if values.shape == (form.height, form.width, form.channels):
            return values
        return boxed(Image.fromarray(values[..., 0] if values.shape[2] == 1 else values), form)
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        if image.width * image.height > LARGEST:
            raise Unreadable(f"too large: {image.width:,} × {image.height:,} pixels")
        if image.width * image.height < LARGE:
            return boxed(plain(image, form), form)
        with _large:
            return boxed(plain(image, form), form)


def _is_array(source: Source) -> bool:
    return source.startswith(NUMPY) if isinstance(source, bytes) else source.lower().endswith(".npy")


def _array(source: Source) -> np.ndarray:
    """The (height, width, colours) array in a NumPy file."""
    if isinstance(source, bytes):
        length = 10 + int.from_bytes(source[8:10], "little")
        kind, shape = _header(source[10:length])
        values = np.frombuffer(source, kind, offset=length).reshape(shape)
    else:
        values = np.load(source, allow_pickle=False)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or not 1 <= values.shape[2] <= 4 or values.dtype.kind not in "buif" or not values.size:
        raise Unreadable(f"an array of shape {values.shape} is no picture")
    return values


@lru_cache(maxsize=64)
def _header(text: bytes) -> tuple[np.dtype, tuple[int, ...]]:
    fields = ast.literal_eval(text.decode("latin1"))
    if fields["fortran_order"]:
        raise Unreadable("an array in Fortran order")
    return np.dtype(fields["descr"]), fields["shape"]


def eight_bits(values: np.ndarray, form: Form) -> np.ndarray:
    """uint8 in the colours of `form`; deeper values scaled by its range, transparent ones over white."""
    if values.dtype == bool:
        values = values.astype(np.uint8) * 255
    if values.dtype != np.uint8:
        scale = 255.0 / max(form.high - form.low, 1e-30)
        scaled = (np.nan_to_num(values.astype(np.float64), nan=form.low) - form.low) * scale
        values = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    if values.shape[2] in (2, 4):
        share = values[..., -1:] / 255.0
        values = np.round(values[..., :-1] * share + 255 * (1 - share)).astype(np.uint8)
    if values.shape[2] == form.channels:
        return values
    if form.channels == 3:
        return np.repeat(values, 3, axis=2)
    return np.asarray(Image.fromarray(values).convert("L"))[..., None]


def plain(image: Image.Image, form: Form) -> Image.Image:
    """Upright, in the colours of `form`, 8 bits a channel; transparent parts are white."""
    mode = "L" if form.channels == 1 else "RGB"
    longest = 2 * max(form.width, form.height)
    if image.format == "JPEG" and image.mode in ("L", "RGB", "YCbCr") and min(image.size) > longest:
        image.draft(mode, (longest, longest))  # decodes a smaller picture, several times faster
    image = ImageOps.exif_transpose(image)
    if image.mode == "F" or image.mode.startswith("I"):
        values = eight_bits(np.asarray(image)[..., None], form)
        return Image.fromarray(values[..., 0] if form.channels == 1 else values)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == mode else image.convert(mode)


def box_of(height: int, width: int, form: Form) -> tuple[int, int, int, int]:
    """Where a picture of this size lies in its `form`: top, left, height and width, in pixels."""
    wide, high = form.width / width, form.height / height
    if max(wide, high) <= STRETCH * min(wide, high):
        return 0, 0, form.height, form.width
    scale = min(wide, high)
    rows, columns = max(round(height * scale), 1), max(round(width * scale), 1)
    return (form.height - rows) // 2, (form.width - columns) // 2, rows, columns


def boxed(image: Image.Image, form: Form) -> np.ndarray:
    """The whole picture, as large as fits; the rest in the colour of its border."""
    box = (form.width, form.height)
    if image.size != box:
        top, left, height, width = box_of(image.height, image.width, form)
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    values = np.asarray(image)
    values = values[..., None] if values.ndim == 2 else values
    if image.size == box:
        return values
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    result = np.empty((form.height, form.width, form.channels), np.uint8)
    result[:] = np.median(border, axis=0).astype(np.uint8)
    result[top:top + image.height, left:left + image.width] = values
    return result


@dataclass(frozen=True)
class Look:
    """What a picture is by its header.

    Args:
        height, width: upright, in pixels.
        deep: whether it has more than 8 bits a channel.
        format: such as `"PNG"`.
    """

    height: int
    width: int
    deep: bool
    format: str


def look(source: Source) -> Look | None:
    """Size and depth without decoding; `None` for what is no picture."""
    try:
        if _is_array(source):
            values = _array(source)
            return Look(*values.shape[:2], values.dtype not in (np.uint8, bool), "array")
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            width, height = image.size[::-1] if turned else image.size
            deep = image.mode == "F" or image.mode.startswith("I")
            return Look(height, width, deep, image.format or "picture")
    except Exception:  # a damaged file, which `pixels` names
        return None


def value_range(source: Source) -> tuple[float, float] | None:
    """The least and the largest value of a picture with more than 8 bits a channel."""
    try:
        if _is_array(source):
            values = _array(source)
        else:
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                if image.width * image.height > LARGEST:
                    return None
                values = np.asarray(image)
        finite = values[np.isfinite(values)]
        return (float(finite.min()), float(finite.max())) if finite.size else None
    except Exception:  # a damaged file, which `pixels` names
        return None

"""Arrays out of a file that `torch.save` wrote, without PyTorch, and without running anything that the file says.

Such a file holds pickles: programs for a small machine that can call any function by name. Here the few instructions
that describe tensors are carried out by hand; everything else is refused, so that a file can hold numbers or nothing.
"""
from __future__ import annotations

import io
import math
import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pellucid.errors import DataError

MAGIC = 0x1950A86A20F9469CFC6C
"""The number that files begin with that are no zip archives (PyTorch before 1.6)."""
STORAGES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8",
            "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"}
MAPPING, TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
LARGEST = 1 << 31
"""Bytes of the largest file that is read."""
_MARK = object()
_PUSHED = ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "INT", "BINFLOAT", "UNICODE")
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_PASSED = ("PROTO", "FRAME", "STOP")


@dataclass(frozen=True)
class _Name:
    """A function or class that a pickle names; nothing is imported."""

    name: str


@dataclass(frozen=True)
class _Storage:
    """A row of numbers that tensors are views of."""

    kind: str
    key: str
    size: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


class _Refused(Exception):
    """What a file asks for that is no tensor."""


def read_torch_file(path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a saved state dictionary by name.

    Args:
        path: a file that `torch.save` wrote, of either format.

    Raises:
        DataError: there is no such file, it is damaged, or it holds anything but a dictionary of tensors.

    Example:
        >>> read_torch_file("weights.pth")["conv.weight"].shape  # doctest: +SKIP
        (32, 3, 3, 3)
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise _Refused("more than 2 GiB")
        with path.open("rb") as file:
            return _from_zip(file) if zipfile.is_zipfile(file) else _from_pickles(file)
    except _Refused as error:
        raise DataError(f"`{path}` was not read, because it holds {error}.",
                        "only dictionaries of tensors are read; use the file as its makers published it") from None
    except FileNotFoundError:
        raise DataError(f"There is no file `{path}`.", "check the path") from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError,
            zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"`{path}` is damaged, or no file of tensors: {error}.",
                        "download or install it again") from error


def _from_pickles(file: BinaryIO) -> dict[str, np.ndarray]:
    """The older format: number, version, machine, tensors, names of storages, and each one's length and bytes."""
    file.seek(0)
    if _unpickled(file) != MAGIC:
        raise _Refused("no tensors that PyTorch saved")
    _unpickled(file), _unpickled(file)
    tensors, keys = _tensors(_unpickled(file)), _unpickled(file)
    kinds = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    storages = {}
    for key in keys:
        storage, size = kinds[key], int.from_bytes(file.read(8), "little")
        if size != storage.size:
            raise ValueError(f"a storage of {size} numbers instead of {storage.size}")
        storages[key] = _numbers(file.read(size * np.dtype(storage.kind).itemsize), storage)
    return {name: _view(tensor, storages) for name, tensor in tensors.items()}


def _from_zip(file: BinaryIO) -> dict[str, np.ndarray]:
    """The format since PyTorch 1.6: an archive of one pickle and a file for each storage."""
    with zipfile.ZipFile(file) as archive:
        inside = {name.partition("/")[2]: archive.getinfo(name) for name in archive.namelist()}
        if sum(info.file_size for info in inside.values()) > LARGEST:
            raise _Refused("more than 2 GiB")
        tensors = _tensors(_unpickled(io.BytesIO(archive.read(inside["data.pkl"]))))
        kinds = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        storages = {key: _numbers(archive.read(inside[f"data/{key}"]), storage) for key, storage in kinds.items()}
    return {name: _view(tensor, storages) for name, tensor in tensors.items()}


def _tensors(found: Any) -> dict[str, _Tensor]:
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise _Refused("no dictionary of tensors")
    for name, value in found.items():
        if not isinstance(value, _Tensor):
            raise _Refused(f"`{name}`, which is no tensor")
    return found


def _numbers(data: bytes, storage: _Storage) -> np.ndarray:
    kind = np.dtype(storage.kind)
    if len(data) != storage.size * kind.itemsize:
        raise ValueError("it is cut short")
    return np.frombuffer(data, kind)


def _view(tensor: _Tensor, storages: Mapping[str, np.ndarray]) -> np.ndarray:
    """A copy of what a tensor shows of its storage, with everything it touches inside of it."""
    numbers = storages[tensor.storage.key]
    if min((*tensor.shape, *tensor.steps, tensor.offset), default=0) < 0 or len(tensor.shape) != len(tensor.steps):
        raise ValueError("a tensor of impossible shape")
    if not math.prod(tensor.shape):
        return np.zeros(tensor.shape, numbers.dtype)
    last = tensor.offset + sum((length - 1) * step for length, step in zip(tensor.shape, tensor.steps, strict=True))
    if last >= len(numbers) or math.prod(tensor.shape) > len(numbers):
        raise ValueError("a tensor that is larger than its storage")
    steps = tuple(step * numbers.itemsize for step in tensor.steps)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset:], tensor.shape, steps).copy()


def _unpickled(file: BinaryIO) -> Any:
    """What one pickle describes, of the few things that are known here."""
    machine = _Machine()
    for operation, argument in _operations(file):
        machine.follow(operation, argument)
    return machine.stack.pop()


def _operations(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    return ((operation.name, argument) for operation, argument, _ in pickletools.genops(file))


class _Machine:
    """Carries out the instructions that describe dictionaries, tuples and tensors; refuses all others."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.kept: dict[int, Any] = {}

    def follow(self, name: str, argument: Any) -> None:
        """One instruction."""
        stack = self.stack
        if name in _PUSHED:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.kept[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.kept[len(self.kept)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.kept[argument])
        elif name == "GLOBAL":
            stack.append(_known(argument))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(_known(f"{module} {attribute}"))
        elif name not in _PASSED:
            act = getattr(self, f"_{name.lower()}", None)
            if act is None:
                raise _Refused(f"the instruction {name}")
            act()

    def _mark(self) -> None:
        self.stack.append(_MARK)

    def _after_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
        taken = self.stack[place + 1:]
        del self.stack[place:]
        return taken

    def _empty_dict(self) -> None:
        self.stack.append({})

    def _empty_list(self) -> None:
        self.stack.append([])

    def _empty_tuple(self) -> None:
        self.stack.append(())

    def _tuple(self) -> None:
        self.stack.append(tuple(self._after_mark()))

    def _tuple1(self) -> None:
        self._last(1)

    def _tuple2(self) -> None:
        self._last(2)

    def _tuple3(self) -> None:
        self._last(3)

    def _last(self, count: int) -> None:
        taken = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(taken)

    def _setitem(self) -> None:
        value, name = self.stack.pop(), self.stack.pop()
        self._fill([name, value])

    def _setitems(self) -> None:
        self._fill(self._after_mark())

    def _fill(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise _Refused("something that is no dictionary")
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def _append(self) -> None:
        self._extend([self.stack.pop()])

    def _appends(self) -> None:
        self._extend(self._after_mark())

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise _Refused("something that is no list")
        self.stack[-1].extend(items)

    def _build(self) -> None:
        """What PyTorch notes beside a dictionary, such as versions of layers, is not kept."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise _Refused("an object with a state of its own")

    def _binpersid(self) -> None:
        """A storage: ("storage", type, key, where it was, length, …)."""
        word, kind, key, _, size = self.stack.pop()[:5]
        if word != "storage" or not isinstance(kind, _Name) or not isinstance(key, str) or not isinstance(size, int):
            raise _Refused("a reference to something that is no storage")
        self.stack.append(_Storage(STORAGES[kind.name.removeprefix("torch ")], key, size))

    def _reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if function == _Name(MAPPING) and arguments == ():
            self.stack.append({})
        elif function == _Name(TENSOR):
            storage, offset, shape, steps = arguments[:4]
            if not isinstance(storage, _Storage):
                raise _Refused("a tensor without a storage")
            self.stack.append(_Tensor(storage, offset, tuple(shape), tuple(steps)))
        else:
            raise _Refused("a call that makes no tensor")


def _known(name: str) -> _Name:
    """A name that a file of tensors may use; it is only compared, never looked up."""
    module, _, own = name.partition(" ")
    if name not in (MAPPING, TENSOR) and not (module == "torch" and own in STORAGES):
        raise _Refused(f"the name `{name.replace(' ', '.')}`")
    return _Name(name)

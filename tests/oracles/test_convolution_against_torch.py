"""Convolution, pooling and normalisation of images against PyTorch, forward and backward (recorded values)."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import nn

GOLDEN = json.loads(Path(__file__).with_name("torch_convolution.json").read_text())


def features_last(array):
    return jnp.moveaxis(jnp.asarray(array, jnp.float64), 1, -1)


def check(run, given, case, backs):
    """Compare the output of `run` and the gradients of the sum of its cubes with the record.

    Args:
        run: from the arrays in `given` to an output, features last.
        given: arrays in Pellucid's order of axes.
        case: the record.
        backs: for each array, from Pellucid's order of axes to PyTorch's.
    """
    def error(given):
        output = run(*given)
        return jnp.sum(output ** 3), output

    gradients, output = jax.jit(jax.grad(error, has_aux=True))(given)
    np.testing.assert_allclose(jnp.moveaxis(output, -1, 1), case["output"], rtol=1e-7, atol=1e-8)
    for gradient, expected, back in zip(gradients, case["gradients"], backs, strict=True):
        np.testing.assert_allclose(back(gradient), expected, rtol=1e-7, atol=1e-7)


def images_back(array):
    return jnp.moveaxis(array, -1, 1)


@pytest.mark.parametrize("case", GOLDEN["convolutions"], ids=lambda case: json.dumps(case["options"]))
def test_convolution(case):
    options = dict(case["options"])
    transposed, padding = options.get("transposed", False), options.pop("padding", 0)
    extra = options.pop("output_padding", 0)
    with jax.enable_x64(True):
        x, weight = features_last(case["x"]), jnp.asarray(case["weight"])
        axes = weight.ndim - 2
        pairs = [(one, one - extra) for one in (padding if isinstance(padding, list) else [padding] * axes)]
        groups = options.get("groups", 1)
        if transposed:  # PyTorch has (in, out / groups): the groups lie along the first axis
            weight = weight.reshape(groups, -1, *weight.shape[1:])
            own = jnp.moveaxis(weight, (1, 0, 2), (-3, -2, -1)).reshape(*weight.shape[3:], weight.shape[1], -1)
            back = lambda array: jnp.moveaxis(array.reshape(*array.shape[:-1], groups, -1), (-3, -2, -1),  # noqa: E731
                                              (1, 0, 2)).reshape(-1, array.shape[-1] // groups, *array.shape[:axes])
        else:
            own = jnp.moveaxis(weight, (1, 0), (-2, -1))
            back = lambda array: jnp.moveaxis(array, (-2, -1), (1, 0))  # noqa: E731
        layer = nn.Convolution(x.shape[-1], own.shape[-1], own.shape[:axes], padding=pairs, key=jax.random.key(0),
                               **options)

        def run(x, weight, bias):
            return eqx.tree_at(lambda layer: (layer.weight, layer.bias), layer, (weight, bias))(x)

        check(run, (x, own, jnp.asarray(case["bias"])), case, (images_back, back, lambda array: array))
        assert layer.out_shape(x.shape[1:]) == (*np.shape(case["output"])[2:], own.shape[-1])


@pytest.mark.parametrize("case", GOLDEN["poolings"], ids=lambda case: f"{case['name']} {json.dumps(case['options'])}")
def test_pooling(case):
    names = {"kernel_size": "window", "output_size": "positions", "count_include_pad": "count_padding"}
    options = {names.get(name, name): value for name, value in case["options"].items()}
    axes = np.ndim(case["x"]) - 2
    if case["name"] == "GlobalPooling":
        layer = nn.GlobalPooling(options["kind"])
    else:
        size = "positions" if "positions" in options else "window"
        given = options.pop(size)
        layer = getattr(nn, case["name"])(tuple(given) if isinstance(given, list) else (given,) * axes, **options)
    with jax.enable_x64(True):
        run = (lambda x: layer(x).reshape(len(x), *[1] * axes, -1)) if case["name"] == "GlobalPooling" else layer
        check(run, (features_last(case["x"]),), case, (images_back,))


@pytest.mark.parametrize("case", GOLDEN["normalisations"], ids=lambda case: case["name"])
def test_normalisation(case):
    with jax.enable_x64(True):
        x = features_last(case["x"])
        options = {"groups": 2} if case["name"] == "GroupNormalisation" else {}
        layer = getattr(nn, case["name"])(x.shape[-1], **options)
        batch = case["name"] == "BatchNormalisation"
        state = layer.initial_state() if batch else None
        check((lambda x: layer(x, state=state, training=True)[0]) if batch else layer, (x,), case, (images_back,))

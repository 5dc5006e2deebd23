"""What every network promises, checked on the tables of networks in `cases`."""
import functools
import json
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.networks import build, describe, draw, load, save, strongest_synapses, weights
from pellucid.networks.parts import is_array, parts_of
from pellucid.nn import trainable

sys.path.insert(0, str(Path(__file__).parent))
from cases import OUT, ROWS, all_cases  # noqa: E402

CASES = all_cases()
OWN = [name for name in CASES if name != "foreign"]


@functools.cache
def maker(name):
    """A compiled maker: much faster than one small operation after another."""
    return eqx.filter_jit(CASES[name][0])


@functools.cache
def network_of(name, seed=0):
    return maker(name)(jax.random.key(seed))


@pytest.fixture(params=CASES, scope="module")
def name(request):
    return request.param


@pytest.fixture(scope="module")
def case(name):
    """A network, its inputs, and compiled calls of it: outside of training and in training, with a gradient."""
    network, inputs = network_of(name), CASES[name][1]
    weights_of, rest = eqx.partition(network, trainable(network))
    traces = []

    def predict(weights_of, inputs, state):
        traces.append("predict")
        return eqx.combine(weights_of, rest)(inputs, state=state, key=None, training=False)

    def error(weights_of, inputs, state, key):
        whole = eqx.combine(weights_of, rest)
        output, state = whole(inputs, state=state, key=key, training=True, weight=jnp.ones(ROWS))
        return jnp.mean(jnp.square(output - 1)), (output, state)

    return network, weights_of, inputs, jax.jit(predict), jax.jit(jax.value_and_grad(error, has_aux=True)), traces


def same(a, b, **tolerance):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, **tolerance), a, b)


def test_shapes_types_and_no_second_compilation(case):
    network, weights_of, inputs, predict, _, traces = case
    output, state = predict(weights_of, inputs, network.initial_state())
    assert output.shape == (ROWS, OUT) and output.dtype == jnp.float32
    assert jax.tree.structure(state) == jax.tree.structure(network.initial_state())
    again, _ = predict(jax.tree.map(lambda leaf: leaf + 0, weights_of), inputs, state)
    assert traces == ["predict"]
    np.testing.assert_array_equal(output, again)  # deterministic, and the state stays


def test_compiled_equals_plain(case):
    network, weights_of, inputs, predict, _, _ = case
    plain, _ = network(inputs, state=network.initial_state(), key=None, training=False)
    same(predict(weights_of, inputs, network.initial_state())[0], plain, rtol=1e-5, atol=1e-5)
    same(network(inputs)[0], plain)  # the defaults are those of prediction


def test_gradient_is_finite_and_seeded(case):
    network, weights_of, inputs, _, train, _ = case
    (_, (output, state)), gradient = train(weights_of, inputs, network.initial_state(), jax.random.key(1))
    assert output.shape == (ROWS, OUT)
    assert jax.tree.structure(state) == jax.tree.structure(network.initial_state())
    leaves = jax.tree.leaves(gradient)
    assert all(np.isfinite(leaf).all() for leaf in leaves) and any(np.any(leaf) for leaf in leaves)
    (_, (again, _)), second = train(weights_of, inputs, network.initial_state(), jax.random.key(1))
    same((output, gradient), (again, second), rtol=0)


def test_same_key_same_weights(name):
    networks = network_of(name), maker(name)(jax.random.key(0)), network_of(name, seed=1)
    arrays = [eqx.filter(network, eqx.is_array) for network in networks]
    same(arrays[0], arrays[1], rtol=0)
    assert any(np.any(a != b) for a, b in zip(jax.tree.leaves(arrays[0]), jax.tree.leaves(arrays[2]), strict=True))


def test_static_parts_are_cache_keys(case):
    network = case[0]
    copy = jax.tree.map(lambda leaf: leaf, network)
    structures = [jax.tree.structure(eqx.filter(one, eqx.is_array)) for one in (network, copy)]
    assert structures[0] == structures[1] and hash(structures[0]) == hash(structures[1])


@pytest.mark.parametrize("name", ["residual", "table, periodic", "table, piecewise"])
def test_members_equal_single_networks(name):
    make, inputs = CASES[name]
    keys = jax.random.split(jax.random.key(5), 6)

    def run(network, key):
        return network(inputs, state=network.initial_state(), key=key, training=True)[0]

    @jax.jit
    def members(keys):
        return eqx.filter_vmap(run)(eqx.filter_vmap(make)(keys[:3]), keys[3:])

    @jax.jit
    def single(keys):
        return run(make(keys[1]), keys[4])

    np.testing.assert_allclose(members(keys)[1], single(keys), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", OWN)
def test_specification_and_weights_make_the_same_network(name, tmp_path):
    network = network_of(name)
    spec = json.loads(json.dumps(network.spec()))
    rebuilt = eqx.filter_eval_shape(lambda key: build(spec, key=key), jax.random.key(1))
    assert rebuilt.spec() == network.spec() and type(rebuilt) is type(network)
    assert jax.tree.structure(rebuilt) == jax.tree.structure(network)
    assert all(is_array(leaf) for leaf in jax.tree.leaves(network))  # so that all of it is saved
    whole = network, network.initial_state()
    loaded = load(save(network, tmp_path / "network.safetensors", whole[1]))
    assert jax.tree.structure(loaded) == jax.tree.structure(whole)
    same(loaded, whole, rtol=0)


def test_described_and_drawn(case):
    network = case[0]
    description = describe(network, batch_size=2)
    arrays = [leaf for leaf in jax.tree.leaves(network) if hasattr(leaf, "dtype")]
    assert description.parameters == sum(leaf.size for leaf in arrays)
    assert description.bytes == sum(leaf.size * leaf.dtype.itemsize for leaf in arrays)
    assert description.flops == 2 * describe(network).flops
    in_parts = [id(leaf) for part in parts_of(network).rows for leaf in jax.tree.leaves(part.arrays) if is_array(leaf)]
    assert sorted(in_parts) == sorted(id(leaf) for leaf in arrays)  # each array belongs to exactly one part
    assert str(description) and "<table>" in description._repr_html_()
    json.dumps(description.to_json())
    assert draw(network).axes and weights(network) and strongest_synapses(network, count=1)


@pytest.mark.parametrize("name", OWN)
def test_layer_outputs_end_with_the_output(name):
    network, inputs = network_of(name), CASES[name][1]
    values = network.layer_outputs(inputs)
    assert list(values)[-1] == "output" and all(len(value) == ROWS for value in values.values())
    np.testing.assert_allclose(values["output"], network(inputs)[0], rtol=1e-5, atol=1e-6)

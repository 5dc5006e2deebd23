"""Networks for sequences: padding does not matter, other lengths compile nothing, pieces add up to the whole."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Recurrent, Transformer
from pellucid.nn import Attention, Gru

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=(4, 40, 2)).astype(np.float32)
NETWORKS = {
    "lstm, last": Recurrent(2, (3,), 2, cell="lstm", bidirectional=True, key=KEY),
    "gru, mean": Recurrent(2, (3,), 2, output="mean", key=KEY),
    "transformer": Transformer(2, 2, width=4, depth=1, heads=2, positions="learned", output="last", key=KEY),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_padding_does_not_matter_and_other_lengths_compile_nothing(name):
    network, traces = NETWORKS[name], []

    def error(network, inputs):
        traces.append(name)
        output = network(inputs, training=True)[0]
        return jnp.sum(jnp.square(output)), output

    run = eqx.filter_jit(eqx.filter_value_and_grad(error, has_aux=True))
    time = 10 if name == "transformer" else 40  # two sizes; two stretches
    values = VALUES[:, :time]
    whole = eqx.filter_jit(network)(values[:1, :7])[0]
    for lengths in ([time, 3, time // 2, 1], [9, 2, 7, 7], [7, 7, 7, 0]):
        lengths = np.array(lengths, np.int32)
        beyond = np.arange(time) >= lengths[:, None]
        clean = run(network, {"values": np.where(beyond[..., None], 0, values), "lengths": lengths})
        dirty = run(network, {"values": np.where(beyond[..., None], 1e3, values), "lengths": lengths})
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), clean, dirty)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(clean))
    np.testing.assert_allclose(dirty[0][1][:1], whole, rtol=1e-4, atol=1e-5)  # a row of 7 in any company
    assert len(traces) == 1


@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
def test_pieces_give_what_the_whole_gives(cell):
    network = Recurrent(2, (3,) * (1 + (cell == "gru")), 2, cell=cell, output="steps", key=KEY)
    whole, _ = eqx.filter_jit(network)(VALUES)
    stream, memory, outputs = eqx.filter_jit(network.stream), None, []
    for piece in (VALUES[:, :20], VALUES[:, 20:]):
        output, memory = stream(piece, memory)
        outputs.append(output)
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), whole, rtol=1e-5, atol=1e-6)


def test_backwards_is_forwards_on_turned_rows():
    layer, length = Gru(2, 3, key=KEY), 30
    turned, last = layer(VALUES[:, :length][:, ::-1])
    outputs, first = layer(VALUES, lengths=jnp.full(4, length), reverse=True)
    np.testing.assert_allclose(outputs[:, :length][:, ::-1], turned, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(first[0], last[0], rtol=1e-5, atol=1e-6)
    assert not np.any(outputs[:, length:])


def test_a_causal_step_does_not_see_later_ones():
    network = eqx.filter_jit(Transformer(2, 2, width=4, depth=1, heads=2, causal=True, output="steps", key=KEY))
    changed = VALUES.copy()
    changed[:, 25:] = 5
    before, after = network(VALUES)[0], network(changed)[0]
    np.testing.assert_allclose(before[:, :25], after[:, :25], rtol=1e-5, atol=1e-6)
    assert np.all(np.any(np.abs(before - after)[:, 25:] > 1e-3, axis=(1, 2)))


@pytest.mark.parametrize("inputs", [np.where(np.arange(20)[:, None] < 3, 0, VALUES[:, :20]),
                                    np.where(np.arange(20) < 3, 0, RANDOM.integers(5, size=(4, 20)))])
def test_steps_of_zeros_at_the_start_do_not_blow_up_the_gradient(inputs):
    network = Transformer(2 if inputs.ndim == 3 else 5, 2, width=16, heads=2, causal=True, output="steps",
                          codes=inputs.ndim == 2, key=KEY)
    gradient = eqx.filter_grad(lambda network: jnp.mean(jnp.square(network(inputs)[0] - 1)))(network)
    assert max(jnp.linalg.norm(leaf) for leaf in jax.tree.leaves(gradient)) < 100  # 3e16 where a step is all zeros


def test_rotary_attention_sees_distances_only():
    layer = Attention(8, 2, rotary=True, key=KEY)
    x = jnp.asarray(np.tile(RANDOM.normal(size=(1, 3, 8)), (1, 2, 1)), jnp.float32)  # the same three steps twice
    scores = np.log(layer.shares(x))
    near = scores[..., 0, :3] - scores[..., 0, :1]
    np.testing.assert_allclose(near, scores[..., 3, 3:] - scores[..., 3, 3:4], rtol=1e-4, atol=1e-5)


def test_sizes_for_batches_of_like_length():
    network = NETWORKS["gru, mean"]
    assert network.row_sizes({"values": VALUES, "lengths": np.array([3, 1, 4, 1])}).tolist() == [3, 1, 4, 1]
    assert network.row_sizes(VALUES).tolist() == [40] * 4


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Recurrent(2, (), 1, key=KEY), "hidden"),
    (lambda: Recurrent(2, (3,), 1, cell="lsmt", key=KEY), "lstm"),
    (lambda: Recurrent(2, (3,), 1, output="first", key=KEY), "last, mean, steps"),
    (lambda: Transformer(2, 1, width=6, heads=4, key=KEY), "multiple"),
    (lambda: Transformer(2, 1, width=6, heads=2, key=KEY), "rotary"),
    (lambda: Transformer(2, 1, positions="sine", key=KEY), "positions"),
    (lambda: NETWORKS["lstm, last"].stream(VALUES), "bidirectional"),
])
def test_settings_errors(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize("inputs", [VALUES[:, 0], VALUES[..., :1], {"codes": VALUES}, np.ones((4, 40), np.int32),
                                    {"values": VALUES, "lengths": np.ones(3, np.int32)}])
@pytest.mark.parametrize("name", ["lstm, last", "transformer"])
def test_shape_errors(name, inputs):
    with pytest.raises(ShapeError, match="expected"):
        NETWORKS[name](inputs)

"""Convolutional recurrent networks: what they give, and what they say of wrong input."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import ConvolutionalRecurrent, build, describe
from pellucid.nn.convolutional_recurrent import ConvolutionalLstm

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 3, 6, 5, 1)).astype(np.uint8)
NETWORK = ConvolutionalRecurrent((6, 5, 1), (4,), 2, key=jax.random.key(0))


def test_the_next_frame_and_its_description():
    predict = jax.jit(lambda inputs: NETWORK(inputs)[0])
    frame = predict(FRAMES)
    assert frame.shape == (2, 6, 5, 2)
    np.testing.assert_allclose(predict(FRAMES.astype(np.float32) / 255), frame, rtol=1e-4, atol=1e-6)
    assert NETWORK.row_sizes(FRAMES).tolist() == [3, 3]
    assert NETWORK.row_sizes({"values": FRAMES, "lengths": np.array([2, 3])}).tolist() == [2, 3]
    description = describe(NETWORK)
    assert description.neurons("hidden") == 6 * 5 * 4 and description.neurons("output") == 6 * 5 * 2
    assert build(NETWORK.spec(), key=jax.random.key(0)).spec() == NETWORK.spec()


def test_a_film_may_be_shown_in_pieces():
    layer = ConvolutionalLstm(1, 3, key=jax.random.key(1))
    x = jnp.asarray(FRAMES, jnp.float32) / 255
    run = jax.jit(lambda x, start: layer(x, start=start))
    whole, last = run(x, None)
    first, state = run(x[:, :2], None)
    second, end = run(x[:, 2:], state)
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(end[1], last[1], rtol=1e-5, atol=1e-6)


def test_lines_over_time():
    layer = ConvolutionalLstm(2, 3, (5,), key=jax.random.key(1))
    assert jax.eval_shape(layer, jnp.ones((2, 4, 7, 2)))[0].shape == (2, 4, 7, 3)


@pytest.mark.parametrize(("change", "told"), [
    ({"shape": (6,)}, r"shape=\(6,\)"), ({"hidden": 4}, "hidden=4"), ({"hidden": ()}, r"hidden=\(\)"),
    ({"output": "frames"}, "did you mean `frame`"), ({"dropout": 1.0}, "dropout=1.0"), ({"window": 0}, "window=0")])
def test_bad_settings_are_told(change, told):
    with pytest.raises(SettingsError, match=told):
        ConvolutionalRecurrent(**({"shape": (6, 5, 1), "hidden": (4,), "out_features": 2} | change),
                               key=jax.random.key(0))


def test_bad_shapes_are_told():
    with pytest.raises(ShapeError, match=r"\(batch, time, 6, 5, 1\), got \(2, 3, 6, 5\)"):
        NETWORK(FRAMES[..., 0])
    with pytest.raises(ShapeError, match="no 'values' among 'frames'"):
        NETWORK({"frames": FRAMES})

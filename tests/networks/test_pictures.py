"""Pictures of weights, of what layers give, of the learned space; synapses by name in any layer."""
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.image import AxesImage

from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.networks import Feedforward, draw_activations, draw_space, draw_weights, strongest_synapses
from pellucid.networks.parts import Part, Parts

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(12, 16)).astype(np.float32)
PLAIN = Feedforward(16, (9,), 3, key=jax.random.key(0))


class Sample(eqx.Module):
    """A network with a layer of each shape; its values are made up."""

    filters: jax.Array
    deeper: jax.Array
    weight: jax.Array
    recurrent_weight: jax.Array
    vectors: jax.Array
    cube: jax.Array
    output: jax.Array

    def __init__(self):
        for name, shape in (("filters", (3, 3, 1, 5)), ("deeper", (3, 3, 5, 20)), ("weight", (6, 16)),
                            ("recurrent_weight", (4, 16)), ("vectors", (30, 4)), ("cube", (2, 2, 2, 3, 4)),
                            ("output", (4 * 4 * 20, 3))):
            setattr(self, name, jnp.asarray(RANDOM.uniform(-1, 1, size=shape), jnp.float32))

    def parts(self):
        return Parts((Part("image", "input", 16, shape=(4, 4, 1), kind="image"),
                      Part("stage 1", "hidden", 80, "relu", {"weight": self.filters}, shape=(4, 4, 5),
                           kind="convolution"),
                      Part("lstm", "hidden", 4, "tanh", (self.weight, self.recurrent_weight), kind="recurrent"),
                      Part("words", "hidden", 4, arrays=self.vectors, kind="embedding"),
                      Part("volume", "hidden", 4, arrays={"weight": self.cube}, kind="convolution"),
                      Part("stage 2", "hidden", 320, "relu", {"weight": self.deeper}, shape=(4, 4, 20),
                           kind="convolution"),
                      Part("output", "output", 3, arrays={"weight": self.output})))

    def layer_outputs(self, inputs, *, state=None):
        rows, values = len(inputs), jnp.asarray(inputs)
        return {"maps": values.reshape(rows, 4, 4, 1), "steps": values.reshape(rows, 8, 2),
                "frames": values.reshape(rows, 2, 2, 2, 2), "code": values[:, :1], "output": values[:, :3]}


SAMPLE = Sample()


def images(figure):
    return [image for axes in figure.axes for image in axes.get_children() if isinstance(image, AxesImage)]


def words(figure):
    return {text.get_text() for text in figure.findobj(lambda thing: hasattr(thing, "get_text"))}


@pytest.mark.parametrize(("layer", "count", "shape"), [
    (None, 5, (3, 3)), ("stage 1", 5, (3, 3)), ("stage 2", 5 * 12, (3, 3)), ("lstm", 2, (6, 16)), ("words", 1, (30, 4)),
    ("recurrent_weight", 1, (4, 16)), ("volume", 1, (24, 4)), ("output", 1, (320, 3)),
])
def test_weights_of_any_layer(layer, count, shape):
    found = images(draw_weights(SAMPLE, layer))
    assert len(found) == count and found[0].get_array().shape == shape
    assert found[0].norm.vmin == -found[0].norm.vmax < 0  # white is 0


def test_gates_are_named():
    assert {"input\ngate", "forget\ngate", "candidate", "output\ngate"} <= words(draw_weights(SAMPLE, "lstm"))


def test_features_of_images():
    found = images(draw_weights(PLAIN, "hidden 1", image=(4, 4)))
    assert len(found) == 9 and found[0].get_array().shape == (4, 4)
    np.testing.assert_array_equal(found[2].get_array().ravel(), PLAIN.hidden[0].dense.weight[:, 2])
    with pytest.raises(ShapeError, match="pass the height"):
        draw_weights(PLAIN, image=(5, 5))


@pytest.mark.parametrize(("layer", "count", "shape"), [
    ("maps", 1, (4, 4)), ("steps", 1, (2, 8)), ("frames", 4, (2, 2)),
])
def test_activations_as_images(layer, count, shape):
    found = images(draw_activations(SAMPLE, ROWS, layer, row=3))
    assert len(found) == count and found[0].get_array().shape == shape


def test_activations_as_bars():
    figure = draw_activations(PLAIN, ROWS, "hidden 1", row=2)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(heights, PLAIN.layer_outputs(ROWS[2:3])["hidden 1"][0], rtol=1e-6)


@pytest.mark.parametrize(("labels", "method", "names"), [
    (np.arange(12) % 10, "pca", {"0", "9"}), (["cat", "dog"] * 6, "tsne", {"cat", "dog"}), (None, "pca", set()),
    (np.linspace(0, 1, 12), "pca", set()), ([f"name {number}" for number in range(12)], "pca", {"name 11"}),
])
def test_the_learned_space(labels, method, names):
    figure = draw_space(PLAIN, ROWS, labels, method=method)
    shown = np.concatenate([points.get_offsets() for points in figure.axes[0].collections])
    assert shown.shape == (12, 2) and np.isfinite(shown).all()
    assert names <= words(figure) and "hidden 1: 12 rows in its space" in words(figure)
    figure.canvas.draw()
    for legend in figure.legends:  # outside of the points
        assert legend.get_window_extent().x0 >= figure.axes[0].get_window_extent().x1


def test_a_space_of_one_neuron():
    assert "code: 12 rows in its space" in words(draw_space(SAMPLE, ROWS))


@pytest.mark.parametrize(("call", "error", "hint"), [
    (lambda: draw_weights(SAMPLE, "stage 3"), SettingsError, "did you mean `stage 2`"),
    (lambda: draw_activations(PLAIN, ROWS, "hiden 1"), SettingsError, "did you mean `hidden 1`"),
    (lambda: draw_activations(SAMPLE, ROWS, "lstm"), SettingsError, "no values of its own"),
    (lambda: draw_activations(PLAIN, ROWS, "output", row=12), DataError, "from 0 to 11"),
    (lambda: draw_space(PLAIN, ROWS, method="tsn"), SettingsError, "did you mean `tsne`"),
    (lambda: draw_space(PLAIN, ROWS, labels=[1]), DataError, "labels of these rows"),
    (lambda: draw_space(PLAIN, ROWS[:2]), DataError, "pass more rows"),
    (lambda: strongest_synapses(SAMPLE, layer="lstn"), SettingsError, "did you mean `lstm`"),
])
def test_errors_say_what_to_do(call, error, hint):
    with pytest.raises(error, match=hint):
        call()


def strongest(layer, place, names=()):
    """The strongest synapse of a layer after one weight was made large."""
    field, index = place
    array = np.array(getattr(SAMPLE, field))
    array[index] = -9
    network = eqx.tree_at(lambda sample: getattr(sample, field), SAMPLE, jnp.asarray(array))
    return str(strongest_synapses(network, names, 1, layer)[0])


@pytest.mark.parametrize(("layer", "place", "names", "words"), [
    (None, ("filters", (0, 2, 0, 3)), ("grey",), "grey at (-1, +1) → neuron 3: -9"),
    ("stage 2", ("deeper", (1, 1, 4, 7)), (), "channel 4 at (+0, +0) → neuron 7: -9"),
    ("lstm", ("weight", (5, 6)), (), "neuron 5 → forget gate of neuron 2: -9"),
    ("lstm", ("recurrent_weight", (1, 15)), tuple("abcdef"), "neuron 1 → output gate of neuron 3: -9"),
    ("words", ("vectors", (17, 2)), (), "code 17 → neuron 2: -9"),
    ("output", ("output", (4 * 20 + 20 + 6, 1)), (), "channel 6 at (1, 1) → neuron 1: -9"),
])
def test_strongest_synapses_by_name(layer, place, names, words):
    assert strongest(layer, place, names) == words


def test_a_path_past_layers_starts_at_the_inputs():
    network = Feedforward(4, (3,), 1, skip=True, key=jax.random.key(0))
    network = eqx.tree_at(lambda network: network.skip.weight, network, jnp.asarray([[0.0], [2.0], [0.0], [0.0]]))
    strong = strongest_synapses(network, ("a", "b", "c", "d"), 1, "linear path")
    assert str(strong[0]) == "b → neuron 0: +2"
    assert str(strongest_synapses(network, count=1, layer="linear path")[0]) == "input 1 → neuron 0: +2"

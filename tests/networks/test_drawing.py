"""Drawings: legible, and a figure for each kind of layer."""
import jax
import pytest
from matplotlib.patches import Arc, Circle, Rectangle

from pellucid.networks import Description, Feedforward, LayerRow, Tabular, describe, draw

KEY = jax.random.key(0)


def row(name, depth, neurons, kind="dense", output=(), role="hidden", activation="relu"):
    role = "input" if depth == 0 else role
    return LayerRow(name, role, depth, neurons, activation, depth > 0, 10, 1, kind=kind, output=output)


def network(*rows, paths=()):
    return Description("Network", rows, paths)


KINDS = {
    "feature maps": network(
        row("image", 0, 784, "image", (28, 28, 1)), row("stage 1", 1, 25088, "convolution", (28, 28, 32)),
        row("pooling 1", 2, 6272, "pooling", (14, 14, 32)), row("stage 2", 3, 12544, "convolution", (14, 14, 64)),
        row("pooling 2", 4, 3136, "pooling", (7, 7, 64)), row("hidden 1", 5, 128), row("output", 6, 10, role="output")),
    "volumes": network(row("volume", 0, 512, "image", (8, 8, 8, 1)),
                       row("stage 1", 1, 8192, "convolution", (8, 8, 8, 16)), row("output", 2, 3, role="output")),
    "series": network(row("series", 0, 40, "image", (40, 1)), row("stage 1", 1, 640, "convolution", (40, 16)),
                      row("output", 2, 3, role="output")),
    "recurrent": network(row("input", 0, 8), row("lstm 1", 1, 64, "recurrent"), row("lstm 2", 2, 64, "recurrent"),
                         row("output", 3, 5, role="output")),
    "recurrent frames": network(row("frames", 0, 256, "image", (16, 16, 1)),
                                row("layer 1", 1, 4096, "recurrent", (16, 16, 16)),
                                row("output", 2, 256, "convolution", (16, 16, 1), "output")),
    "attention": network(row("codes", 0, 96), row("embedding", 1, 64, "embedding", (20, 64)),
                         row("block 1, attention", 2, 64, "attention", (20, 64)), row("block 1, dense", 3, 256, "dense",
                                                                                     (20, 256)),
                         row("output", 4, 96, role="output"), paths=((1, 2, "residual"), (2, 3, "residual"))),
    "tree": network(row("words", 0, 16000), row("embedding", 1, 64, "embedding"), row("composition", 2, 64, "tree"),
                    row("output", 3, 5, role="output")),
    "graph": network(row("nodes", 0, 20), row("message passing 1", 1, 64, "graph"),
                     row("message passing 2", 2, 64, "graph"), row("output", 3, 1, role="output")),
    "belief": network(row("visible", 0, 64, "belief"), row("hidden 1", 1, 100, "belief"),
                      row("output", 2, 10, role="output")),
    "memory": network(row("neurons", 1, 64, "memory", role="output")),
    "hourglass": network(row("input", 0, 784), row("encoder 1", 1, 256), row("encoder 2", 2, 64), row("code", 3, 8),
                         row("decoder 1", 4, 64), row("decoder 2", 5, 256), row("output", 6, 784, role="output")),
    "two against each other": network(
        row("noise", 0, 64), row("class", 0, 10), row("generator 1", 1, 6272, "convolution", (7, 7, 128)),
        row("generator 2", 2, 12544, "convolution", (14, 14, 64)), row("image", 3, 784, "convolution", (28, 28, 1)),
        row("real image", 3, 784, "image", (28, 28, 1)),
        row("discriminator 1", 4, 12544, "convolution", (14, 14, 64)),
        row("discriminator 2", 5, 3136, "convolution", (7, 7, 64)), row("real or fake", 6, 1, role="output")),
}


def overlaps(figure):
    """Pairs of texts whose boxes meet."""
    renderer = figure.canvas.get_renderer()
    texts = [text for text in figure.axes[0].texts if text.get_text().strip()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    return [(texts[a].get_text(), texts[b].get_text()) for a in range(len(boxes)) for b in range(a)
            if boxes[a].overlaps(boxes[b])]


def check_words(figure):
    assert overlaps(figure) == []
    for text in figure.axes[0].texts:
        extent, box = text.get_window_extent(figure.canvas.get_renderer()), figure.bbox
        assert extent.x0 >= 0 and extent.x1 <= box.x1 and extent.y0 >= 0 and extent.y1 <= box.y1, text.get_text()
        assert text.get_fontsize() >= 9


@pytest.mark.parametrize(("network", "names"), [
    (Feedforward(30, (64, 64), 2, key=KEY), {"output_names": ("good", "bad")}),
    (Feedforward(4, (5, 3), 1, skip=True, key=KEY), {
        "input_names": ("age", "amount", "duration", "a very long name " * 3)}),
    (Feedforward(10, (64,) * 3, 3, residual=True, normalisation="batch", skip=True, key=KEY), {}),
    (Feedforward(10, (1000,) * 12, 3, activation="leaky_relu", key=KEY), {}),
    (Tabular(7, (3, 5, 200), 2, numbers={"embedding": "piecewise_linear"}, scale=True, skip=True, key=KEY), {}),
    (Feedforward(12, (), 9, key=KEY), {"input_names": [f"column {number}" for number in range(12)]}),
])
def test_dense_networks_have_no_overlapping_words(network, names):
    check_words(draw(network, **names))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_fits_and_has_no_overlapping_words(name):
    figure = draw(KINDS[name])
    check_words(figure)
    for patch in figure.axes[0].patches:
        if isinstance(patch, Rectangle | Circle):
            box = patch.get_extents()
            assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1


def patches(name, kind):
    return [patch for patch in draw(KINDS[name]).axes[0].patches if type(patch) is kind]


def test_figures_of_kinds():
    assert len(patches("feature maps", Rectangle)) >= 1 + 5 + 5 + 6 + 6
    assert len(patches("recurrent", Arc)) == 12  # a loop at each neuron that is shown
    assert len(patches("recurrent frames", Arc)) == 1
    assert len(patches("attention", Arc)) == 15  # each pair of the six
    assert len(patches("memory", Circle)) == 9
    words = [text.get_text() for text in draw(KINDS["two against each other"]).axes[0].texts]
    assert {"generator", "discriminator"} <= set(words) and "layer 2" in words


def test_a_description_can_be_drawn():
    assert draw(describe(Feedforward(3, (4,), 2, key=KEY))).axes

"""EfficientNet-Lite0 with its published weights against PyTorch (recorded values)."""
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from pellucid.errors import MissingExtraError
from pellucid.networks import pretrained

GOLDEN = json.loads(Path(__file__).with_name("torch_efficient.json").read_text())


def picture():
    """The picture of the record, shares of brightness."""
    side = GOLDEN["side"]
    row, column, colour = np.meshgrid(np.arange(side), np.arange(side), np.arange(3), indexing="ij")
    return np.round(127.5 + 100 * np.sin(row / (5 + colour)) * np.cos(column / (9 - 2 * colour) + colour)) / 255


def test_answers_and_blocks():
    try:
        network = pretrained(in_shape=(GOLDEN["side"], GOLDEN["side"], 3))
    except MissingExtraError as error:
        pytest.skip(error.message)

    layers = jax.jit(lambda network, pixels: network.layer_outputs(pixels))(network, picture()[None].astype(np.float32))
    scale = np.abs(GOLDEN["answers"]).max()
    np.testing.assert_allclose(layers["output"][0], GOLDEN["answers"], atol=2e-5 * scale)
    means = [float(value.mean()) for name, value in layers.items() if name.startswith("stage")]
    np.testing.assert_allclose(means, GOLDEN["means"], rtol=1e-4, atol=1e-5)

"""The network for sound: what it ignores, what it says of itself, its errors."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Spectrogram, describe

KEY = jax.random.key(0)
SMALL = {"bands": 8, "window": 64, "hop": 32, "hidden": (3, 4)}
SAMPLES = np.random.default_rng(0).integers(-9000, 9000, (3, 500)).astype(np.int16)
LENGTHS = np.array([500, 200, 33], np.int32)


def test_what_lies_behind_the_length_is_not_heard_nor_how_much_room_there_is():
    network = Spectrogram(500, 4000, 2, **SMALL, key=KEY)
    longer = Spectrogram(740, 4000, 2, **SMALL, key=KEY)
    valid = np.arange(500) < LENGTHS[:, None]
    run = jax.jit(lambda samples: network({"samples": samples, "lengths": LENGTHS})[0])
    outputs = run(np.where(valid, SAMPLES, 0).astype(np.int16))
    np.testing.assert_allclose(run(SAMPLES), outputs, rtol=1e-5, atol=1e-6)
    padded = np.pad(SAMPLES, ((0, 0), (0, 240)), constant_values=77)
    np.testing.assert_allclose(jax.jit(lambda: longer({"samples": padded, "lengths": LENGTHS})[0])(), outputs,
                               rtol=1e-3, atol=1e-4)


def test_it_does_not_matter_how_loud_a_recording_is():
    network = Spectrogram(500, 4000, 2, **SMALL, key=KEY)
    run = jax.jit(lambda samples: network(samples)[0])
    loud = SAMPLES.astype(np.float32)
    np.testing.assert_allclose(run(loud), run(loud / 1000), rtol=1e-3, atol=1e-4)
    assert np.isfinite(run(np.zeros((3, 500), np.float32))).all()


def test_description_counts_windows():
    rows = {row.name: row for row in describe(Spectrogram(500, 4000, 2, **SMALL, key=KEY)).rows}
    assert rows["spectrogram"].output == (16, 8, 1) and rows["hidden 1"].output == (8, 4, 3)
    assert rows["output"].synapses == 2 * 2 * 4 * 4


@pytest.mark.parametrize("wrong", [{"hidden": ()}, {"hidden": 3}, {"bands": 1}, {"dropout": 1}, {"evening": 2},
                                   {"normalisation": "bach"}, {"listening": {"speed": -1}}, {"low": 3000.0}])
def test_wrong_options(wrong):
    with pytest.raises(SettingsError):
        Spectrogram(**({"length": 500, "rate": 4000, "out_features": 2} | SMALL | wrong), key=KEY)


def test_wrong_inputs():
    network = Spectrogram(500, 4000, 2, **SMALL, listening={"speed": 0.1}, key=KEY)
    with pytest.raises(ShapeError, match=r"\(batch, 500\)"):
        network(jnp.zeros((2, 400)))
    with pytest.raises(ShapeError, match="samples"):
        network({"values": jnp.zeros((2, 500))})
    with pytest.raises(SettingsError, match="key"):
        network(jnp.zeros((2, 500)), training=True)

"""Gradients into pictures, recordings and molecules in space, and Grad-CAM, through whole models."""
import equinox as eqx
import jax
import numpy as np
import polars as pl
import pytest
from PIL import Image as Pillow
from scipy.io import wavfile

from pellucid.data.read import as_table
from pellucid.errors import SettingsError
from pellucid.explain.answer import METHODS, choose_method
from pellucid.features.audio import Audio
from pellucid.features.image import Image
from pellucid.features.inputs import encode_inputs
from pellucid.features.targets import fit_class_target
from pellucid.model.calibration import Calibration
from pellucid.model.members import Members
from pellucid.model.model import Model
from pellucid.networks import build


def model_of(feature, encoder, classes=("a", "b", "c")):
    """A model of one raw column whose networks have random weights."""
    spec = {"network": "composite", "encoders": [encoder], "body": None, "names": [feature.name]}
    networks = [eqx.filter_jit(build)(spec, key=jax.random.key(seed)) for seed in range(2)]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *(eqx.filter(one, eqx.is_array) for one in networks))
    states = jax.tree.map(lambda leaf: np.stack([np.asarray(leaf)] * 2), networks[0].initial_state())
    named = {f"network.{jax.tree_util.keystr(path, simple=True, separator='.')}": leaf
             for path, leaf in jax.tree_util.tree_leaves_with_path(stacked)}
    named |= {f"state.{jax.tree_util.keystr(path, simple=True, separator='.')}": leaf
              for path, leaf in jax.tree_util.tree_leaves_with_path(states)}
    target = fit_class_target("kind", pl.Series("kind", list(classes) * 3))
    return Model((feature,), target, Members.from_tensors(spec, named), Calibration((0, 1)))


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for row in range(2):
        Pillow.fromarray(np.random.default_rng(row).integers(0, 255, (16, 16)).astype(np.uint8)).save(
            tmp_path / f"{row}.png")
        paths.append(str(tmp_path / f"{row}.png"))
    return pl.DataFrame({"photo": paths})


def test_gradients_start_from_pictures_drawn_at_each_place(pictures):
    plain = Image(name="photo", height=16, width=16, channels=1)
    feature = plain.aligned(np.random.default_rng(0).uniform(size=(30, 256)))
    encoder = {"network": "convolutional", "in_shape": [16, 16, 1], "hidden": [4], "out_features": 3,
               "activation": "softplus", "normalisation": "none"}
    for question in model_of(feature, encoder).questions(pictures):
        game, found = question.game, question.game.gradients(24)
        assert game.draws == 32 and (found.errors > 0).any()
        missed = abs(found.contributions.sum() - game.difference)
        assert missed < 0.05 * np.abs(found.contributions).sum()


def test_gradients_into_pictures_add_up_and_agree_with_each_network(pictures):
    feature = Image(name="photo", height=16, width=16, channels=1)
    encoder = {"network": "convolutional", "in_shape": [16, 16, 1], "hidden": [4], "out_features": 3,
               "activation": "softplus", "normalisation": "none"}
    model = model_of(feature, encoder)
    for question in model.questions(pictures):
        game = question.game
        found = game.gradients(24)
        assert found.contributions.sum() == pytest.approx(game.difference, rel=0.05)
        assert found.by_member.shape == (2, 49) and game.single_way and choose_method(game)[0] == "shapley"
        np.testing.assert_allclose(found.by_member.mean(axis=0), found.contributions)

        seen, errors, _ = METHODS["grad_cam"](game, 0)
        assert (seen >= 0).all() and not errors.any() and len(seen) == 49
        assert seen.sum() == pytest.approx(max(game.difference, 0))
    inputs = encode_inputs((feature,), as_table(pictures))
    nudged = inputs.arrays["columns"][0]["pixels"].astype(np.float32) / 255
    whole = model.answer({**inputs.arrays, "columns": ({"pixels": nudged},)}).mean(axis=0)
    assert whole[1].max() == pytest.approx(game.whole, rel=1e-5)  # floats are seen as the integers are


def test_gradients_into_recordings_add_up(tmp_path):
    generator = np.random.default_rng(0)
    wavfile.write(tmp_path / "a.wav", 8000, generator.integers(-20_000, 20_000, 2400).astype(np.int16))
    table = pl.DataFrame({"sound": [str(tmp_path / "a.wav")]})
    feature = Audio(name="sound", rate=8000, length=2400)
    encoder = {"network": "spectrogram", "length": 2400, "rate": 8000, "out_features": 3, "hidden": [4, 4],
               "activation": "softplus"}
    game = next(model_of(feature, encoder).questions(table)).game
    found = game.gradients(24)
    assert np.isfinite(found.contributions).all() and len(found.contributions) == 12
    with pytest.raises(SettingsError, match="looks at a picture"):
        METHODS["grad_cam"](game, 0)


def test_a_cell_that_cannot_be_read_is_one_part_without_slopes(tmp_path):
    feature = Image(name="photo", height=16, width=16, channels=1)
    encoder = {"network": "convolutional", "in_shape": [16, 16, 1], "hidden": [4], "out_features": 3}
    (tmp_path / "b.png").write_bytes(b"no picture")
    game = next(model_of(feature, encoder).questions(pl.DataFrame({"photo": [str(tmp_path / "b.png")]}))).game
    assert [part.name for part in game.parts] == ["photo"] and game.gradients is None and game.difference == 0

"""Autoencoders: codes, damage, bounds, and what they learn from little."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Autoencoder, VariationalAutoencoder
from pellucid.training.objectives import EvidenceBound, Reconstruction

RANDOM = np.random.default_rng(0)
ANGLES = RANDOM.uniform(0, 4.5, 256)  # most of a circle: no line through it, but no seam either
WAVES = (0.5 + 0.4 * np.sin(np.linspace(0, 5, 8) + ANGLES[:, None])).astype(np.float32)


def test_a_curved_line_fits_through_a_code_too_narrow_for_a_linear_one():
    network = Autoencoder(8, (32,), 1, activation="silu", key=jax.random.key(0))
    fit = pellucid.fit(network, Reconstruction(), WAVES, epochs=100, learning_rate=1e-2)
    left = WAVES - WAVES.mean(0)
    linear = np.sum(np.linalg.svd(left, compute_uv=False)[1:] ** 2) / left.size
    assert fit.history.epochs[-1].training_error < 0.3 * linear
    np.testing.assert_allclose(fit.network.decode(fit.network.encode(WAVES)), fit.network(WAVES)[0], rtol=1e-5)


def test_bytes_are_shares():
    network = Autoencoder(8, (4,), 2, key=jax.random.key(0))
    pixels = RANDOM.integers(0, 256, (3, 2, 4), dtype=np.uint8)
    np.testing.assert_allclose(network(pixels)[0], network(pixels.reshape(3, 8) / 255.0)[0], rtol=1e-5)


@pytest.mark.parametrize(("damage", "level"), [("gaussian", 0.3), ("masking", 0.25), ("salt_and_pepper", 0.25)])
def test_damage_hits_as_much_as_asked(damage, level):
    rows = jnp.full((200, 50), 0.4)
    hit = np.asarray(Reconstruction(noise=level, damage=damage).damaged(rows, jax.random.key(0)))
    if damage == "gaussian":
        np.testing.assert_allclose([hit.mean(), hit.std()], [0.4, level], atol=0.01)
    else:
        assert abs(np.mean(hit != 0.4) - level) < 0.02
        np.testing.assert_allclose(hit[hit != 0.4].mean(), 0.5 if damage == "salt_and_pepper" else 0.0, atol=0.03)


@pytest.mark.parametrize("output", ["bernoulli", "gaussian"])
def test_the_bound_is_below_the_likelihood_and_rises(output):
    network = VariationalAutoencoder(8, (16,), 1, output=output, key=jax.random.key(0))
    fit = pellucid.fit(network, EvidenceBound(), WAVES, validation=WAVES[:64], epochs=30, learning_rate=1e-2)
    before, after = (epoch.validation_error for epoch in (fit.history.epochs[0], fit.history.epochs[-1]))
    assert after < before - 0.3
    bound = float(jnp.mean(fit.network.evidence_bound(WAVES, key=jax.random.key(1), samples=50)))
    assert abs(bound + after) < 0.3
    grid = jnp.linspace(-5, 5, 400)[:, None]  # the likelihood itself, by integration over the one code
    raw = fit.network.decoder(grid)[0]
    density = jax.vmap(lambda row: fit.network.log_density(jnp.broadcast_to(row, raw.shape), raw))(WAVES[:32])
    exact = jax.nn.logsumexp(density + jax.scipy.stats.norm.logpdf(grid[:, 0]), axis=1) + np.log(10 / 399)
    bounds = fit.network.evidence_bound(WAVES[:32], key=jax.random.key(2), samples=300)
    assert float(jnp.mean(exact - bounds)) > -0.02


def test_samples_and_lines_between_inputs():
    network = VariationalAutoencoder(8, (16,), 2, key=jax.random.key(0))
    assert network.sample(4, key=jax.random.key(1)).shape == (4, 8)
    line = network.interpolate(WAVES[0], WAVES[1], 5)
    np.testing.assert_allclose(line[jnp.array([0, -1])], network(WAVES[:2])[0], rtol=1e-5)
    np.testing.assert_allclose(network.encode(WAVES).mean, network.layer_outputs(WAVES)["code"], rtol=1e-5)


@pytest.mark.parametrize(("error", "make", "said"), [
    (SettingsError, lambda: Autoencoder(8, "64", 2, key=jax.random.key(0)), "hidden='64'"),
    (SettingsError, lambda: Autoencoder(8, (4,), 0, key=jax.random.key(0)), "code=0"),
    (SettingsError, lambda: VariationalAutoencoder(8, (4,), 2, output="normal", key=jax.random.key(0)), "gaussian"),
    (SettingsError, lambda: Reconstruction(noise=-1), "noise=-1"),
    (SettingsError, lambda: Reconstruction(damage="mask"), "masking"),
    (SettingsError, lambda: EvidenceBound(beta=-1), "beta=-1"),
    (ShapeError, lambda: Autoencoder(8, (4,), 2, key=jax.random.key(0))(jnp.ones((3, 9))), "8 numbers a row"),
])
def test_mistakes_are_told(error, make, said):
    with pytest.raises(error) as caught:
        make()
    assert said in str(caught.value)

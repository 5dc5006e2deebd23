"""Convolution, pooling, normalisation and augmentation: the lowering, the options, the errors."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import nn
from pellucid.errors import SettingsError, ShapeError
from pellucid.nn import _windows

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)
TRANSPOSED = [  # size, stride, dilation, padding, groups
    (3, 2, 1, "same", 1), (2, 3, 1, "same", 2), (4, 2, 1, 1, 4), (3, 2, 2, "valid", 1), (1, 2, 1, "valid", 1),
    (2, 2, 3, ((2, 1),), 1)]
PLAIN = [(3, 1, 1, "same", 1), (4, 3, 2, "same", 2), (2, 2, 1, "valid", 4), (3, 1, 2, ((0, 3),), 1)]


@pytest.mark.parametrize(("size", "stride", "dilation", "padding", "groups", "transposed"),
                         [(*case, False) for case in PLAIN] + [(*case, True) for case in TRANSPOSED])
def test_both_lowerings_agree(monkeypatch, size, stride, dilation, padding, groups, transposed):
    with jax.enable_x64(True):
        layer = nn.Convolution(4, 8, (size,), stride=stride, dilation=dilation, padding=padding, groups=groups,
                               transposed=transposed, key=KEY)
        layer = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), layer)
        x = jnp.asarray(RANDOM.normal(size=(2, 9, 4)))
        here = jax.jit(lambda x: layer(x))(x)
        monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
        np.testing.assert_allclose(here, jax.jit(lambda x: layer(x))(x), rtol=1e-9, atol=1e-12)
        assert here.shape[1:] == layer.out_shape(x.shape[1:])


def same_both_ways(x, weight, slide):
    """Compare what `convolve` chooses with one product of the whole window."""
    fast, plain = jax.jit(lambda x, weight: (_windows.convolve(x, weight, slide),
                                             _windows._dense(_windows.shifted(x, slide), weight)))(x, weight)
    np.testing.assert_allclose(fast, plain, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("shape", "window"), [((7,), (3,)), ((3, 4, 9), (3, 1, 3))])
def test_fewer_products_give_the_same(shape, window):
    with jax.enable_x64(True):
        x = jnp.asarray(RANDOM.normal(size=(2, *shape, 16)))
        weight = jnp.asarray(RANDOM.normal(size=(*window, 16, 16)))
        ones = (1,) * len(window)
        slide = _windows.Slide(window, ones, ones, ((1, 1),) * len(window))
        assert _windows._suits_fours(weight, slide)
        same_both_ways(x, weight, slide)


def test_a_large_window_is_the_sum_of_its_rows():
    with jax.enable_x64(True):
        x, weight = jnp.asarray(RANDOM.normal(size=(2, 6, 4, 3))), jnp.asarray(RANDOM.normal(size=(5, 2, 3, 4)))
        slide = _windows.Slide((5, 2), (1, 2), (1, 1), ((2, 2), (0, 0)))
        same_both_ways(x, weight, slide)


def test_same_padding_keeps_the_size_and_transposing_returns_to_it():
    for length, stride, size, dilation in itertools.product((7, 8), (1, 2, 3), (1, 2, 3), (1, 2)):
        options = {"stride": stride, "dilation": dilation, "key": KEY}
        assert nn.Convolution(2, 2, (size,), **options).out_shape((length, 2)) == (-(-length // stride), 2)
        assert nn.Convolution(2, 2, (size,), transposed=True, **options).out_shape((length, 2)) == (length * stride, 2)


def test_pooling_ignores_padding_and_gives_the_gradient_to_the_first():
    x = -jnp.ones((1, 3, 1))
    assert nn.MaxPooling((2,), padding="same")(x).tolist() == [[[-1.0], [-1.0]]]
    assert nn.AveragePooling((2,), padding="same")(x).tolist() == [[[-1.0], [-1.0]]]
    gradient = jax.grad(lambda x: jnp.sum(nn.MaxPooling((2,), stride=1)(x)))(x)
    assert gradient[0, :, 0].tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(nn.MaxPooling((3,))(x.at[0, 1].set(jnp.nan))).all()


def test_batch_statistics_of_images_take_the_weights_of_rows():
    layer = nn.BatchNormalisation(2)
    x = jnp.asarray(RANDOM.normal(size=(4, 3, 5, 2)), jnp.float32)
    weight = jnp.array([1.0, 2.0, 0.0, 1.0])
    y, state = layer(x, state=layer.initial_state(), training=True, weight=weight)
    repeated = jnp.concatenate([x[:2], x[1:2], x[3:]])
    same, other = layer(repeated, state=layer.initial_state(), training=True)
    np.testing.assert_allclose(y[3], same[3], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state["variance"], other["variance"], rtol=1e-5)
    np.testing.assert_allclose(state["mean"], repeated.mean((0, 1, 2)), rtol=1e-5, atol=1e-6)


def test_augmentation_changes_each_row_in_its_own_way_and_only_in_training():
    layer = nn.Augmentation(mirror=True, shift=2, erase=0.5)
    x = jnp.broadcast_to(jnp.arange(1.0, 57.0).reshape(1, 8, 7, 1), (64, 8, 7, 1))
    assert layer(x, key=None, training=False) is x
    change = jax.jit(lambda layer, x: layer(x, key=KEY, training=True))
    changed = np.asarray(change(layer, x))
    assert changed.shape == x.shape and set(np.unique(changed)) <= set(range(57))
    assert len({row.tobytes() for row in changed}) > 55
    np.testing.assert_array_equal(changed, change(layer, x))
    mirrored = np.asarray(change(nn.Augmentation(mirror=True), x))
    flipped, kept = ([np.array_equal(row, one) for row in mirrored] for one in (x[0, :, ::-1], x[0]))
    assert 16 < sum(flipped) < 48 and sum(flipped) + sum(kept) == 64
    moved = np.asarray(change(nn.Augmentation(shift=1), x))
    assert len(np.unique(moved[:, 3, 3, 0])) == 9
    erased = np.asarray(change(nn.Augmentation(erase=0.5), x)) == 0
    assert erased.sum((1, 2, 3)).min() >= 4 and erased.sum((1, 2, 3)).max() <= 4 * 4 and erased.any(0).all()


def test_augmentation_turns_zooms_and_brightens():
    x = jnp.zeros((64, 9, 9, 2)).at[:, 4, 1:8].set(1.0)  # a lying bar
    change = jax.jit(lambda layer, x: layer(x, key=KEY, training=True))
    turned = np.asarray(change(nn.Augmentation(rotate=90), x))
    assert turned.shape == x.shape and 0 <= turned.min() <= turned.max() <= 1
    assert (turned.sum((1, 2, 3)) > 10).all() and turned[:, 1, 4, 0].max() > 0.9  # some stand
    np.testing.assert_allclose(turned[:, 4, 4], 1.0, atol=1e-5)  # the middle stays
    widths = np.asarray(change(nn.Augmentation(zoom=0.3), x))[:, 4, :, 0].sum(1)
    assert widths.min() < 6.5 and widths.max() > 7.5
    bright = np.asarray(change(nn.Augmentation(contrast=0.4), jnp.full((64, 3, 3, 1), 0.5)))
    assert np.ptp(bright[0]) < 1e-6 and bright.min() < 0.35 and bright.max() > 0.65 and bright.max() <= 0.7
    for same in (jnp.ones((4, 6, 5, 1)), jnp.ones((2, 1, 1, 3))):  # the border moves in, single pixels stay
        np.testing.assert_allclose(change(nn.Augmentation(rotate=45, zoom=0.2, shift=3), same), same, atol=1e-6)


@pytest.mark.parametrize(("options", "hint"), [
    ({"window": (3, 3, 3, 3)}, "window=(3, 3)"), ({"window": (0,)}, "set window to 1"), ({"padding": "full"}, "same"),
    ({"stride": (1, 2)}, "stride"), ({"groups": 3}, "groups=1"), ({"padding": ((1, 2, 3),)}, "padding"),
    ({"activation": "rely"}, "relu")])
def test_wrong_options(options, hint):
    with pytest.raises(SettingsError) as error:
        nn.Convolution(4, 8, **{"window": (3,), "key": KEY} | options)
    assert hint in error.value.hint


@pytest.mark.parametrize("shape", [(2, 9), (2, 9, 5), (2, 9, 9, 4), (2, 2, 4)])
def test_wrong_inputs(shape):
    layer = nn.Convolution(4, 8, (3,), padding="valid", key=KEY)
    with pytest.raises(ShapeError, match=r"Convolution"):
        layer(jnp.ones(shape))


def test_wrong_pooling_and_normalisation():
    for make in (lambda: nn.GlobalPooling("mean"), lambda: nn.GroupNormalisation(6, groups=4),
                 lambda: nn.Augmentation(erase=1.0), lambda: nn.Augmentation(shift=-1),
                 lambda: nn.Augmentation(rotate=181), lambda: nn.Augmentation(zoom="a")):
        with pytest.raises(SettingsError):
            make()
    for call in (lambda: nn.MaxPooling((3,))(jnp.ones((1, 2, 1))), lambda: nn.GlobalPooling()(jnp.ones((2, 3)))):
        with pytest.raises(ShapeError):
            call()
    with pytest.raises(SettingsError, match="random key"):
        nn.Augmentation(shift=1)(jnp.ones((1, 2, 1)), key=None, training=True)
    with pytest.raises(ShapeError, match="height, width"):
        nn.Augmentation(rotate=1)(jnp.ones((1, 2, 1)), key=KEY, training=True)

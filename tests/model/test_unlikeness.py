"""Rows unlike the training as a model sees them: tables by their columns, pictures by a hidden layer."""
from __future__ import annotations

from types import SimpleNamespace

import equinox as eqx
import jax
import numpy as np
import pytest

from pellucid.model.members import Members
from pellucid.model.unlikeness import Unlikeness, fit_unlikeness, learned
from pellucid.networks import Composite, Convolutional

PICTURE = SimpleNamespace(is_raw=True, cardinality=None, numbers=())


def named(tree, prefix):
    return {f"{prefix}.{jax.tree_util.keystr(path, simple=True, separator='.')}": np.asarray(leaf)[None]
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


@pytest.fixture(scope="module")
def members():
    network = Composite([Convolutional((8, 8, 1), (6,), 3, key=jax.random.key(0))])
    return Members.from_tensors(network.spec(), named(eqx.filter(network, eqx.is_array), "network")
                                | named(network.initial_state(), "state"))


def pictures(count, seed=0, kind="stripes"):
    """Stripes or blots of random strength, with noise."""
    generator = np.random.default_rng(seed)
    pattern = np.tile([1.0, -1.0], (8, 4)) if kind == "stripes" else np.outer(np.hanning(8), np.hanning(8))
    pixels = generator.uniform(0.5, 1.5, (count, 1, 1)) * pattern + 0.2 * generator.standard_normal((count, 8, 8))
    return {"numbers": np.zeros((count, 0), np.float32), "codes": np.zeros((count, 0), np.int32),
            "columns": ({"pixels": pixels[..., None].astype(np.float32)},)}


def test_other_pictures_are_told_from_those_of_the_training(members):
    found = fit_unlikeness((PICTURE,), pictures(600), members, (0,), np.arange(600) % 3, np.arange(600))
    like, other = (found(pictures(300, 1, kind), members)[1] for kind in ("stripes", "blots"))
    assert np.mean(like <= 0.05) < 0.12 and np.median(other) <= 0.02


def test_what_it_knows_is_kept_in_a_file(members):
    found = fit_unlikeness((PICTURE,), pictures(200), members, (0,), np.arange(200) % 3, np.arange(200))
    again = Unlikeness.from_record(found.to_json(), found.tensors())
    np.testing.assert_array_equal(again(pictures(20, 1), members), found(pictures(20, 1), members))
    assert Unlikeness.from_record(None, {}) is None
    broken = found.tensors() | {"unlikeness.learned.center": np.zeros(3)}
    with pytest.raises(ValueError, match="does not fit"):
        Unlikeness.from_record(found.to_json(), broken)


def test_a_row_is_seen_alike_alone_and_among_others(members):
    rows = pictures(300, 2)
    one = jax.tree.map(lambda leaf: leaf[7:8], rows)
    np.testing.assert_array_equal(learned(members, rows)[7:8], learned(members, one))
    assert len(learned(members, jax.tree.map(lambda leaf: leaf[:0], rows))) == 0


def test_too_few_rows_tell_nothing(members):
    assert fit_unlikeness((PICTURE,), pictures(20), members, (0,), np.arange(20) % 3, np.arange(20)) is None
    assert fit_unlikeness((PICTURE,), pictures(200), members, (0,), np.arange(200) % 3, np.arange(0)) is None

"""The network for tables: what enters the body, column dropout, errors."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Tabular

KEY = jax.random.key(0)


def make(*arguments, **options):
    return Tabular(*arguments, body={"hidden": (4,)}, key=KEY, **options)


def inputs(rows=3):
    return {"numbers": np.arange(2.0 * rows, dtype=np.float32).reshape(rows, 2), "codes": np.ones((rows, 2), np.int32)}


def test_what_enters_the_body():
    joined, plain = make(2, (3, 5), 1).join(inputs())
    np.testing.assert_array_equal(joined, plain)
    np.testing.assert_array_equal(joined[1], [2, 3, -1, 1, 0, 0, 0])


def test_embedded_columns_come_first():
    network = make(2, (), 1, numbers={"embedding": "periodic", "columns": (1,), "size": 3})
    joined, _ = network.join({"numbers": inputs()["numbers"]})
    assert joined.shape == (3, 4)
    np.testing.assert_array_equal(joined[:, 0], inputs()["numbers"][:, 1])
    np.testing.assert_array_equal(joined[:, 3], inputs()["numbers"][:, 0])


def test_large_categories_become_vectors():
    network = make(2, (3, 500), 1, categories={"one_hot_limit": 10, "size": 6})
    assert network.category_embeddings[0].vectors.shape == (500, 6)
    assert network.join(inputs())[0].shape == (3, 2 + 1 + 6)


@pytest.mark.parametrize("rows", [4000])
def test_column_dropout_drops_whole_columns(rows):
    network = make(3, (5, 50), 1, numbers={"embedding": "periodic", "columns": (0,), "sources": (0, 0, 1)},
                   column_dropout=0.25)
    table = {"numbers": np.ones((rows, 3), np.float32), "codes": np.ones((rows, 2), np.int32)}
    whole, _ = network.join(table)
    some, plain = network.join(table, key=jax.random.key(1), training=True)
    kept = np.asarray(some) / np.where(np.asarray(whole) == 0, 1, np.asarray(whole))
    columns = np.array([0] * 4 + [0, 1] + [2] * 4 + [3] * network.category_embeddings[0].vectors.shape[-1])
    marks = []
    for column in range(4):
        values = kept[:, (columns == column) & (np.asarray(whole)[0] != 0)]
        assert np.allclose(values, values[:, :1], atol=1e-5)
        marks.append(values[:, 0])
        np.testing.assert_allclose(np.unique(values.round(4)), [0, 1.3333], atol=1e-4)
        assert abs((values[:, 0] > 0).mean() - 0.75) < 0.03
    assert abs(np.corrcoef(marks)[np.triu_indices(4, 1)]).max() < 0.07
    np.testing.assert_array_equal(plain, network.join(table)[1])  # the linear path sees all
    np.testing.assert_array_equal(network.join(table, key=jax.random.key(1), training=False)[0], whole)


def test_linear_path_sees_plain_numbers():
    network = make(2, (3, 5), 1, numbers={"embedding": "periodic"}, skip=True, scale=True)
    assert network.skip.weight.shape == (7, 1) and network.scale.factor.shape == (13,)


@pytest.mark.parametrize(("arguments", "options"), [
    ((0, (), 1), {}), ((0, (1,), 1), {}), ((2, (), 1), {"numbers": {"embedding": "fourier"}}),
    ((2, (), 1), {"numbers": {"embeding": "none"}}), ((2, (), 1), {"numbers": {"columns": (2,)}}),
    ((2, (), 1), {"numbers": {"sources": (0,)}}), ((2, (), 1), {"column_dropout": 1.0}),
])
def test_settings_errors(arguments, options):
    with pytest.raises(SettingsError, match="hint:"):
        make(*arguments, **options)


@pytest.mark.parametrize("table", [
    {}, {"numbers": np.ones((3, 3))}, {"numbers": np.ones((3, 2)), "codes": np.ones((4, 2), int)},
    {"numbers": np.ones((3, 2))},
])
def test_shape_errors(table):
    with pytest.raises(ShapeError, match="hint:"):
        make(2, (3, 5), 1)(table)


def test_edges_of_another_shape():
    with pytest.raises(ShapeError, match=r"expected \(2, 17\)"):
        make(2, (), 1, numbers={"embedding": "ple"}, edges=jnp.ones((2, 4)))

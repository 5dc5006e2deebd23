"""Labels that spread along a graph of neighbours."""
import numpy as np
import pytest

from pellucid.errors import DataError, SettingsError, ShapeError
from pellucid.training.spreading import spread_labels

RANDOM = np.random.default_rng(0)


def rings(rows):
    """Two rings, one inside the other: what belongs together is not what is near its middle."""
    classes = np.arange(rows) % 2
    angle = RANDOM.random(rows) * 2 * np.pi
    radius = np.where(classes, 2.0, 1.0) + RANDOM.normal(size=rows) * 0.08
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), classes


def test_labels_spread_along_rings():
    places, classes = rings(600)
    known = np.full(600, -1)
    known[:4] = classes[:4]
    found = spread_labels(places, known)
    assert np.mean(found.probabilities.argmax(axis=1) == classes) > 0.97
    assert (found.certainty[:4] == 1).all() and (found.probabilities[:4].argmax(axis=1) == classes[:4]).all()
    assert found.probabilities.dtype == np.float32 and np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    assert (found.certainty >= 0).all() and (found.certainty <= 1).all()


def test_shares_of_the_classes_are_kept():
    places = RANDOM.normal(size=(400, 3))
    known = np.full(400, -1)
    known[:20] = np.arange(20) % 2
    few = spread_labels(places, known, shares=np.array([0.9, 0.1])).probabilities.argmax(axis=1)
    same = spread_labels(places, known).probabilities.argmax(axis=1)
    assert np.mean(few == 1) < 0.3 < np.mean(same == 1) < 0.7


def test_copies_of_one_row_do_no_harm():
    places = np.repeat(np.array([[0.0], [1.0]]), 30, axis=0)
    known = np.full(60, -1)
    known[[0, 59]] = 0, 1
    found = spread_labels(places, known, neighbours=5)
    assert np.isfinite(found.probabilities).all()


@pytest.mark.parametrize(("features", "targets", "options", "error"), [
    (np.zeros((3, 2)), np.zeros(4), {}, ShapeError), (np.zeros((3, 2)), np.full(3, -1), {}, DataError),
    (np.zeros((3, 2)), np.array([0, 2, -1]), {}, DataError),
    (np.zeros((3, 2)), np.array([0, 1, -1]), {"reach": 1.0}, SettingsError),
])
def test_what_cannot_be_spread_is_said(features, targets, options, error):
    with pytest.raises(error):
        spread_labels(features, targets, **options)

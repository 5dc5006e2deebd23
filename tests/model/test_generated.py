"""Figures of generated examples, against what is known exactly."""
import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.model.generated import class_coverage, frechet_distance

RANDOM = np.random.default_rng(0)


def test_frechet_distance_of_normal_clouds_is_the_known_one():
    cloud = RANDOM.normal(size=(2000, 4)) @ RANDOM.normal(size=(4, 4))
    assert frechet_distance(cloud, cloud) < 1e-9
    shifted = frechet_distance(cloud, cloud + [3, 0, 0, -4])
    np.testing.assert_allclose(shifted, 25, rtol=1e-9)
    # the same axes, scaled by two: the covariance roots differ by one root, tr((2R - R)^2) = tr(C)
    twice = frechet_distance(cloud - cloud.mean(0), 2 * (cloud - cloud.mean(0)))
    np.testing.assert_allclose(twice, np.trace(np.cov(cloud.T)), rtol=1e-9)
    other = RANDOM.normal(size=(500, 4))
    np.testing.assert_allclose(frechet_distance(cloud, other), frechet_distance(other, cloud), rtol=1e-9)


def test_frechet_distance_of_fewer_rows_than_features_and_of_one_feature():
    few = RANDOM.normal(size=(3, 8))
    assert frechet_distance(few, few) < 1e-9
    np.testing.assert_allclose(frechet_distance(np.array([[0.0], [2.0]]), np.array([[5.0], [7.0]])), 25)


def test_dead_classes_are_counted():
    asked = np.repeat(np.arange(3), 10)
    coverage = class_coverage(asked, np.where(asked == 2, 1, asked), 3)
    assert coverage.found == (10, 20, 0) and coverage.alive == 2
    assert coverage.agreement == pytest.approx(2 / 3)


def test_wrong_shapes_are_told():
    with pytest.raises(ShapeError, match=r"\(5, 2\) and \(5, 3\)"):
        frechet_distance(np.zeros((5, 2)), np.zeros((5, 3)))
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        class_coverage(np.zeros(2, int), np.zeros(3, int), 2)

"""The parts of the export: activation functions, NumPy functions as ONNX operations, spellings."""
import numpy as np
import pytest
from scipy.special import ndtri

from pellucid.core.names import NORMALISATIONS
from pellucid.features.normalise import fit_normalisation
from pellucid.model.export.activations import numpy_activations
from pellucid.model.export.onnx_check import run_file
from pellucid.model.export.onnx_graph import Graph, normal_score
from pellucid.model.export.onnx_inputs import spellings
from pellucid.nn import activations

VALUES = np.array([-90.0, -6.5, -3.0, -1.0, -0.2, 0.0, 0.3, 1.0, 2.9, 6.5, 30.0])


def traced(function, values):
    """What the ONNX graph of `function` gives for `values`."""
    graph = Graph(reserved=["x", "y"])
    graph.output("y", function(graph.input("x", values.dtype)), ["rows", "any"])
    return run_file(graph.model({}, "0"), {"x": values.reshape(-1, 1)})["y"][:, 0]


def test_each_activation_has_its_twin():
    assert set(numpy_activations) == set(activations)


@pytest.mark.parametrize("name", activations)
def test_activations_are_those_of_the_networks(name):
    rows = np.stack([VALUES, VALUES[::-1] / 7], 1).astype(np.float32)
    expected = np.asarray(activations[name].function(rows))
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(numpy_activations[name](rows), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", activations)
def test_activations_are_traced(name):
    values = VALUES.astype(np.float32)
    expected = np.asarray(activations[name].function(values[:, None]))[:, 0]
    np.testing.assert_allclose(traced(numpy_activations[name], values), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_normalisations_are_traced(method):
    training = np.concatenate([np.random.default_rng(0).normal(5, 3, 50), [2.0] * 20, [1e6, 7, 7]])
    normalisation = fit_normalisation(method, training)
    values = np.concatenate([training, VALUES, [1e300, -1e300]])
    np.testing.assert_allclose(traced(normalisation.apply, values), normalisation.apply(values), rtol=1e-6, atol=1e-6)


def test_normal_scores_are_near_enough():
    shares = np.concatenate([np.linspace(1e-3, 1 - 1e-3, 999), [1e-7, 1e-10, 0.075, 1 - 1e-7]])
    np.testing.assert_allclose(normal_score(shares), ndtri(shares), atol=1e-6)


def test_what_cannot_be_traced_is_refused():
    with pytest.raises(TypeError):
        traced(np.arctan, VALUES)
    with pytest.raises(TypeError):
        traced(np.cumsum, VALUES)


def test_spellings():
    assert {"yes", "Yes", "YES", "yEs"} <= set(spellings("yes"))
    assert len(spellings("null")) == 16
    assert {"männlich", "MÄNNLICH", "Männlich"} == set(spellings("männlich"))
    assert spellings("") == [""]

"""Tree layers against PyTorch, one tree at a time there: outputs and gradients, in float64 (recorded values)."""
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pellucid import nn

GOLDEN = json.loads(Path(__file__).with_name("torch_trees.json").read_text())
TREES, ARITY = GOLDEN["children"], GOLDEN["arity"]
COUNT = np.array([len(tree) for tree in TREES], np.int32)
CHILDREN = np.full((len(TREES), max(COUNT), ARITY), -1, np.int32)
for row, tree in enumerate(TREES):
    for node, own in enumerate(tree):
        CHILDREN[row, node, :len(own)] = own
MAKERS = {"ChildSumTreeLstm": lambda key: nn.ChildSumTreeLstm(3, 4, inner_inputs=True, key=key),
          "NaryTreeLstm": lambda key: nn.NaryTreeLstm(3, 4, arity=ARITY, inner_inputs=True, key=key),
          "TensorTree": lambda key: nn.TensorTree(3, arity=ARITY, key=key)}


@pytest.mark.parametrize("name", MAKERS)
def test_outputs_and_gradients(name):
    case = GOLDEN["cases"][name]
    with jax.enable_x64(True):
        names = list(case["weights"])
        layer = eqx.tree_at(lambda own: [getattr(own, part) for part in names], MAKERS[name](jax.random.key(0)),
                            [jnp.asarray(case["weights"][part]) for part in names])

        @jax.jit
        def run(layer, inputs):
            def cubes(layer, inputs):
                outputs = layer(inputs, CHILDREN, COUNT)
                return jnp.sum(outputs ** 3), outputs
            (_, outputs), gradients = jax.value_and_grad(cubes, (0, 1), has_aux=True)(layer, inputs)
            return outputs, *gradients

        outputs, by_layer, by_inputs = run(layer, jnp.asarray(case["inputs"]))
        for row, expected in enumerate(case["outputs"]):
            np.testing.assert_allclose(outputs[row, :len(expected)], expected, rtol=1e-9, atol=1e-10)
            assert not np.any(outputs[row, len(expected):])
        np.testing.assert_allclose(by_inputs, case["inputs_gradient"], rtol=1e-8, atol=1e-10)
        for part in names:
            np.testing.assert_allclose(getattr(by_layer, part), case["gradients"][part], rtol=1e-8, atol=1e-10)

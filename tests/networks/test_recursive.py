"""The recursive network: batches against single trees, learning, one compiled program, errors in words."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pellucid
from pellucid.data.trees import parse_trees, tree_arrays, tree_labels, vocabulary
from pellucid.errors import SettingsError, ShapeError
from pellucid.networks import Recursive

KEY = jax.random.key(0)


def negations(rows, seed=0):
    """Trees of "good", "bad" and "not": the label of a node is the parity of what it holds, so order counts not but
    structure does."""
    random = np.random.default_rng(seed)

    def grow(depth):
        if depth == 0 or random.random() < 0.2:
            good = random.random() < 0.5
            return f"({int(good)} {'good' if good else 'bad'})", good
        below, good = grow(depth - 1)
        if random.random() < 0.5:
            return f"({int(not good)} (x not) {below})", not good
        return f"({int(good)} (x very) {below})", good

    return parse_trees([grow(random.integers(1, 6))[0] for _ in range(rows)])


TREES = negations(400)
WORDS = vocabulary(TREES)
INPUTS, TARGETS = tree_arrays(TREES, WORDS, nodes=13, arity=2), tree_labels(TREES, "01", nodes=13)


def take(rows):
    return {name: values[rows] for name, values in INPUTS.items()}


@pytest.fixture(scope="module")
def network():
    return Recursive(len(WORDS) + 1, 2, embedding=8, hidden=8, key=KEY)


@pytest.fixture(scope="module")
def forward(network):
    traces = []

    @jax.jit
    def run(inputs):
        traces.append(1)
        return network(inputs)[0]
    return run, traces


def test_a_tree_does_not_depend_on_its_company_and_nothing_is_compiled_twice(forward):
    run, traces = forward
    together = run(take(np.arange(6)))
    turned = run(take(np.arange(6)[::-1]))
    np.testing.assert_allclose(turned[::-1], together, rtol=1e-5, atol=1e-6)
    others = take(np.array([0, 0, 0, 0, 0, 0]))
    np.testing.assert_allclose(run(others)[3], together[0], rtol=1e-5, atol=1e-6)
    assert len(traces) == 1
    for row in range(6):
        assert not np.any(together[row, INPUTS["count"][row]:])


def test_any_order_with_children_first_gives_the_same(forward):
    run, _ = forward
    inputs = tree_arrays(parse_trees(["(0 (1 (x not) (1 good)) (x (x very) (0 bad)))"]), WORDS, nodes=13)
    order = np.array([4, 3, 1, 0, 5, 2, 6])  # of the seven nodes: leaves from the right, then the inner ones
    place = np.argsort(order)
    turned = {name: values.copy() for name, values in inputs.items()}
    turned["tokens"][0, :7] = inputs["tokens"][0, order]
    turned["children"][0, :7] = np.where(inputs["children"][0, order] >= 0, place[inputs["children"][0, order]], -1)
    both = [np.repeat(one[name], 3, axis=0) for name in inputs for one in (inputs, turned)]
    batch = {name: np.concatenate(both[2 * number:2 * number + 2]) for number, name in enumerate(inputs)}
    outputs = run(batch)
    np.testing.assert_allclose(outputs[3, :7], outputs[0, order], rtol=1e-5, atol=1e-6)


def test_it_learns_negation_at_every_node(network):
    fit = pellucid.fit(network, "cross_entropy", (take(np.arange(300)), TARGETS[:300]), epochs=12, batch_size=25,
                       learning_rate=0.02)
    held = np.arange(300, 400)
    told, targets = fit.predict(take(held)).argmax(-1), TARGETS[held]
    assert (told == targets)[targets >= 0].mean() > 0.97


def test_rates_and_sizes(network):
    assert network.rate_factors() == {} and network.members_in_turn
    quick = Recursive(5, 2, embedding=2, hidden=2, word_rate=3.0, key=KEY)
    assert quick.rate_factors() == {"words.vectors": 3.0}
    np.testing.assert_array_equal(network.row_sizes(INPUTS), INPUTS["count"])


@pytest.mark.parametrize(("settings", "message"), [
    ({"cell": "lstn"}, "cell='lstn'.*did you mean `lstm`"),
    ({"output": "rot"}, "output='rot'.*did you mean `root`"),
    ({"hidden": 0}, "hidden=0"),
    ({"cell": "tensor", "hidden": 8}, "make embedding and hidden equal"),
    ({"dropout": 1.5}, "dropout embedding=1.5"),
    ({"dropout": {"embeding": 0.5}}, "did you mean `embedding`"),
    ({"word_rate": 0}, "word_rate=0")])
def test_settings_out_of_range(settings, message):
    with pytest.raises(SettingsError, match="(?s)" + message):
        Recursive(5, 2, **{"embedding": 4, "hidden": 4, "key": KEY} | settings)


def test_inputs_that_do_not_fit(network):
    with pytest.raises(ShapeError, match="expected a dict"):
        network(INPUTS["tokens"])
    with pytest.raises(ShapeError, match="children of shape \\(400, 13, 2\\)"):
        network(INPUTS | {"children": INPUTS["children"][..., :1]})
    with pytest.raises(ShapeError, match="tokens of shape"):
        network(INPUTS | {"tokens": INPUTS["tokens"][0]})
    with pytest.raises(SettingsError, match="random key"):
        Recursive(5, 2, embedding=2, hidden=2, dropout=0.1, key=KEY)(take(np.arange(2)), training=True)
    with pytest.raises(ShapeError, match="`NaryTreeLstm` expected inputs of shape"):
        network.tree(jnp.ones((2, 13, 3)), INPUTS["children"][:2], INPUTS["count"][:2])

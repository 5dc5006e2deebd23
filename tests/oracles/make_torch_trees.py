"""Records what PyTorch gives for the cases of `test_trees_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_trees.py

One tree after another, node by node, straight from the papers' formulas.
"""
import json
from pathlib import Path

import numpy as np
import torch

RANDOM = np.random.default_rng(5)
FEATURES, SIZE, ARITY = 3, 4, 3
CHILDREN = [[[], [], [0, 1], [], [2, 3]], [[], [0], [], [], [1, 2, 3]], [[]]]


def weights(*shape):
    return torch.tensor(RANDOM.normal(size=shape) / 2, dtype=torch.float64, requires_grad=True)


def child_sum(x, children, p):
    own, bias = p["weight"], p["bias"].split(SIZE)
    words = (x @ p["input_weight"]).split(SIZE)
    total = sum((h for h, _ in children), torch.zeros(SIZE, dtype=torch.float64))
    gate = [word + total @ part + b for word, part, b in zip(words[:3], own.split(SIZE, 1)[:3], bias[:3],
                                                              strict=True)]
    c = torch.sigmoid(gate[0]) * torch.tanh(gate[2])
    for h, memory in children:
        c = c + torch.sigmoid(words[3] + h @ own.split(SIZE, 1)[3] + bias[3]) * memory
    return torch.sigmoid(gate[1]) * torch.tanh(c), c


def nary(x, children, p):
    own, bias = p["weight"].reshape(ARITY, SIZE, 3 + ARITY, SIZE), p["bias"].split(SIZE)
    words = (x @ p["input_weight"]).split(SIZE)
    gate = [words[k] + bias[k] + sum(h @ own[place, :, k] for place, (h, _) in enumerate(children)) for k in range(3)]
    c = torch.sigmoid(gate[0]) * torch.tanh(gate[2])
    for number, (_, memory) in enumerate(children):
        forget = sum(h @ own[place, :, 3 + number] for place, (h, _) in enumerate(children))
        c = c + torch.sigmoid(words[3] + bias[3] + forget) * memory
    return torch.sigmoid(gate[1]) * torch.tanh(c), c


def tensor(x, children, p):
    if not children:
        return (torch.tanh(x),)
    missing = [torch.zeros(FEATURES, dtype=torch.float64)] * (ARITY - len(children))
    a = torch.cat([h for h, in children] + missing)
    return (torch.tanh(torch.einsum("i,ijk,j->k", a, p["tensor_weight"], a) + a @ p["weight"] + p["bias"]),)


CASES = {
    "ChildSumTreeLstm": (child_sum, {"input_weight": (FEATURES, 4 * SIZE), "weight": (SIZE, 4 * SIZE),
                                     "bias": (4 * SIZE,)}),
    "NaryTreeLstm": (nary, {"input_weight": (FEATURES, 4 * SIZE), "weight": (ARITY * SIZE, (3 + ARITY) * SIZE),
                            "bias": (4 * SIZE,)}),
    "TensorTree": (tensor, {"tensor_weight": (ARITY * FEATURES, ARITY * FEATURES, FEATURES),
                            "weight": (ARITY * FEATURES, FEATURES), "bias": (FEATURES,)}),
}


def record(compose, shapes):
    p = {name: weights(*shape) for name, shape in shapes.items()}
    x = weights(len(CHILDREN), max(map(len, CHILDREN)), FEATURES)
    outputs = []
    for row, tree in enumerate(CHILDREN):
        states = []
        for node, own in enumerate(tree):
            states.append(compose(x[row, node], [states[child] for child in own], p))
        outputs.append([state[0] for state in states])
    sum((h ** 3).sum() for row in outputs for h in row).backward()
    listed = lambda values: np.round(values.detach().numpy(), 12).tolist()  # noqa: E731
    return {"inputs": listed(x), "inputs_gradient": listed(x.grad),
            "outputs": [list(map(listed, row)) for row in outputs],
            "weights": {name: listed(value) for name, value in p.items()},
            "gradients": {name: listed(value.grad) for name, value in p.items()}}


def main():
    golden = {"torch": torch.__version__, "children": CHILDREN, "arity": ARITY,
              "cases": {name: record(*case) for name, case in CASES.items()}}
    Path(__file__).with_name("torch_trees.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()

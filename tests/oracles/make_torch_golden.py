"""Records what PyTorch gives for the cases of `test_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_golden.py

The tests read the recorded values, so that they need no PyTorch.
"""
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

RANDOM = np.random.default_rng(7)
LOGITS = RANDOM.normal(size=(6, 4)) * 3
CLASSES = np.array([0, 3, 1, 2, 2, 0])
SHARES = RANDOM.dirichlet(np.ones(4), size=6)
NUMBERS = RANDOM.normal(size=(6, 3)) * 2
TARGETS = RANDOM.normal(size=(6, 3))
YES = (RANDOM.random((6, 3)) > 0.5) * 1.0
WEIGHTS = np.array([0.5, 2.0, 1.0, 3.0])


def tensor(values):
    return torch.tensor(values, dtype=torch.int64 if np.issubdtype(np.asarray(values).dtype, np.integer)
                        else torch.float64)


def losses():
    """Name, pellucid's loss and its parameters, outputs, targets, and PyTorch's error per row."""
    row = {"reduction": "none"}
    yield "cross_entropy", {}, LOGITS, CLASSES, lambda o, t: functional.cross_entropy(o, t, **row)
    yield "cross_entropy", {"label_smoothing": 0.1}, LOGITS, CLASSES, lambda o, t: functional.cross_entropy(
        o, t, label_smoothing=0.1, **row)
    yield "cross_entropy", {"class_weights": WEIGHTS.tolist(), "label_smoothing": 0.2}, LOGITS, CLASSES, (
        lambda o, t: functional.cross_entropy(o, t, weight=tensor(WEIGHTS), label_smoothing=0.2, **row))
    yield "cross_entropy", {}, LOGITS, SHARES, lambda o, t: functional.cross_entropy(o, t, **row)
    yield "binary_cross_entropy", {}, NUMBERS, YES, lambda o, t: functional.binary_cross_entropy_with_logits(
        o, t, **row).mean(1)
    yield "binary_cross_entropy", {"class_weights": [1.0, 4.0]}, NUMBERS, YES, lambda o, t: (
        functional.binary_cross_entropy_with_logits(o, t, pos_weight=tensor([4.0] * 3), **row).mean(1))
    yield "mean_squared", {}, NUMBERS, TARGETS, lambda o, t: functional.mse_loss(o, t, **row).mean(1)
    yield "absolute", {}, NUMBERS, TARGETS, lambda o, t: functional.l1_loss(o, t, **row).mean(1)
    yield "huber", {"delta": 0.7}, NUMBERS, TARGETS, lambda o, t: functional.huber_loss(o, t, delta=0.7, **row).mean(1)
    yield "hinge", {}, LOGITS, CLASSES, lambda o, t: torch.clamp(
        1 + o.masked_fill(functional.one_hot(t, 4).bool(), -torch.inf).max(1).values - o.gather(1, t[:, None])[:, 0], 0)


def activations():
    """Pellucid's name and PyTorch's function."""
    same = ("relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "softplus", "softsign", "mish", "relu6",
            "tanh", "sigmoid")
    for name in same:
        yield name, getattr(functional, name)
    yield "hard_tanh", functional.hardtanh
    yield "hard_sigmoid", functional.hardsigmoid
    yield "log_sigmoid", functional.logsigmoid
    yield "softmax", lambda x: functional.softmax(x, dim=-1)
    yield "log_softmax", lambda x: functional.log_softmax(x, dim=-1)


def normalisations():
    """Pellucid's layer and PyTorch's function of the same values."""
    yield "LayerNormalisation", lambda x: functional.layer_norm(x, x.shape[-1:])
    yield "BatchNormalisation", lambda x: functional.batch_norm(x, None, None, training=True)


def record(function, x, *rest):
    """The values and the gradient of the sum of cubes by `x`."""
    x = tensor(x).requires_grad_()
    y = function(x, *rest)
    (y ** 3).sum().backward()
    return {"x": x.tolist(), "y": y.tolist(), "gradient": x.grad.tolist()}


def main():
    golden = {"torch": torch.__version__, "losses": [], "activations": [], "normalisations": []}
    for name, parameters, outputs, targets, function in losses():
        golden["losses"].append({"name": name, "parameters": parameters, "targets": targets.tolist(),
                                 **record(function, outputs, tensor(targets))})
    for kind, cases in (("activations", activations()), ("normalisations", normalisations())):
        golden[kind] = [{"name": name, **record(function, NUMBERS)} for name, function in cases]
    Path(__file__).with_name("torch_golden.json").write_text(json.dumps(golden, indent=None) + "\n")


if __name__ == "__main__":
    main()

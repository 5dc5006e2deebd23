"""Records what PyTorch gives for the autoencoders of `test_autoencoder_against_torch.py`; run where PyTorch is.

    python tests/oracles/make_torch_autoencoder.py

The tests read the recorded values, so that they need no PyTorch.
"""
import json
from pathlib import Path

import numpy as np
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional

RANDOM = np.random.default_rng(11)
ROWS, FEATURES, HIDDEN, CODE = 4, 5, 6, 2


def weights(sizes):
    """Weights (in, out) and biases, layer by layer."""
    return [(RANDOM.normal(size=(before, after)) * 0.5, RANDOM.normal(size=after) * 0.3)
            for before, after in zip(sizes, sizes[1:], strict=False)]


def forward(layers, x):
    """Dense layers with a rectifier between them."""
    first, second = layers
    return functional.linear(torch.relu(functional.linear(x, first[0].T, first[1])), second[0].T, second[1])


def record(kind):
    """The loss of each row and its gradients by all weights and the inputs."""
    code = CODE if kind == "plain" else 2 * CODE
    halves = [weights((FEATURES, HIDDEN, code)), weights((CODE, HIDDEN, FEATURES))]
    x, noise = RANDOM.random((ROWS, FEATURES)), RANDOM.normal(size=(ROWS, CODE))
    variance = np.array([-0.7])
    tensors = [[[torch.tensor(array, requires_grad=True) for array in layer] for layer in half] for half in halves]
    inputs, log_variance = torch.tensor(x, requires_grad=True), torch.tensor(variance, requires_grad=True)
    if kind == "plain":
        errors = (torch.sigmoid(forward(tensors[1], forward(tensors[0], inputs))) - inputs).square().mean(1)
    else:
        mean, spread = forward(tensors[0], inputs).chunk(2, dim=1)
        belief = Independent(Normal(mean, torch.exp(0.5 * spread)), 1)
        raw = forward(tensors[1], mean + torch.exp(0.5 * spread) * torch.tensor(noise))
        output = (Bernoulli(logits=raw, validate_args=False) if kind == "bernoulli"
                  else Normal(raw, torch.exp(0.5 * log_variance)))
        prior = Independent(Normal(torch.zeros(CODE, dtype=torch.float64), torch.ones(CODE, dtype=torch.float64)), 1)
        errors = kl_divergence(belief, prior) - output.log_prob(inputs).sum(1)
    errors.sum().backward()
    gradients = [[[array.grad.tolist() for array in layer] for layer in half] for half in tensors]
    return {"kind": kind, "weights": [[[array.tolist() for array in layer] for layer in half] for half in halves],
            "x": x.tolist(), "noise": noise.tolist(), "log_variance": variance.tolist(), "errors": errors.tolist(),
            "gradients": gradients, "gradient_by_inputs": inputs.grad.tolist(),
            "gradient_by_variance": None if log_variance.grad is None else log_variance.grad.tolist()}


if __name__ == "__main__":
    golden = {"torch": torch.__version__, "cases": [record(kind) for kind in ("plain", "bernoulli", "gaussian")]}
    Path(__file__).with_name("torch_autoencoder.json").write_text(json.dumps(golden) + "\n")

"""Records what PyTorch gives for the cases of `test_attention_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_attention.py
"""
import json
from pathlib import Path

import torch

ROWS, TIME, FEATURES, HEADS = 3, 4, 4, 2
LENGTHS = [4, 2, 3]


def record(causal):
    """What each valid position gathers, and the gradient of the sum of cubes by inputs and weights."""
    torch.manual_seed(2)
    layer = torch.nn.MultiheadAttention(FEATURES, HEADS, batch_first=True, dtype=torch.float64)
    x = torch.randn(ROWS, TIME, FEATURES, dtype=torch.float64, requires_grad=True)
    beyond = torch.arange(TIME) >= torch.tensor(LENGTHS)[:, None]
    later = torch.triu(torch.ones(TIME, TIME, dtype=torch.bool), 1) if causal else None
    outputs, shares = layer(x, x, x, key_padding_mask=beyond, attn_mask=later, average_attn_weights=False)
    outputs = torch.where(beyond[..., None], 0, outputs)
    (outputs ** 3).sum().backward()
    weights = dict(layer.named_parameters())
    return {"causal": causal, "lengths": LENGTHS, "heads": HEADS, "x": x.tolist(), "outputs": outputs.tolist(),
            "shares": shares.tolist(), "by_x": x.grad.tolist(),
            "weights": {name: value.tolist() for name, value in weights.items()},
            "by_weights": {name: value.grad.tolist() for name, value in weights.items()}}


def main():
    text = json.dumps({"torch": torch.__version__, "cases": [record(causal) for causal in (False, True)]})
    Path(__file__).with_name("torch_attention.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Records what PyTorch gives for the cases of `test_recurrent_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_recurrent.py
"""
import json
from pathlib import Path

import numpy as np
import torch

ROWS, TIME, FEATURES, NEURONS = 3, 5, 2, 3
LENGTHS = [5, 2, 3]
KINDS = {"SimpleRecurrence": torch.nn.RNN, "Lstm": torch.nn.LSTM, "Gru": torch.nn.GRU}


def record(kind):
    """Outputs of all steps, last states, and the gradient of the sum of cubes by inputs, weights and start."""
    torch.manual_seed(1)
    layer = KINDS[kind](FEATURES, NEURONS, batch_first=True, bidirectional=True, dtype=torch.float64)
    x = torch.randn(ROWS, TIME, FEATURES, dtype=torch.float64, requires_grad=True)
    start = [torch.randn(2, ROWS, NEURONS, dtype=torch.float64, requires_grad=True)
             for _ in range(2 if kind == "Lstm" else 1)]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    packed, last = layer(packed, tuple(start) if kind == "Lstm" else start[0])
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=TIME)
    last = list(last) if kind == "Lstm" else [last]
    ((outputs ** 3).sum() + sum((value ** 2).sum() for value in last)).backward()
    weights = dict(layer.named_parameters())
    return {"kind": kind, "lengths": LENGTHS, "x": x.tolist(),
            "start": [value.tolist() for value in start], "outputs": outputs.tolist(),
            "last": [value.tolist() for value in last], "by_x": x.grad.tolist(),
            "by_start": [value.grad.tolist() for value in start],
            "weights": {name: value.tolist() for name, value in weights.items()},
            "by_weights": {name: value.grad.tolist() for name, value in weights.items()}}


def rounded(value):
    """Numbers with 12 digits, which is enough for the tests."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(np.format_float_scientific(value, 12)) if isinstance(value, float) else value


def main():
    cases = [record(kind) for kind in KINDS]
    text = json.dumps(rounded({"torch": torch.__version__, "cases": cases}))
    Path(__file__).with_name("torch_recurrent.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Records what PyTorch gives for `test_convolutional_recurrent_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_convolutional_recurrent.py

The reference is a convolutional LSTM written with `conv2d`, one row at a time and one frame at a time.
"""
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import conv2d

RANDOM = np.random.default_rng(5)
LENGTHS = [3, 2]
HEIGHT, WIDTH, CHANNELS, NEURONS = 4, 3, 2, 2


def tensor(*shape):
    return torch.tensor(RANDOM.normal(size=shape).round(2), dtype=torch.float64, requires_grad=True)


def main():
    weights = {"inputs": tensor(3, 3, CHANNELS, 4 * NEURONS), "bias": tensor(4 * NEURONS),
               "recurrent": tensor(3, 3, NEURONS, 4 * NEURONS)}
    kernel = {name: value.permute(3, 2, 0, 1) for name, value in weights.items() if value.ndim == 4}
    frames = [tensor(length, HEIGHT, WIDTH, CHANNELS) for length in LENGTHS]
    outputs, memories = [], []
    for row in frames:
        hidden = memory = torch.zeros(1, NEURONS, HEIGHT, WIDTH, dtype=torch.float64)
        given = []
        for frame in row:
            total = (conv2d(frame.permute(2, 0, 1)[None], kernel["inputs"], weights["bias"], padding=1)
                     + conv2d(hidden, kernel["recurrent"], padding=1))
            inwards, forget, candidate, outwards = total.chunk(4, dim=1)
            memory = torch.sigmoid(forget) * memory + torch.sigmoid(inwards) * torch.tanh(candidate)
            hidden = torch.sigmoid(outwards) * torch.tanh(memory)
            given.append(hidden[0].permute(1, 2, 0))
        outputs.append(torch.stack(given))
        memories.append(memory[0].permute(1, 2, 0))
    error = sum((output ** 3).sum() for output in outputs) + sum((memory ** 2).sum() for memory in memories)
    error.backward()
    golden = {"torch": torch.__version__, "weights": {name: value.tolist() for name, value in weights.items()},
              "frames": [row.tolist() for row in frames], "outputs": [row.tolist() for row in outputs],
              "memories": [row.tolist() for row in memories],
              "gradient": {name: value.grad.tolist() for name, value in weights.items()},
              "frames_gradient": [row.grad.tolist() for row in frames]}
    Path(__file__).with_name("torch_convolutional_recurrent.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()

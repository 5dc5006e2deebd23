"""The convolutional LSTM of `moving_digits.py` in PyTorch; started by it.

    python moving_digits_peer.py DATA.npz SETTINGS

Writes the logits of the test films beside the data and prints one JSON object.
"""
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn


class ConvolutionalLstm(nn.Module):
    """One layer of convolutional LSTM and a convolution that gives the next frame."""

    def __init__(self, hidden: int, window: int) -> None:
        super().__init__()
        self.inputs = nn.Conv2d(1, 4 * hidden, window, padding="same")
        self.recurrent = nn.Conv2d(hidden, 4 * hidden, window, padding="same", bias=False)
        self.output = nn.Conv2d(hidden, 1, window, padding="same")
        for layer in (self.inputs, self.recurrent, self.output):
            nn.init.xavier_uniform_(layer.weight)
        with torch.no_grad():
            self.output.bias.zero_()
            self.inputs.bias.zero_()[hidden:2 * hidden] = 1.0

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """From (batch, time, height, width, 1) to (batch, height, width, 1)."""
        batch, length, height, width, _ = frames.shape
        given = frames.permute(0, 1, 4, 2, 3).to(memory_format=torch.preserve_format)
        projected = self.inputs(given.reshape(-1, 1, height, width).contiguous(memory_format=torch.channels_last))
        projected = projected.reshape(batch, length, *projected.shape[1:])
        size = self.recurrent.in_channels
        hidden = memory = torch.zeros(batch, size, height, width).to(memory_format=torch.channels_last)
        for step in range(length):
            total = projected[:, step] + self.recurrent(hidden)
            inwards, forget, candidate, outwards = total.chunk(4, dim=1)
            memory = torch.sigmoid(forget) * memory + torch.sigmoid(inwards) * torch.tanh(candidate)
            hidden = torch.sigmoid(outwards) * torch.tanh(memory)
        return self.output(hidden).permute(0, 2, 3, 1)


def main() -> None:
    """Train, predict, report."""
    path, plan = Path(sys.argv[1]), json.loads(sys.argv[2])
    torch.manual_seed(0)
    data = {name: torch.from_numpy(values) for name, values in np.load(path).items()}
    inputs, targets = data["training_inputs"].float() / 255, data["training_targets"]
    network = ConvolutionalLstm(plan["hidden"], plan["window"]).to(memory_format=torch.channels_last)
    steps = plan["epochs"] * -(-len(inputs) // plan["batch_size"])
    optimiser = torch.optim.Adam(network.parameters(), plan["learning_rate"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan["learning_rate"], steps, pct_start=0.25,
                                                   cycle_momentum=False, final_div_factor=40)
    loss = nn.BCEWithLogitsLoss()
    start = time.perf_counter()
    for _ in range(plan["epochs"]):
        for rows in torch.randperm(len(inputs)).split(plan["batch_size"]):
            optimiser.zero_grad()
            loss(network(inputs[rows]), targets[rows]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), plan["clip"])
            optimiser.step()
            schedule.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        tests = (data["test_inputs"].float() / 255).split(100)
        logits = torch.cat([network(part) for part in tests])
    np.save(path.with_name("logits.npy"), logits.numpy())
    weights = sum(weight.numel() for weight in network.parameters())
    print(json.dumps({"seconds": seconds, "weights": weights, "epochs": plan["epochs"], "threads":
                      torch.get_num_threads(), "torch": torch.__version__}))


if __name__ == "__main__":
    main()

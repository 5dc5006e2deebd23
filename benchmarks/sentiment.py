"""Sentiment of sentences by recursive networks on the Stanford Sentiment Treebank, without pre-trained vectors.

    python benchmarks/sentiment.py --data sst --results results.jsonl
    python benchmarks/sentiment.py --data sst --quick

`--data` is a folder with train.txt, dev.txt and test.txt, a labelled tree a line. Each network is a binary Tree-LSTM
that learns the label of every phrase of the training trees (Tai et al. 2015), with dropout on words' vectors, on the
connections between nodes and before the outputs; AdaGrad; a running average of the weights; the epoch with the fewest
mistakes at the roots of the dev trees. The networks differ in their seed alone; the ensemble is the mean of their
probabilities. The test trees are looked at once, at the end.

Five classes: the label of the root. Binary: neutral roots left out, and the same outputs asked whether p(3) + p(4) is
more than p(0) + p(1); there is no second training. Published: RNTN 45.7 and 85.4 % (Socher et al. 2013), Tree-LSTM with
random vectors 43.9 and 82.0 %. TF-IDF and logistic regression learn from the same sentences in the same run.

One JSON line each for TF-IDF, single networks (the mean over the seeds) and the ensemble; exit code 1 when the single
networks are below the bar.
"""
import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import record
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import pellucid
from pellucid.data.trees import Tree, read_trees, root_labels, tree_arrays, tree_labels, vocabulary
from pellucid.losses import AbstractLoss

BARS = {"five classes": 0.44, "binary": 0.825}
AIMS = {"five classes": 0.457, "binary": 0.854}
CLASSES, NEUTRAL = "01234", 2
NETWORK = {"embedding": 150, "hidden": 150, "word_rate": 3.0,
           "dropout": {"embedding": 0.5, "connections": 0.3, "hidden": 0.5}}
TRAINING = {"epochs": 10, "batch_size": 32, "optimiser": "adagrad", "learning_rate": 0.03, "average": 0.998}
LEAST = 2  # how often a word has to occur in the training trees to get a vector of its own


@dataclass(frozen=True)
class RootMistakes(AbstractLoss):
    """The mean of two mistakes at the root: in five classes and, unless it is neutral, in two."""

    name: ClassVar[str] = "root_mistakes"
    task: ClassVar[str] = "classify"

    def per_example(self, outputs: jax.Array, targets: jax.Array) -> jax.Array:
        """0, a half or 1 for each tree; its root is the last node with a label."""
        rows = jnp.arange(len(targets))
        root = jnp.sum(targets >= 0, axis=1) - 1
        chances, label = jax.nn.softmax(outputs[rows, root]), targets[rows, root]
        good = jnp.sum(chances[:, NEUTRAL + 1:], axis=1) > jnp.sum(chances[:, :NEUTRAL], axis=1)
        wrong_side = (label != NEUTRAL) & (good != (label > NEUTRAL))
        return 0.5 * (jnp.argmax(chances, axis=1) != label) + 0.5 * wrong_side


def accuracies(chances: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """In five classes and, without neutral roots, in two."""
    positive = chances[:, NEUTRAL + 1:].sum(axis=1) > chances[:, :NEUTRAL].sum(axis=1)
    sided = labels != NEUTRAL
    return {"five classes": float((chances.argmax(axis=1) == labels).mean()),
            "binary": float((positive == (labels > NEUTRAL))[sided].mean())}


def train(arrays: Mapping[str, tuple], words: int, seed: int, training: Mapping[str, Any]) -> dict[str, Any]:
    """One network: the probabilities of the roots of dev and test trees, and what it took."""
    network = pellucid.networks.Recursive(words, len(CLASSES), **NETWORK, key=jax.random.key(seed))
    inputs, targets = arrays["train"]
    started = time.perf_counter()
    objective = pellucid.objectives.Supervised(pellucid.losses.cross_entropy, RootMistakes())
    fit = pellucid.fit(network, objective, (inputs, targets), validation=arrays["dev"],
                       key=seed, **training)
    found = {"seconds": time.perf_counter() - started, "compile_seconds": fit.compile_seconds,
             "best_epoch": int(np.argmin([epoch.validation_error for epoch in fit.history.epochs[1:]]))}
    for part in ("dev", "test"):
        rows = arrays[part][0]
        logits = fit.predict(rows)[np.arange(len(rows["count"])), rows["count"] - 1].astype(float)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        found[part] = powers / powers.sum(axis=1, keepdims=True)
    record.say(f"seed {seed}: {found['seconds']:.0f} s, epoch {found['best_epoch']}, dev "
               f"{accuracies(found['dev'], root_labels(arrays['dev'][1], arrays['dev'][0]['count']))}")
    return found


def bag_of_words(texts: Mapping[str, list[str]], labels: Mapping[str, np.ndarray]) -> dict[str, float]:
    """TF-IDF of words and pairs of words with logistic regression, its strength chosen on dev, on root labels alone."""
    found = {}
    for name in BARS:
        keep = {part: np.ones(len(own), bool) if name == "five classes" else own != NEUTRAL
                for part, own in labels.items()}
        target = {part: (own if name == "five classes" else own > NEUTRAL)[keep[part]] for part, own in labels.items()}
        rows = {part: [text for text, kept in zip(texts[part], keep[part], strict=True) if kept] for part in texts}
        encoder = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"[^ ]+")
        train_rows = encoder.fit_transform(rows["train"])
        models = [LogisticRegression(C=strength, max_iter=1000).fit(train_rows, target["train"])
                  for strength in (1.0, 3.0, 10.0, 30.0)]
        dev = encoder.transform(rows["dev"])
        best = max(models, key=lambda model: model.score(dev, target["dev"]))
        found[name] = float(best.score(encoder.transform(rows["test"]), target["test"]))
    return found


def line(contender: str, found: Mapping[str, float], needed: Mapping[str, float], **more: Any) -> dict[str, Any]:
    """The JSON line of one contender."""
    return {**record.origin(0), "benchmark": "sentiment of SST test sentences, no pre-trained vectors",
            "contender": contender, "metric": "accuracy", **found, "bar": dict(needed),
            "passed": all(found[name] >= bar for name, bar in needed.items()), **more}


def networks_lines(runs: Sequence[Mapping[str, Any]], labels: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """The lines of the single networks and of the ensemble."""
    each = {part: [accuracies(run[part], labels[part]) for run in runs] for part in ("dev", "test")}
    mean = {part: {name: float(np.mean([one[name] for one in found])) for name in BARS} for part, found in each.items()}
    details = {name: [run[name] for run in runs] for name in ("seconds", "compile_seconds", "best_epoch")}
    joined = {part: accuracies(np.mean([run[part] for run in runs], axis=0), labels[part]) for part in ("dev", "test")}
    settings = {"network": NETWORK, "training": TRAINING}
    return [line("single network", mean["test"], BARS, dev=mean["dev"], each=each["test"], settings=settings,
                 **details),
            line(f"ensemble of {len(runs)}", joined["test"], AIMS, dev=joined["dev"], settings=settings)]


def sentences(trees: Sequence[Tree]) -> list[str]:
    """The words of each tree in one string."""
    return [" ".join(tree.leaves()).lower() for tree in trees]


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="Tell the sentiment of sentences by recursive networks.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with train.txt, dev.txt and test.txt")
    parser.add_argument("--members", type=int, default=5, help="networks, with seeds from 0 on")
    parser.add_argument("--quick", action="store_true", help="few trees, one epoch, two networks")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    trees = {part: read_trees(arguments.data / f"{part}.txt") for part in ("train", "dev", "test")}
    training = dict(TRAINING)
    if arguments.quick:
        trees, training = {part: own[:400] for part, own in trees.items()}, training | {"epochs": 1}
    words, room = vocabulary(trees["train"], least=LEAST), max(len(tree) for own in trees.values() for tree in own)
    arrays = {part: (tree_arrays(own, words, nodes=room, arity=2), tree_labels(own, CLASSES, nodes=room))
              for part, own in trees.items()}
    labels = {part: root_labels(targets, inputs["count"]) for part, (inputs, targets) in arrays.items()}
    seeds = range(2 if arguments.quick else arguments.members)
    baseline = bag_of_words({part: sentences(own) for part, own in trees.items()}, labels)
    runs = [train(arrays, len(words) + 1, seed, training) for seed in seeds]
    lines = [line("TF-IDF and logistic regression", baseline, {}), *networks_lines(runs, labels)]
    for result in lines:
        record.emit(result, arguments.results)
    return int(not lines[1]["passed"])


if __name__ == "__main__":
    sys.exit(main())

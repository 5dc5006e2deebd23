"""What Hopfield networks hold: random patterns, patterns that are alike, and a thousand noisy images.

    python benchmarks/memory.py
    python benchmarks/memory.py --quick

`capacity` stores random patterns by Hebb's rule, 0.10 to 0.20 for each neuron, and recalls each from itself: below
0.138 the overlap with the pattern stays near 1 (Amit, Gutfreund & Sompolinsky 1985), above it breaks down, the more
surely the more neurons. `alike` stores scikit-learn's 8×8 digits as black and white, which are correlated, by both
classical rules and recalls them from themselves and with a tenth of the pixels turned. `noisy` stores 1,000 images of
Fashion-MNIST in a modern memory and recalls them with 30 % of the pixels replaced by random ones, by salt and pepper,
or by other pixels of the same image, without saying which.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import record
import zoo_data

from pellucid.networks import Memory

LOADS, HELD_BELOW, BROKEN_ABOVE = (0.10, 0.12, 0.13, 0.15, 0.17, 0.20), 0.95, 0.6
RECALLED, ASKED = 100, 0.99
DIGITS, TURNED = 20, 0.1
IMAGES, REPLACED, EXACT = 1000, 0.3, 0.01


def overlap(recalled: np.ndarray, patterns: np.ndarray) -> float:
    """The mean of the products of neurons: 1 for the pattern itself, 0 for chance."""
    return float(np.mean(np.asarray(recalled) * patterns))


def capacity(neurons: int, seed: int = 0) -> dict[str, Any]:
    """The overlap after recall for each load."""
    random, found = np.random.default_rng(seed), {}
    begin = time.perf_counter()
    for load in LOADS:
        record.say(f"capacity: {load} patterns a neuron")
        patterns = random.choice((-1.0, 1.0), (round(load * neurons), neurons)).astype(np.float32)
        memory = Memory(neurons, rule="hebbian").store(patterns)
        found[load] = overlap(memory.recall(patterns[:RECALLED]), patterns[:RECALLED])
    held = min(value for load, value in found.items() if load < 0.138)
    broken = found[max(LOADS)]
    return {"benchmark": f"Hebbian storage of random patterns, {neurons} neurons", "metric": "overlap after recall",
            "bar": f"at least {HELD_BELOW} below 0.138 patterns a neuron, at most {BROKEN_ABOVE} at {max(LOADS)}",
            "by_load": found, "seconds": time.perf_counter() - begin,
            "passed": held >= HELD_BELOW and broken <= BROKEN_ABOVE}


def alike(seed: int = 0) -> dict[str, Any]:
    """Digits, which have much in common, by both classical rules."""
    random = np.random.default_rng(seed)
    images, _ = zoo_data.digits()
    patterns = np.where(images.reshape(-1, 64)[random.permutation(len(images))[:DIGITS]] > 0.5, 1.0, -1.0)
    damaged = np.where(random.random(patterns.shape) < TURNED, -patterns, patterns)
    found, begin = {}, time.perf_counter()
    for rule in ("hebbian", "pseudo_inverse"):
        memory = Memory(64, rule=rule).store(patterns)
        kept = float(np.mean(np.all(np.asarray(memory.recall(patterns)) == patterns, axis=1)))
        found[rule] = {"held": kept, "overlap": overlap(memory.recall(patterns), patterns),
                       "overlap_from_damage": overlap(memory.recall(damaged), patterns)}
    together = float(np.mean(np.abs(np.corrcoef(patterns)[np.triu_indices(DIGITS, 1)])))
    return {"benchmark": f"{DIGITS} digits of 8×8 pixels, black and white", "metric": "share held exactly",
            "bar": "all by the pseudo-inverse rule, under a tenth by Hebb's", "correlation": together, **found,
            "damaged_overlap": overlap(damaged, patterns), "seconds": time.perf_counter() - begin,
            "passed": found["pseudo_inverse"]["held"] == 1 and found["hebbian"]["held"] < 0.1}


def noisy(folder: Path, count: int, seed: int = 0) -> dict[str, Any]:
    """A thousand images from a noisy version of each."""
    random = np.random.default_rng(seed)
    images = zoo_data.fashion_mnist(folder)["train"][:count].reshape(count, -1).astype(np.float32) / 255
    hit, values = random.random(images.shape) < REPLACED, random.random(images.shape)
    noises = {"uniform": values, "salt_and_pepper": np.round(values), "shuffled": random.permuted(images, axis=1)}
    memory, recalled, begin = Memory(images.shape[1]).store(images), {}, time.perf_counter()
    for name, noise in noises.items():
        made = np.asarray(memory.recall(np.where(hit, noise, images).astype(np.float32)))
        recalled[name] = float(np.mean(np.abs(made - images).max(axis=1) < EXACT))
    return {"benchmark": f"modern memory of {count:,} images of 28×28, 30 % of the pixels replaced", "bar": ASKED,
            "metric": "share recalled, every pixel within 0.01", "recalled": recalled,
            "seconds": time.perf_counter() - begin, "passed": min(recalled.values()) >= ASKED}


def main() -> int:
    """Run the benchmarks; return the exit code."""
    parser = argparse.ArgumentParser(description="Classical and modern associative memories.")
    parser.add_argument("--data", type=Path, default=zoo_data.FASHION_MNIST, help="folder of Fashion-MNIST")
    parser.add_argument("--neurons", type=int, default=1000, help="of the capacity measurement")
    parser.add_argument("--quick", action="store_true", help="500 neurons")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    lines = [capacity(500 if arguments.quick else arguments.neurons), alike(), noisy(arguments.data, IMAGES)]
    for line in lines:
        record.emit(record.origin(0) | line, arguments.results)
    return int(not all(line["passed"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())

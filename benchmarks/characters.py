"""The next character of a novel, told by an LSTM and by a transformer; the same nets in PyTorch in the same run.

    python benchmarks/characters.py --data austen.txt --peer-python PEERS/bin/python --results results.jsonl
    python benchmarks/characters.py --data austen.txt --quick

`--data` is a plain text file; the last tenth of its characters is held out. Training rows are the windows of 64
characters one after another, each character's target the next one, shuffled anew every epoch: 8 epochs of batches of 64
windows with Adam and a one-cycle schedule. Held-out windows overlap by half, and only their second half counts, so that
every counted character has at least 32 before it. PyTorch (benchmarks/characters_peer.py) trains the same layers from
the same kind of starting weights for the same number of steps on one thread.

One JSON line a network: bits per character of both, over the seeds. Exit code 1 when Pellucid's mean is more than 0.5 %
above PyTorch's.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
import record

import pellucid

BAR = 1.005  # of PyTorch's bits per character
WINDOW, HELD_OUT = 64, 0.1
TRAINING = {"batch_size": 64, "schedule": "one_cycle"}
NETWORKS = {
    "lstm": {"sizes": {"neurons": 128, "embedding": 64}, "learning_rate": 6e-3, "epochs": 8},
    "transformer": {"sizes": {"width": 64, "depth": 2, "heads": 4}, "learning_rate": 6e-3, "epochs": 8},
}


def windows(codes: np.ndarray, stride: int, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of the text and what comes next after each character; -1 for the first `context` of a window."""
    starts = np.arange(0, len(codes) - WINDOW, stride)
    places = starts[:, None] + np.arange(WINDOW)
    targets = codes[places + 1]
    targets[:, :context] = -1
    return codes[places], targets


def prepare(text: str, quick: bool) -> dict[str, np.ndarray]:
    """Codes of characters, cut into training and held-out windows."""
    letters = sorted(set(text))
    number = {letter: code for code, letter in enumerate(letters)}
    codes = np.array([number[letter] for letter in text], np.int32)
    cut = round(len(codes) * (1 - HELD_OUT))
    training, held_out = (codes[:cut], codes[cut:]) if not quick else (codes[:40_000], codes[cut:cut + 10_000])
    inputs, targets = windows(training, WINDOW, 0)
    held_inputs, held_targets = windows(held_out, WINDOW // 2, WINDOW // 2)
    return {"inputs": inputs, "targets": targets, "held_inputs": held_inputs, "held_targets": held_targets,
            "characters": np.array(len(letters))}


def bits(logits: np.ndarray, targets: np.ndarray) -> float:
    """Bits per character over the targets that count."""
    logits = logits.astype(np.float64)
    most = logits.max(axis=-1, keepdims=True)
    log_share = logits - most - np.log(np.exp(logits - most).sum(axis=-1, keepdims=True))
    true = np.take_along_axis(log_share, np.maximum(targets, 0)[..., None], axis=-1)[..., 0]
    return float(-true[targets >= 0].mean() / np.log(2))


def own(name: str, data: dict[str, np.ndarray], settings: dict, seed: int) -> dict[str, float]:
    """Train Pellucid's network and measure it."""
    sizes, characters, key = settings["sizes"], int(data["characters"]), jax.random.key(seed)
    if name == "lstm":
        network = pellucid.networks.Recurrent(characters, (sizes["neurons"],), characters, cell="lstm", output="steps",
                                              codes=True, embedding=sizes["embedding"], key=key)
    else:
        network = pellucid.networks.Transformer(characters, characters, causal=True, output="steps", codes=True,
                                                **sizes, key=key)
    started = time.perf_counter()
    fit = pellucid.fit(network, "cross_entropy", (data["inputs"], data["targets"]), key=seed,
                       learning_rate=settings["learning_rate"], **settings["training"])
    seconds = time.perf_counter() - started
    found = bits(fit.predict(data["held_inputs"]), data["held_targets"])
    last = fit.history.epochs[-1].training_error / np.log(2)
    return {"bits": found, "training_bits": float(last), "seconds": seconds, "compile_seconds": fit.compile_seconds}


def peer(python: str, name: str, data: Path, settings: dict, seed: int) -> dict[str, float]:
    """Let PyTorch train the same network in its own interpreter."""
    script = Path(__file__).with_name("characters_peer.py")
    command = [python, str(script), name, str(data), json.dumps(settings), str(seed)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def line(name: str, settings: dict, ours: list[dict], theirs: list[dict], seeds: int) -> dict:
    """The JSON line of one network."""
    mean = lambda runs: float(np.mean([run["bits"] for run in runs]))  # noqa: E731
    ratio = mean(ours) / mean(theirs) if theirs else None
    return {**record.origin(0), "benchmark": "next character of Pride and Prejudice", "network": name, "seeds": seeds,
            "settings": settings, "metric": "bits per held-out character", "pellucid": mean(ours), "runs": ours,
            "torch": mean(theirs) if theirs else None, "torch_runs": theirs, "ratio": ratio, "bar": BAR,
            "passed": None if ratio is None else ratio <= BAR}


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description="Tell the next character of a novel.")
    parser.add_argument("--data", type=Path, required=True, help="a plain text file")
    parser.add_argument("--peer-python", help="interpreter that has torch; without it no comparison is made")
    parser.add_argument("--networks", default=",".join(NETWORKS), help="comma-separated; both by default")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each")
    parser.add_argument("--quick", action="store_true", help="a small part of the text and one short epoch")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    data = prepare(arguments.data.read_text(encoding="utf-8"), arguments.quick)
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "characters.npz"
        np.savez(path, **data)
        for name in arguments.networks.split(","):
            settings = dict(NETWORKS[name])
            epochs = 1 if arguments.quick else settings.pop("epochs")
            settings["training"] = TRAINING | {"epochs": epochs}
            ours, theirs = [], []
            for seed in range(1 if arguments.quick else arguments.seeds):
                ours.append(own(name, data, settings, seed))
                record.say(f"{name}, seed {seed}: {ours[-1]}")
                if arguments.peer_python:
                    theirs.append(peer(arguments.peer_python, name, path, settings, seed))
                    record.say(f"{name}, seed {seed}, PyTorch: {theirs[-1]}")
            result = line(name, settings, ours, theirs, len(ours))
            record.emit(result, arguments.results)
            passed = passed and result["passed"] is not False
    return int(not (passed or arguments.quick))


if __name__ == "__main__":
    sys.exit(main())

"""The speed of layers in training, against PyTorch in its best layout; each case has a bar.

    python benchmarks/layers.py --peer-python PEERS/bin/python --data sst
    python benchmarks/layers.py --peer-python PEERS/bin/python --families convolution,recurrent

Collects `cases()` of every file in `benchmarks/layer_cases`: convolution, recurrences, and trees, which need the folder
of the Stanford Sentiment Treebank. One JSON line for each case; exit code 1 below a bar. Run it on a machine with
nothing else to do.
"""
import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import record

FOLDER = Path(__file__).with_name("layer_cases")
NEEDS_DATA = ("trees",)


def families() -> list[str]:
    """The files with cases."""
    names = (module.name for module in pkgutil.iter_modules([str(FOLDER)]))
    return [name for name in names if not name.endswith("_peer")]


def main() -> int:
    """Run the cases; return the exit code."""
    parser = argparse.ArgumentParser(description="Time layers in training, Pellucid against PyTorch.")
    parser.add_argument("--peer-python", required=True, help="interpreter that has torch")
    parser.add_argument("--data", type=Path, help="the folder of the sentiment trees, with train.txt")
    parser.add_argument("--families", default=",".join(families()), help="comma-separated; all by default")
    parser.add_argument("--results", type=Path, help="append the lines here")
    arguments = parser.parse_args()
    sys.path.insert(0, str(FOLDER))
    passed = True
    for family in arguments.families.split(","):
        if family in NEEDS_DATA and arguments.data is None:
            record.say(f"{family} left out: pass --data with the folder of the sentiment trees")
            continue
        for case in importlib.import_module(family).cases(arguments.data, arguments.peer_python):
            record.emit({**record.origin(0), "benchmark": "layers", "family": family, **case}, arguments.results)
            passed &= case["passed"]
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())

"""How long the training program of every default network takes to compile, one JSON line each.

    python benchmarks/compile_times.py [--network NAME ...]

Each network is the one that `pellucid describe --network NAME` shows; the compile cache is off. The bar is 5 seconds,
12 for the residual convolutional network and the Transformer.
"""

import argparse
import os

os.environ["PELLUCID_CACHE"] = "off"

import jax
import numpy as np
import record

import pellucid
from pellucid import networks, objectives

ROWS, BATCH, TIME = 128, 64, 64
BAR, LARGE_BAR = 5.0, 12.0
LARGE = ("transformer", "residual")
RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    """Random numbers in [0, 1], one row an example."""
    return RANDOM.random((ROWS, *shape), dtype=np.float32)


def codes(most: int, *shape: int) -> np.ndarray:
    """Random integers below `most`."""
    return RANDOM.integers(0, most, (ROWS, *shape)).astype(np.int32)


def lengths(most: int) -> np.ndarray:
    """Random lengths from 1 on."""
    return RANDOM.integers(1, most + 1, ROWS).astype(np.int32)


def chains(nodes: int) -> dict[str, np.ndarray]:
    """Trees whose every inner node joins all before it with one more leaf."""
    children = np.full((ROWS, nodes, 2), -1, np.int32)
    inner = np.arange(2, nodes, 2)
    children[:, inner, 0], children[:, inner, 1] = inner - 2, inner - 1
    children[:, 2, 0] = 0
    return {"tokens": codes(1000, nodes), "children": children, "count": np.full(ROWS, nodes, np.int32)}


def rings(nodes: int, node_features: int, edge_features: int) -> dict[str, np.ndarray]:
    """Graphs whose nodes form a ring."""
    ends = np.stack([np.arange(nodes), (np.arange(nodes) + 1) % nodes], axis=1).astype(np.int32)
    both = np.concatenate([ends, ends[:, ::-1]], axis=1).reshape(-1, 2)
    return {"nodes": numbers(nodes, node_features), "edges": np.tile(both, (ROWS, 1, 1)),
            "edge_features": numbers(2 * nodes, edge_features), "node_count": np.full(ROWS, nodes, np.int32),
            "edge_count": np.full(ROWS, 2 * nodes, np.int32)}


def lessons() -> dict[str, tuple]:
    """Name to (specification beside the sample's, objective, data)."""
    loss, image = "cross_entropy", numbers(784)
    return {
        "feedforward": ({}, loss, (numbers(30), codes(2))),
        "tabular": ({}, loss, ({"numbers": numbers(7), "codes": codes(3, 3)}, codes(2))),
        "convolutional": ({}, loss, (numbers(28, 28, 1), codes(10))),
        "residual": ({"residual": True}, loss, (numbers(28, 28, 1), codes(10))),
        "recurrent": ({}, loss, ({"values": numbers(TIME, 9), "lengths": lengths(TIME)}, codes(6))),
        "transformer": ({}, loss, ({"codes": codes(96, TIME), "lengths": lengths(TIME)},
                                                   codes(96, TIME))),
        "convolutional_recurrent": ({}, "mean_squared", (numbers(10, 16, 16, 1), numbers(16, 16, 1))),
        "recursive": ({}, loss, (chains(31), codes(5, 31))),
        "graph": ({}, "mean_squared", (rings(24, 35, 9), numbers(1))),
        "restricted_boltzmann_machine": ({}, objectives.ContrastiveDivergence(), image),
        "autoencoder": ({}, objectives.Reconstruction(), image),
        "variational_autoencoder": ({}, objectives.EvidenceBound(), image),
        "adversarial": ({}, objectives.RelativisticPairing(), {"values": numbers(28, 28, 1), "labels": codes(10)}),
    }


def main() -> None:
    """Compile and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="*", help="only these")
    chosen = parser.parse_args().network
    for name, (more, objective, data) in lessons().items():
        if chosen and name not in chosen:
            continue
        spec = networks.sample("convolutional" if name == "residual" else name, more).spec()
        network = networks.build(spec, key=jax.random.key(0))
        fit = pellucid.fit(network, objective, data, epochs=0, batch_size=BATCH)
        bar = LARGE_BAR if name in LARGE else BAR
        record.emit(record.origin(0) | {
            "benchmark": "compile times", "network": name, "metric": "seconds of compilation", "bar": bar,
            "pellucid": round(fit.compile_seconds, 2), "passed": fit.compile_seconds < bar})


if __name__ == "__main__":
    main()

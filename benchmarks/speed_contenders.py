"""What benchmarks/speed.py times: the same small network, trained by Pellucid and by its peers.

Each contender is a function from the data to a `Run`; a `Run` trains a fresh network from a seed and
returns the seconds that took and the accuracy on the test rows. speed.py starts this file once for each
contender, in the interpreter where its package lives, and talks to it line by line: a seed in, one JSON
line out.

    python benchmarks/speed_contenders.py NAME DATA.npz EPOCHS
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

HIDDEN = (64, 64)
NUM_CLASSES = 2
BATCH_SIZE = 32
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Data:
    """Rows to train on and rows to test on: float32 inputs, int32 classes."""

    inputs: np.ndarray
    classes: np.ndarray
    test_inputs: np.ndarray
    test_classes: np.ndarray

    @property
    def steps_per_epoch(self) -> int:
        """Return how many batches one pass over the training rows takes."""
        return -(-len(self.inputs) // BATCH_SIZE)

    def accuracy(self, chosen: np.ndarray) -> float:
        """Return the share of test rows whose class was chosen rightly."""
        return float(np.mean(np.asarray(chosen) == self.test_classes))


Run = Callable[[int], tuple[float, float]]


def pellucid(data: Data, epochs: int) -> Run:
    """Pellucid's compiled training loop."""
    import jax

    import pellucid

    def run(seed: int) -> tuple[float, float]:
        network_key, fit_key = jax.random.split(jax.random.key(seed))
        network = pellucid.networks.Feedforward(
            in_features=data.inputs.shape[1], hidden=HIDDEN, out_features=NUM_CLASSES, key=network_key
        )
        started = time.perf_counter()
        result = pellucid.fit(
            network,
            pellucid.losses.cross_entropy,
            (data.inputs, data.classes),
            epochs=epochs,
            batch_size=BATCH_SIZE,
            key=fit_key,
        )
        jax.block_until_ready(result.network)
        seconds = time.perf_counter() - started
        logits, _ = result.network(data.test_inputs, state=None, key=None, training=False)
        return seconds, data.accuracy(np.asarray(logits).argmax(axis=1))

    return run


def sklearn(data: Data, epochs: int) -> Run:
    """scikit-learn's MLPClassifier, told never to stop early (it has one logistic output instead of two)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)

    def run(seed: int) -> tuple[float, float]:
        model = MLPClassifier(
            HIDDEN, batch_size=BATCH_SIZE, max_iter=epochs, tol=0.0, n_iter_no_change=epochs + 1, random_state=seed
        )
        started = time.perf_counter()
        model.fit(data.inputs, data.classes)
        return time.perf_counter() - started, data.accuracy(model.predict(data.test_inputs))

    return run


def torch(data: Data, epochs: int) -> Run:
    """PyTorch, eager, with a plain loop over shuffled rows held in one tensor."""
    import torch

    torch.set_num_threads(1)  # a second thread only costs at this size
    inputs, classes = torch.from_numpy(data.inputs), torch.from_numpy(data.classes.astype(np.int64))

    def run(seed: int) -> tuple[float, float]:
        torch.manual_seed(seed)
        network = _torch_network(torch, inputs.shape[1])
        optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        started = time.perf_counter()
        for _ in range(epochs):
            for rows in torch.randperm(len(inputs)).split(BATCH_SIZE):
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(network(inputs[rows]), classes[rows]).backward()
                optimiser.step()
        seconds = time.perf_counter() - started
        with torch.no_grad():
            logits = network(torch.from_numpy(data.test_inputs))
        return seconds, data.accuracy(logits.argmax(dim=1).numpy())

    return run


def _torch_network(torch: Any, in_features: int) -> Any:
    first, second = HIDDEN
    return torch.nn.Sequential(
        torch.nn.Linear(in_features, first),
        torch.nn.ReLU(),
        torch.nn.Linear(first, second),
        torch.nn.ReLU(),
        torch.nn.Linear(second, NUM_CLASSES),
    )


def keras(data: Data, epochs: int) -> Run:
    """Keras 3 on JAX (KERAS_BACKEND) with a whole epoch in one execution.

    The model is compiled once and set back to fresh weights for each run, as compiling again is slow.
    """
    import keras

    model = keras.Sequential(
        [
            keras.Input((data.inputs.shape[1],)),
            *(keras.layers.Dense(units, activation="relu") for units in HIDDEN),
            keras.layers.Dense(NUM_CLASSES),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=data.steps_per_epoch,
    )

    def run(seed: int) -> tuple[float, float]:
        keras.utils.set_random_seed(seed)
        _keras_restart(keras, model)
        started = time.perf_counter()
        model.fit(data.inputs, data.classes, epochs=epochs, batch_size=BATCH_SIZE, verbose=0)
        seconds = time.perf_counter() - started
        logits = model.predict(data.test_inputs, batch_size=len(data.test_inputs), verbose=0)
        return seconds, data.accuracy(logits.argmax(axis=1))

    return run


def _keras_restart(keras: Any, model: Any) -> None:
    for layer in model.layers:
        layer.kernel.assign(keras.initializers.GlorotUniform()(layer.kernel.shape))
        layer.bias.assign(np.zeros(layer.bias.shape, np.float32))
    for variable in model.optimizer.variables:
        if "learning_rate" not in variable.path:
            variable.assign(np.zeros(variable.shape, variable.dtype))


CONTENDERS: dict[str, Callable[[Data, int], Run]] = {
    "pellucid": pellucid,
    "sklearn": sklearn,
    "torch": torch,
    "keras": keras,
}


def serve(name: str, data: Data, epochs: int) -> None:
    """Train once for every seed that comes in, and answer with a JSON line."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # what a library prints must not mix with the answers
    run = CONTENDERS[name](data, epochs)
    for line in sys.stdin:
        seconds, accuracy = run(int(line))
        steps = epochs * data.steps_per_epoch
        print(json.dumps({"seconds": seconds, "accuracy": accuracy, "steps": steps}), file=answers, flush=True)


if __name__ == "__main__":
    with np.load(sys.argv[2]) as file:
        serve(sys.argv[1], Data(**file), int(sys.argv[3]))

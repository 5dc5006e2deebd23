"""Restricted Boltzmann machines, belief networks, autoencoders, memories: networks that learn without answers."""
import numpy as np

from pellucid.networks import Autoencoder, BeliefNetwork, Memory, RestrictedBoltzmannMachine, VariationalAutoencoder

ROWS, OUT = 6, 3
RANDOM = np.random.default_rng(3)
SHARES = RANDOM.random((ROWS, 5)).astype(np.float32)
THREE = RANDOM.random((ROWS, OUT)).astype(np.float32)
PIXELS = RANDOM.integers(0, 256, (ROWS, 2, 4), dtype=np.uint8)
SIGNS = np.sign(RANDOM.normal(size=(ROWS, OUT))).astype(np.float32)

CASES = {
    "restricted Boltzmann machine": (lambda key: RestrictedBoltzmannMachine(8, OUT, key=key), PIXELS),
    "Gaussian machine": (lambda key: RestrictedBoltzmannMachine(5, OUT, visible_kind="gaussian", key=key), SHARES),
    "belief network": (lambda key: BeliefNetwork(5, (7, 4, OUT), key=key), SHARES),
    "autoencoder": (lambda key: Autoencoder(OUT, (8, 6), 2, normalisation="batch", dropout=0.1, key=key), THREE),
    "autoencoder, residual": (lambda key: Autoencoder(OUT, (8,), 2, residual=True, skip=True, key=key), THREE),
    "variational": (lambda key: VariationalAutoencoder(OUT, (8,), 2, key=key), THREE),
    "variational, Gaussian": (lambda key: VariationalAutoencoder(OUT, (8,), 2, output="gaussian",
                                                                 normalisation="layer", key=key), THREE),
    "memory": (lambda key: Memory(OUT, patterns=4, key=key), THREE),
    "memory, Hebbian": (lambda key: Memory(OUT, rule="hebbian", patterns=2, key=key), SIGNS),
    "memory, pseudo-inverse": (lambda key: Memory(OUT, rule="pseudo_inverse", patterns=2, update="synchronous",
                                                  key=key), SIGNS),
}

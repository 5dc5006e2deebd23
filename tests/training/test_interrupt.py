"""Ctrl-C ends training politely; signals are as before afterwards."""
from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pellucid.training.interrupt import InterruptGuard

SCRIPT = """
import os, signal, sys, threading
import jax, numpy as np, pellucid
from pellucid.training import Watch
before = signal.getsignal(signal.SIGINT)
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 3)).astype("float32")
begun = threading.Event()
def wait_and_send():
    begun.wait()
    os.kill(os.getpid(), signal.{name})
threading.Thread(target=wait_and_send, daemon=True).start()
net = pellucid.networks.Feedforward(3, (), 1, key=jax.random.key(0))
watching = Watch(callbacks=(lambda epoch: begun.set() if epoch.epoch == 3 else None,))
fit = pellucid.fit(net, "mean_squared", (x, x[:, :1]), epochs=1_000_000, watch=watching)
restored = signal.getsignal(signal.SIGINT) is before
print(fit.ending, len(fit.history) > 1, fit.predict(x).shape, restored)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_training_with_a_network_that_predicts(name):
    found = subprocess.run([sys.executable, "-c", SCRIPT.format(name=name)], capture_output=True, text=True,
                           timeout=120, env={**os.environ, "JAX_PLATFORMS": "cpu"})
    assert found.stdout.split("\n")[0] == "interrupted True (64, 1) True", found.stderr
    assert found.stderr == ""


def test_the_second_signal_interrupts_at_once():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), InterruptGuard() as guard:
        os.kill(os.getpid(), signal.SIGINT)
        assert guard.asked
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_from_outside_python_does_not_break_leaving(monkeypatch):
    guard = InterruptGuard()
    with guard:
        guard._before[signal.SIGTERM] = None
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

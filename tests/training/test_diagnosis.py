"""Each sentence of the diagnosis is said when it is true, and none of a healthy run."""
from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.training.diagnosis import diagnose
from pellucid.training.history import Epoch, History


def history(training, validation=None, norms=None, failures=(0,), best=None):
    validation = [float("nan")] * len(training) if validation is None else validation
    epochs = tuple(Epoch(row - 1, row * 4, float(a), float(b), 0.0)
                   for row, (a, b) in enumerate(zip(training, validation, strict=True)))
    members = {} if norms is None else {"gradient_norm": np.array(norms, float)[:, None]}
    known = np.isfinite(validation).any()
    best = (int(np.nanargmin(validation)) - 1 if known else len(training) - 2) if best is None else best
    error = float(np.nanmin(validation)) if known else float(training[-1])
    return History(epochs, members, (best,), (error,), failures)


FALLING = np.geomspace(1, 0.1, 21)
HEALTHY = history(FALLING, np.concatenate([FALLING[:15] + 0.1, [FALLING[14] + 0.1] * 6]), np.geomspace(5, 0.5, 21))


def said(record, **known):
    return " ".join(diagnose(record, learning_rate=0.01, epochs=20, **known))


def test_nothing_is_said_of_a_healthy_run():
    assert said(HEALTHY, dead_share=0.02, plain_error=0.9) == ""
    assert said(history(FALLING)) == ""


@pytest.mark.parametrize(("record", "known", "words"), [
    (history(FALLING, failures=(2, 1)), {}, "3 training steps gave a number that is not finite"),
    (history([1.0] * 21), {}, "did not fall"),
    (history(np.linspace(1, 3, 21)), {}, "The training error rose (from 1 to 3)"),
    (history(FALLING, [0.7] * 21), {"plain_error": 0.69}, "may carry no signal"),
    (history(FALLING, np.concatenate([FALLING[:8], np.linspace(0.5, 1.5, 13)])), {}, "Over-fitting from epoch 6 on"),
    (history(FALLING, FALLING), {}, "still falling at the last epoch: more than 20 epochs"),
    (history(FALLING, norms=np.geomspace(1, 1e4, 21)), {}, "Gradients grew to"),
    (HEALTHY, {"dead_share": 0.5}, "50% of the hidden neurons give the same value"),
])
def test_each_sentence_is_said_alone(record, known, words):
    found = diagnose(record, learning_rate=0.01, epochs=20, **known)
    assert len(found) == 1 and words in found[0], found


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_records_are_fine(count):
    assert said(history([1.0, 0.5, 0.4][:count], [1.0, 0.6, 0.5][:count])) == ""


def test_a_record_of_nothing_but_nan():
    nothing = [float("nan")] * 8
    assert said(history(nothing, nothing, nothing, best=-1)) == ""


def test_a_real_healthy_run(toy, tiny):
    x, y = toy
    noise = 0.5 * np.random.default_rng(3).normal(size=y.shape).astype("float32")
    fit = pellucid.fit(tiny(), "mean_squared", (x[:90], (y + noise)[:90]), validation=(x[90:], (y + noise)[90:]),
                       learning_rate=0.03, epochs=150)
    assert fit.diagnosis == ()

"""What a user sees while training."""
from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from pellucid.training import Plan, Watch, run
from pellucid.training.history import Epoch, History
from pellucid.training.progress import Terminal


def console(terminal=False):
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_on_a_terminal(probe, made, terminal):
    screen = console(terminal)
    data, rows = made(8, held_out=4)
    run(probe(40), probe(40).start(1, 4), data, rows, Plan(epochs=1000, batch_size=4), Watch(Terminal(screen, every=0)))
    text = screen.file.getvalue()
    assert "at most 1,000 epochs of 2 iterations" in text
    assert "predicted: at most" in text and "MB of memory" in text
    assert "trained: 1000 epochs, 2000 iterations" in text and "all epochs done" in text
    if not terminal:
        assert "epoch 999, iteration 2000 of 2000: error" in text and "/s" in text and " left" in text
        assert "\x1b" not in text
    assert text.index("predicted") < text.index("trained")


def test_lines_tell_error_delta_speed_and_time_left():
    screen = console()
    watch = Terminal(screen, every=0)
    watch.begin(10, 5)
    epochs = [Epoch(-1, 0, 2.0, 3.0, 0.0), Epoch(0, 5, 1.0, 2.5, 0.1)]
    watch.show(5, epochs, 1234.5, 300.0)
    assert "epoch 0, iteration 5 of 50: error 2.5 (-5.0e-01), 1,234/s, at most 5 min left" in screen.file.getvalue()


def test_lines_come_seldom():
    screen = console()
    watch = Terminal(screen)
    watch.begin(10, 5)
    for _ in range(100):
        watch.show(5, [Epoch(-1, 0, 2.0, np.nan, 0.0)], 10.0, 1.0)
    assert screen.file.getvalue().count("\n") == 1


def test_the_bar_is_taken_away_when_something_breaks(probe, made):
    def broken(epoch):
        raise RuntimeError("broken")

    watch = Terminal(console(True))
    data, rows = made(8)
    with pytest.raises(RuntimeError, match="broken"):
        run(probe(40), probe(40).start(1, 4), data, rows, Plan(epochs=1, batch_size=4), Watch(watch, (broken,)))
    assert watch._bar is None


def test_the_record_as_text():
    history = History(epochs=(Epoch(-1, 0, 2.0, float("nan"), 0.0), Epoch(0, 5, 1.5, 2.5, 0.25)))
    assert history.to_csv() == ("epoch,iteration,training_error,validation_error,seconds\n"
                                "-1,0,2,,0.000\n0,5,1.5,2.5,0.250\n")

"""`pellucid train`: from a table to a run folder."""
from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any

from pellucid.cli.device import require_device
from pellucid.cli.output import print_json, print_pretty, say_notes
from pellucid.cli.trouble import INTERRUPTED, say
from pellucid.data.table import Table
from pellucid.report.terminal import render
from pellucid.tasks.run import Run
from pellucid.tasks.train import train
from pellucid.training.progress import Silent, Terminal

HIDDEN_NOTES = ("target_guessed",)  # said with what it means, not among the other notes


def run(data: str | Table, target: str | None, run: str | None, resume: bool, as_json: bool, quiet: bool,
        verbose: bool, settings: Mapping[str, Any]) -> int:
    """Train, and print the verdict, the comparison and where everything is."""
    require_device(settings.get("device"))
    finished = train(data, target, run=run, resume=resume, progress=Silent() if quiet else Terminal(), **settings)
    if as_json:
        print_json(as_record(finished))
    elif not quiet:
        print_pretty(render(finished.result))
    if not quiet:
        _say_the_rest(finished, verbose)
    return INTERRUPTED if finished.ending == "interrupted" else 0


def as_record(finished: Run) -> dict[str, Any]:
    """metrics.json and where everything is."""
    folder = finished.folder
    return {**finished.metrics, "ending": finished.ending, "run": str(folder), "model": str(folder / "model.pellucid"),
            "report": str(folder / "report.html")}


def _say_the_rest(finished: Run, verbose: bool) -> None:
    folder, notes = finished.folder, finished.result.notes
    for note in notes:
        if note.kind in HIDDEN_NOTES:
            say("note", note.message + " Choose another one with --target.", "cyan")
    if verbose:
        say_notes((note for note in notes if note.kind not in HIDDEN_NOTES and note.severity != "warning"),
                  everything=True)
        for sentence in finished.result.diagnosis:
            say("diagnosis", sentence, "cyan")
    if finished.ending == "interrupted":
        say("interrupted", "the model holds what was learned so far; go on with "
            f"--resume --run {shlex.quote(str(folder))}", "yellow")
    print(f"model:   {folder / 'model.pellucid'}\nreport:  {folder / 'report.html'}", file=sys.stderr)

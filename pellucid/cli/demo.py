"""`pellucid demo`: the whole way on the bundled German-credit table."""
from __future__ import annotations

import shlex
import sys
from pathlib import Path

from pellucid.cli.output import print_json, print_pretty
from pellucid.cli.train import as_record
from pellucid.cli.trouble import INTERRUPTED
from pellucid.report.terminal import render
from pellucid.tasks.train import train
from pellucid.training.progress import Silent, Terminal

TABLE = Path(__file__).parent.parent / "bundled" / "german_credit.csv"
ABOUT = """\
German credit: 1,000 clients of a bank, 20 columns about each. Will the credit turn out good or bad?
(Statlog, Hofmann 1994, UCI, CC BY 4.0)
"""


def run(run: str | None, as_json: bool, quiet: bool) -> int:
    """Train, print the result, and say what to try next."""
    if not quiet:
        print(ABOUT, file=sys.stderr)
    finished = train(TABLE, "creditability", run=run, progress=Silent() if quiet else Terminal())
    if as_json:
        print_json(as_record(finished))
    elif not quiet:
        model = shlex.quote(str(finished.folder / "model.pellucid"))
        print_pretty(render(finished.result))
        print(f"""
Try next:
  pellucid predict {model} {shlex.quote(str(TABLE))} --output predictions.csv
  pellucid describe {model}
  pellucid train YOUR_TABLE.csv --target COLUMN

model:   {finished.folder / 'model.pellucid'}
report:  {finished.folder / 'report.html'}  (open it in a browser)""")
    return INTERRUPTED if finished.ending == "interrupted" else 0

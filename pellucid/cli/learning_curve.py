"""`pellucid learning-curve`: whether more data would help."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table as Grid
from rich.text import Text

from pellucid.cli.device import require_device
from pellucid.cli.output import print_json, print_pretty, writing
from pellucid.cli.trouble import say
from pellucid.data.table import Table
from pellucid.model.metrics import metrics
from pellucid.report import words
from pellucid.report.growth import FACTORS, Growth, render
from pellucid.tasks.learning_curve import learning_curve


def run(data: str | Table, target: str | None, html: str | None, as_json: bool, quiet: bool,
        settings: Mapping[str, Any]) -> None:
    """Print the verdict, what was measured and what is forecast; write the page if asked to."""
    require_device(settings.get("device"))
    found = learning_curve(data, target, progress=None if quiet else lambda line: say("trained", line, "cyan"),
                           **settings)
    if html is not None:
        with writing(html) as file:
            file.write(render(found))
    if as_json:
        print_json(found.to_json())
    else:
        print_pretty(*_shown(found))
    if html is not None and not quiet:
        say("done", f"the curve is drawn in `{html}`", "green")


def _shown(found: Growth) -> tuple[Any, ...]:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("training rows", metrics[found.metric].label, "", ""):
        grid.add_column(name, justify="right")
    for size, own in zip(found.sizes, found.scores, strict=True):
        grid.add_row(f"{size:,}", words.score(found.metric, float(own.mean())),
                     f"{words.score(found.metric, float(own.min()))} to {words.score(found.metric, float(own.max()))}",
                     "measured")
    for factor in FACTORS:
        one = found.forecast(factor * found.rows)
        grid.add_row(f"{factor * found.rows:,}", words.score(found.metric, one["score"]),
                     f"{words.score(found.metric, one['low'])} to {words.score(found.metric, one['high'])}", "forecast")
    verdict, *others = found.sentences()
    return Text(verdict, style="bold"), *(Text(line) for line in others), grid

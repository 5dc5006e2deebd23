"""A result for terminals: the verdict and a compact table."""
from __future__ import annotations

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pellucid.model.metrics import metrics, metrics_of
from pellucid.report import words
from pellucid.report.result import Contender, Result

SHOWN = {"embed": ("neighbour_agreement", "explained"),
         "detect": ("roc_auc", "average_precision", "recall_at_rate"),
         "classify": ("roc_auc", "accuracy", "log_loss"), "regress": ("rmse", "mae", "r2"),
         "recommend": ("rmse", "recall_at_10", "ndcg_at_10")}
COLOURS = {"beats": "green", "on par": "yellow", "worse": "red", "alone": "yellow"}


def shown_metrics(result: Result) -> tuple[str, ...]:
    """The metrics that fit a narrow table, the deciding one first."""
    names = dict.fromkeys((result.metric, *SHOWN.get(result.task, metrics_of(result.task)[:3])))
    return tuple(name for name in names if result.network.metrics.get(name) is not None or name == result.metric)


def best_of(result: Result, metric: str) -> set[str]:
    """The names of the contenders that show the best value."""
    values = {one.name: one.metrics.get(metric) for one in result.contenders}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return set()
    best = (max if metrics[metric].higher else min)(known.values())
    return {name for name, value in known.items() if words.score(metric, value) == words.score(metric, best)}


def render(result: Result) -> Group:
    """The verdict, network and plain methods, warnings: something that a rich console prints.

    Args:
        result: the record of the run.
    """
    names = shown_metrics(result)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("test rows: " + f"{result.rows.get('test', 0):,}")
    for name in names:
        table.add_column(metrics[name].label + (" ↑" if metrics[name].higher else " ↓"), justify="right")
    table.add_column("fitting", justify="right")
    for contender in result.contenders:
        table.add_row(*_cells(result, contender, names), style="bold" if contender is result.network else "")
    parts = [Text(result.verdict.headline, style=f"bold {COLOURS[result.verdict.outcome]}"),
             *(Text(sentence) for sentence in result.verdict.sentences[1:]), Padding(table, (1, 0, 0, 0))]
    if result.decision is not None:
        parts += [Text(f"Deciding by {rule.rule}: a mean cost of {words.number(rule.cost)} for each row.")
                  for rule in result.decision.rules]
    parts += [Text.assemble(("warning: ", "yellow"), note.message) for note in result.notes
              if note.severity == "warning"]
    return Group(*parts)


def _cells(result: Result, contender: Contender, names: tuple[str, ...]) -> list[Text]:
    cells = [Text(contender.label)]
    for name in names:
        best = contender.name in best_of(result, name)
        cells.append(Text(words.score(name, contender.metrics.get(name)) + (" *" if best else "  ")))
    return [*cells, Text(words.seconds(contender.seconds))]


def to_text(result: Result, width: int = 100) -> str:
    """The same as plain text without colours, for logs and files."""
    console = Console(width=width, no_color=True, force_terminal=False, highlight=False)
    with console.capture() as capture:
        console.print(render(result))
    return capture.get()

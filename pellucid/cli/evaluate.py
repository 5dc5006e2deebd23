"""`pellucid evaluate`: the quality of a model on rows with known answers."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from pellucid.cli.device import require_device
from pellucid.cli.output import print_json, print_pretty
from pellucid.model.load import load
from pellucid.model.metrics import metrics


def run(model: str, data: str, as_json: bool, settings: Mapping[str, Any]) -> None:
    """Print the metrics as a table or as JSON."""
    require_device(settings.get("device"))
    found = load(model).evaluate(data)
    if as_json:
        print_json(found)
        return
    left_out = f" ({found['left_out']:,} without a known answer left out)" if found["left_out"] else ""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("metric")
    grid.add_column("value", justify="right")
    for name, value in found["metrics"].items():
        known = metrics.get(name)
        grid.add_row(known.label if known else name, "not defined" if value is None else f"{value:.4g}")
    head = f"{found['rows']:,} rows with a known `{found['target']}`{left_out}"
    print_pretty(head, grid, *_promise(found["promise"]))


def _promise(promise: Mapping[str, Any]) -> list[str]:
    if not promise:
        return []
    noun = "prediction sets" if "mean_set_size" in promise else "intervals"
    said = [f"The {noun} held the truth in {promise['coverage_measured']:.1%} of the rows; promised were "
            f"{promise['coverage_promised']:.1%}."]
    said += [f"  {name}: {group['coverage_measured']:.1%} of {group['rows']:,} rows (95 % interval {group['low']:.1%} "
             f"to {group['high']:.1%})" for name, group in promise.get("groups", {}).items()]
    if found := promise.get("answered"):
        error = "" if found["error_measured"] is None else f"; {found['error_measured']:.1%} of the answers were wrong"
        said.append(f"Answered were {found['share_answered']:.1%} of the rows{error}.")
    return said

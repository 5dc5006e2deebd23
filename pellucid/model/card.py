"""A page about a model for people, and plain values for files."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_values(value: Any) -> Any:
    """JSON values for arrays, tuples and NumPy scalars; numbers that are not finite become `None`."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain_values(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain_values(value.tolist())
    if isinstance(value, np.generic):
        return plain_values(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def model_card(model: Any) -> str:
    """Markdown: what the model predicts, from what, how well, and what it does not hold."""
    metrics = model.metrics.get("network", {})
    lines = ["# A trained model", "", *model.about_lines(), "",
             f"Task: {model.task}. Networks: {len(model.members)}. Made by Pellucid "
             f"{model.about.get('versions', {}).get('pellucid', '')}.", "", "## Columns", ""]
    lines += [f"- `{feature.name}`: {feature.kind}" + (f" ({feature.reason})" if feature.reason else "")
              for feature in model.features]
    lines += ["", "## Quality on rows that were kept for the test", ""]
    lines += [f"- {name}: {value:.4g}" for name, value in metrics.items() if value is not None] or ["Not measured."]
    lines += ["", "## What is inside", "",
              model.inside, ""]
    return "\n".join(lines)

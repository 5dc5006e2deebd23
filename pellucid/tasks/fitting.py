"""Settings that only some tasks know: given for another one, they are refused instead of ignored."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pellucid.core.declared import TRAIN
from pellucid.errors import SettingsError

PLAIN = ("classify", "regress")
TASKS_OF = {
    **dict.fromkeys(("start", "keep_examples", "coverage_group"), PLAIN),
    **dict.fromkeys(("threshold", "costs", "risk"), ("classify",)),
    "positive": ("classify", "detect"),
}
GROUPS = ("forecast", "recommend", "verify", "detect")
"""Groups of settings that are named after the one task that they are for."""


def refuse_what_does_not_fit(settings: Mapping[str, Any], task: str) -> None:
    """`SettingsError` where a setting that was changed is for other tasks than `task`.

    Example:
        >>> refuse_what_does_not_fit({"horizon": None, "seed": 3}, "classify")
    """
    for name, value in settings.items():
        declared = TRAIN[name]
        tasks = (declared.group,) if declared.group in GROUPS else TASKS_OF.get(name)
        if tasks is None or task in tasks or value == declared.default:
            continue
        raise SettingsError(f"`{name}` was `{value}`, but the task is to {task}; this setting is for "
                            f"{' and '.join(tasks)}.", f"leave {name} out, or name the task, such as --task {tasks[0]}")

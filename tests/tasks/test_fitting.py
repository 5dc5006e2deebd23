"""Settings for another task are refused, not ignored."""
import pytest

from pellucid.core.declared import TRAIN
from pellucid.core.names import TASKS
from pellucid.errors import SettingsError
from pellucid.tasks.fitting import GROUPS, TASKS_OF, refuse_what_does_not_fit

DEFAULTS = TRAIN.check({})


@pytest.mark.parametrize("task", TASKS)
def test_defaults_fit_every_task(task):
    refuse_what_does_not_fit(DEFAULTS, task)


@pytest.mark.parametrize(("name", "value", "task"), [
    ("horizon", 5, "classify"), ("risk", 0.1, "forecast"), ("coverage_group", "x", "detect"), ("start", "m", "embed"),
    ("false_accepts", 0.1, "regress"), ("top", 5, "classify"), ("keep_examples", True, "recommend"),
])
def test_a_setting_for_another_task_is_refused(name, value, task):
    with pytest.raises(SettingsError, match=f"`{name}` was `{value}`"):
        refuse_what_does_not_fit({**DEFAULTS, name: value}, task)


def test_names_are_those_of_settings_and_tasks():
    assert {*TASKS_OF} <= {setting.name for setting in TRAIN.values()} and {*GROUPS} <= {*TASKS}
    assert {setting.group for setting in TRAIN.values()} >= {*GROUPS}

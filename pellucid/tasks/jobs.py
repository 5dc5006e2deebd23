"""All jobs by the name of their task, and which of them a table asks for."""
from __future__ import annotations

from pellucid.core.registry import Registry
from pellucid.data.table import Table
from pellucid.tasks.detect.job import DETECT
from pellucid.tasks.embed.job import EMBED
from pellucid.tasks.forecast.job import FORECAST
from pellucid.tasks.job import Job
from pellucid.tasks.recommend.job import RECOMMEND
from pellucid.tasks.verify.job import VERIFY

jobs: Registry[Job] = Registry("task")
for _job in (FORECAST, RECOMMEND, VERIFY, DETECT, EMBED):
    jobs.add(_job.task, _job)


def find_job(table: Table, target: str | None, task: str | None) -> tuple[Job | None, str]:
    """The job that was asked for, or that the data ask for, and why; `None` for classifying and regressing."""
    if task is not None:
        return jobs.get(task), "as asked for"
    for job in jobs.values():
        reason = job.recognise(table, target)
        if reason is not None:
            return job, reason
    return None, ""

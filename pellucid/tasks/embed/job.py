"""`pellucid.train` for codes: learn what goes with what, name groups that are more than chance, and judge by what was
hidden."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.data.table import Table
from pellucid.tasks.embed.groups import describe, find_groups, name_of
from pellucid.tasks.embed.judge import judge
from pellucid.tasks.embed.learn import Learned, Prepared, learn, prepare, resolve
from pellucid.tasks.embed.telling import Story, groups_of, tell
from pellucid.tasks.job import Finished, Job, Order

FEW_TEST_ROWS = 100
"""With fewer test rows groups are described by all rows."""


def recognise(table: Table, target: str | None) -> str | None:
    """Never by itself: most tables are meant to have a target."""
    return None


def run(order: Order) -> Finished:
    """Train and judge; see `Job`."""
    with order.stages.timed("reading"):
        prepared = prepare(order)
        settings = resolve(order.settings, len(prepared.train))
    with order.stages.timed("training"):
        learned = learn(prepared, settings, order.watch)
    order.keep(learned.model)
    with order.stages.timed("judging"):
        evidence = judge(prepared, learned)
    with order.stages.timed("groups"):
        learned, found, traits = _grouped(prepared, learned)
    order.keep(learned.model)
    codes = learned.model.predict(prepared.table)
    return tell(Story(order, prepared, learned, evidence, found, traits, codes))


def _grouped(prepared: Prepared, learned: Learned) -> tuple[Learned, object, list]:
    """The model with its groups, where there are any."""
    model, seed = learned.model, learned.model.settings["seed"]
    found = find_groups(model, learned.train, seed)
    if not found.real:
        return learned, found, []
    model = model.with_groups(found.centres, ())
    group = model.group_of(model.codes(np.concatenate([learned.train, learned.test])))
    rows = np.concatenate([prepared.train, prepared.test])
    asked = slice(len(prepared.train), None) if len(prepared.test) >= FEW_TEST_ROWS else slice(None)
    traits = describe(prepared.table.take(rows[asked]), group[asked], model.features, len(found.centres),
                      prepared.target)
    names: list[str] = []
    for number, own in enumerate(traits):
        names.append(name_of(own, number, names))
    sizes = np.bincount(group, minlength=len(found.centres))
    model = model.with_groups(found.centres, groups_of(found, traits, sizes, names))
    return replace(learned, model=model), found, traits


EMBED = Job("embed", run, recognise)

"""What was learned without answers: the verdict, the map, the groups in words, neighbours and rows that stand alone."""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid.data.table import Table
from pellucid.features.values import as_text
from pellucid.model.codes import Codes
from pellucid.report import words
from pellucid.report.canvas import COLOURS, FAINT, INK, drawing
from pellucid.report.result import Chart, Contender, Gallery, Grid, Result, SchemaRow, Section, Thumbnail, Verdict
from pellucid.report.thumbnails import png
from pellucid.tasks.embed.groups import Found, Trait
from pellucid.tasks.embed.judge import LABELS, Evidence
from pellucid.tasks.embed.learn import Learned, Prepared
from pellucid.tasks.job import Finished, Order
from pellucid.tasks.telling import cost_of, curve_of, metrics_of_run, picture_of, versions

MOST_POINTS, EXAMPLES, MOST_SHOWN, OF_A_GROUP = 3000, 8, 20, 6
LONG = 60


@dataclass(frozen=True, eq=False)
class Story:
    """All that is told.

    Args:
        order: what was asked for.
        prepared, learned: the table and the model, with its groups.
        evidence: of test rows; `None` where nothing was hidden.
        found, traits: the groups, whether real or not, and what sets each apart.
        codes: of all rows of the table.
    """

    order: Order
    prepared: Prepared
    learned: Learned
    evidence: Evidence | None
    found: Found
    traits: list[list[Trait]]
    codes: Codes


def tell(story: Story) -> Finished:
    """The model with its metrics, and everything the report shows."""
    order, prepared, learned = story.order, story.prepared, story.learned
    model, target = learned.model, prepared.target or ""
    network, plain, verdict = _judgement(story)
    rows = {"train": len(prepared.train), "test": len(prepared.test)}
    result = Result(
        title=order.table.source, task="embed", target=target, verdict=verdict, metric="neighbour_agreement", rows=rows,
        network=network, baselines=plain, tested=_tested(prepared), curve=curve_of(learned.outcome, "mean_squared"),
        picture=picture_of(model), sections=_sections(story), schema=_schema(prepared),
        notes=(*order.notes, *prepared.notes),
        cost=cost_of(learned.outcome, order.stages, model.settings["batch_size"]), settings=model.settings,
        command=order.command, versions=versions(),
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    metrics = metrics_of_run(result) | {"embed": _plainly(story)}
    about = {"versions": versions(), "created": result.created, "data": order.table.source, "rows": rows}
    return Finished(model.with_metrics(metrics, about), result, metrics, learned.outcome.history,
                    learned.outcome.ending, model.settings)


def _plainly(story: Story) -> dict[str, object]:
    """What metrics.json holds of groups and rows that stand alone."""
    evidence = story.evidence
    hidden = {} if evidence is None else {
        name: dict(zip(evidence.names, map(float, evidence.each(name)), strict=True)) for name in evidence.errors}
    return {"size": int(story.codes.codes.shape[1]), "groups": [dict(one) for one in story.learned.model.groups],
            "sharpness": story.found.sharpness, "sharpness_of_chance": list(story.found.chance), "hidden": hidden,
            "outliers": np.flatnonzero(story.codes.outlier).tolist()}


def _tested(prepared: Prepared) -> str:
    if not len(prepared.test):
        return "The table is too small to keep rows for a test."
    what = f"`{prepared.target}`, which nothing was learned from," if prepared.target else "each column in turn"
    return ("The test rows are rows drawn at random that nothing was learned from. Of each, "
            f"{what} is hidden, its ten nearest training rows are found by the rest, and they are asked.")


def _judgement(story: Story) -> tuple[Contender, tuple[Contender, ...], Verdict]:
    evidence, outcome = story.evidence, story.learned.outcome
    seconds = outcome.seconds + outcome.compile_seconds
    said = (_groups_said(story), _alone_said(story))
    if evidence is None:
        return Contender("network", "this network", {}, seconds), (), Verdict("alone", said)
    judged = bool(evidence.names)

    def contender(name: str, label: str, time: float) -> Contender:
        agreement = evidence.agreement(name) if judged else None
        metrics = {"neighbour_agreement": agreement, "explained": evidence.explained.get(name)}
        return Contender(name, label, metrics, time)

    network = contender("network", "this network", seconds)
    plain = tuple(contender(name, label, 0.0) for name, label in LABELS.items())
    first, outcome = _compared(story, evidence) if judged else (
        f"The code of {words.count(story.codes.codes.shape[1], 'number')} gives back "
        f"{words.percent(evidence.explained['network'])} of what varies in the test rows; as many principal components "
        f"give back {words.percent(evidence.explained['principal_components'])}.", "alone")
    return network, plain, Verdict(outcome, (first, *said), None if outcome == "alone" else "principal_components")


def _compared(story: Story, evidence: Evidence) -> tuple[str, str]:
    """The network's code beside as many principal components."""
    own, other = evidence.agreement("network"), evidence.agreement("principal_components")
    low, high = evidence.difference("principal_components", 0)
    outcome = "beats" if low > 0 else "worse" if high < 0 else "on par"
    what = f"`{evidence.names[0]}`" if story.prepared.target else "a hidden column"
    how = {"beats": f"know {what} better than", "worse": f"know {what} less well than",
           "on par": f"know {what} about as well as"}[outcome]
    return (f"Neighbours in the code of {story.codes.codes.shape[1]} numbers {how} neighbours by as many principal "
            f"components: {words.fixed(own)} against {words.fixed(other)}, where 0 is the usual value and 1 is perfect "
            f"(95 % interval of the difference {words.fixed(low)} to {words.fixed(high)}).", outcome)


def _groups_said(story: Story) -> str:
    found = story.found
    if not story.learned.model.groups:
        return (f"No groups are named: the sharpest division of the rows ({words.fixed(found.sharpness, 2)}) stands "
                "out no more than that of rows whose columns were shuffled "
                f"(up to {words.fixed(max(found.chance), 2)}).")
    names = words.listing([f"“{one['name']}” ({one['rows']:,} rows)" for one in story.learned.model.groups])
    return (f"The rows fall into {len(story.learned.model.groups)} groups, sharper ({words.fixed(found.sharpness, 2)}) "
            f"than those of rows whose columns were shuffled (up to {words.fixed(max(found.chance), 2)}): {names}.")


def _alone_said(story: Story) -> str:
    count = int(story.codes.outlier.sum())
    if not count:
        return "No row stands alone."
    stand = "stands" if count == 1 else "stand"
    return f"{words.count(count, 'row')} of {len(story.codes):,} {stand} alone, unlike all others."


def _sections(story: Story) -> tuple[Section, ...]:
    sections = [Section("The map", (
        "Each point is a row of the table, near others that are like it. The two axes are the main directions of the "
        "code; what differs in further directions lies on top of each other here.",), charts=(_map(story),))]
    groups = story.learned.model.groups
    if groups:
        grid = Grid("Groups", ("group", "rows", "what sets it apart"), tuple(
            (one["name"], f"{one['rows']:,}", "; ".join(one["sentences"]) or "nothing that is more than chance")
            for one in groups), (1,))
        sections.append(Section("The groups", (
            "What is said of a group was asked of rows that the groups were not made from, and would be a chance of "
            "one in a hundred among all comparisons. That groups differ in the columns they were made from is no "
            "surprise; that they stand out more than in shuffled rows is.",), grids=(grid,),
            galleries=_pictures(story)))
    sections.append(Section("Neighbours", (
        "Rows drawn at random, each with the training rows that are most like it, by their numbers in the table.",),
        grids=(_neighbours(story),)))
    if story.codes.outlier.any():
        sections.append(Section("Rows that stand alone", (
            "Their five nearest training rows are far away, compared with those of nearly all other rows, or they are "
            "put together as no others are, so that the network cannot give them back.",),
            grids=(_alone(story),)))
    if story.evidence is not None and story.evidence.names:
        sections.append(Section("What neighbours know", (
            "How well the ten nearest training rows tell a hidden column: 0 is no better than the mean or the most "
            "frequent value, 1 is perfect.",), grids=(_known(story.evidence),)))
    return tuple(sections)


def _map(story: Story) -> Chart:
    codes = story.codes
    some = np.sort(np.random.default_rng(0).permutation(len(codes))[:MOST_POINTS])
    points, group = codes.codes[some, :2], codes.group[some]
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    with drawing("embedding-map", 6.4, 4.6) as shown:
        axes = shown.axes
        for own in np.unique(group):
            colour = FAINT if own < 0 or own >= len(COLOURS) else COLOURS[own]
            label = codes.names[own] if own >= 0 else "rows"
            axes.scatter(*points[group == own].T, s=9, color=colour, alpha=0.7, linewidths=0, label=label)
        alone = codes.outlier[some]
        if alone.any():
            axes.scatter(*points[alone].T, s=36, facecolors="none", edgecolors=INK, linewidths=0.9,
                         label="stands alone")
        axes.set(xlabel="first direction of the code", ylabel="second direction of the code")
        axes.legend(loc="best")
    return Chart("Rows that are alike lie together", shown.svg,
                 f"A map of {len(some):,} rows in {len(codes.names) or 'no'} groups.",
                 "Distances across the whole map mean little; neighbours mean much.", wide=True)


def _neighbours(story: Story) -> Grid:
    codes, table = story.codes, story.prepared.table
    some = np.sort(np.random.default_rng(1).permutation(len(codes))[:EXAMPLES])
    rows = []
    for row in some:
        near = [place for place in codes.neighbours[row] if place != row][:4]
        rows.append((_named(table, row), _cells(table, story, row),
                     "; ".join(f"{_named(table, place)} ({_cells(table, story, place)})" for place in near)))
    return Grid("Some rows and those like them", ("row", "holds", "most like it"), tuple(rows))


def _alone(story: Story) -> Grid:
    codes, table = story.codes, story.prepared.table
    order = np.argsort(-codes.distance, kind="stable")
    order = order[codes.outlier[order]][:MOST_SHOWN]
    return Grid("Rows far from all others", ("row", "distance", "holds"), tuple(
        (_named(table, row), words.number(codes.distance[row]), _cells(table, story, row)) for row in order), (1,))


def _known(evidence: Evidence) -> Grid:
    methods = [name for name in ("network", *LABELS) if name in evidence.errors]
    each = {name: evidence.each(name) for name in methods}
    rows = tuple((name, *(words.fixed(float(each[method][place]), 2) for method in methods))
                 for place, name in enumerate(evidence.names))
    return Grid("By column", ("hidden", "this network", *(LABELS[name] for name in methods[1:])), rows,
                tuple(range(1, len(methods) + 1)))


def _pictures(story: Story) -> tuple[Gallery, ...]:
    """The pictures nearest to the middle of each group."""
    model = story.learned.model
    feature = next((one for one in model.features if one.kind == "image"), None)
    if feature is None:
        return ()
    galleries = []
    for own, group in enumerate(model.groups):
        away = np.where(story.codes.group == own, ((story.codes.codes - model.centres[own]) ** 2).sum(axis=1), np.inf)
        rows = np.argsort(away, kind="stable")[:OF_A_GROUP]
        found = feature.encode(story.prepared.table.take(rows).column(feature.name))
        galleries.append(Gallery(str(group["name"]), tuple(
            Thumbnail(png(pixels), "", _named(story.prepared.table, row))
            for row, pixels in zip(rows, found.raw["pixels"], strict=True))))
    return tuple(galleries)


def _named(table: Table, row: int) -> str:
    return str(row) if table.files is None else str(table.files[int(row)])


def _cells(table: Table, story: Story, row: int) -> str:
    """The first cells of a row that are short enough to be read."""
    names = [one.name for one in story.learned.model.features if one.kind not in ("image", "series")][:4]
    names += [story.prepared.target] if story.prepared.target else []
    cells = [(name, as_text(table.column(name).slice(int(row), 1))[0]) for name in names]
    return ", ".join(f"{name} {str(cell)[:LONG]}" for name, cell in cells if cell is not None)


def _schema(prepared: Prepared) -> tuple[SchemaRow, ...]:
    def role(column: object) -> str:
        return "target" if column.name == prepared.target else "feature" if column.used else "unused"
    return tuple(SchemaRow(one.name, one.kind, one.reason, one.missing, one.distinct, one.examples, role(one))
                 for one in prepared.schema.columns)


def groups_of(found: Found, traits: list[list[Trait]], sizes: np.ndarray, names: list[str]) -> list[Mapping]:
    """What a model keeps of its groups."""
    return [{"name": name, "rows": int(size), "sentences": [one.sentence for one in own]}
            for name, own, size in zip(names, traits, sizes, strict=True)]

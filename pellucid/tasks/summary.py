"""From a trained and judged model to the plain record that a report shows, and to metrics.json."""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.features.targets import ClassTarget
from pellucid.losses import losses
from pellucid.model.decision import DecisionReport, decision_report
from pellucid.model.metrics import main_metric
from pellucid.report.evidence import class_evidence, class_promise, number_evidence, number_promise
from pellucid.report.overall import effects_section
from pellucid.report.result import (
    ClassEvidence,
    Contender,
    NumberEvidence,
    Promise,
    Ranking,
    Result,
    SchemaRow,
    Section,
)
from pellucid.report.verdict import compare_with_best, write_verdict
from pellucid.tasks.confidence import METHODS, confidence_metrics, confidence_sections, promise_metrics
from pellucid.tasks.gallery import picture_sections
from pellucid.tasks.judge import OUTER_FOLDS, REPEATS, Evidence, contenders, learned_seconds
from pellucid.tasks.learn import Learned
from pellucid.tasks.lesson import Lesson
from pellucid.tasks.overall import Overall
from pellucid.tasks.picture import dead_share, network_picture
from pellucid.tasks.prepare import Prepared
from pellucid.tasks.run import Stages
from pellucid.tasks.telling import cost_of, curve_of, metrics_of_run, versions
from pellucid.training.diagnosis import diagnose


@dataclass(frozen=True, eq=False)
class Story:
    """All that is known at the end of a run."""

    prepared: Prepared
    lesson: Lesson
    learned: Learned
    settings: Mapping[str, Any]
    crossed: bool
    command: str
    stages: Stages
    evidence: Evidence | None = None
    matters: Overall | None = None


def summarise(story: Story) -> tuple[Result, dict[str, Any], dict[str, Any]]:
    """The record for the report, what metrics.json holds, and what the model file says about itself."""
    prepared, model, evidence = story.prepared, story.learned.model, story.evidence
    network, plain = (Contender("network", "this network", {}, learned_seconds(story.learned)), ())
    compared = promise = shown = None
    classes = len(model.classes) or None
    metric = main_metric(prepared.task, classes)
    if evidence is not None:
        network, plain = contenders(prepared.task, evidence, learned_seconds(story.learned), model.positive)
        compared = compare_with_best(prepared.task, metric, evidence.truth, evidence.network, evidence.baselines,
                                     positive=model.positive, groups=evidence.rows)
        promise, shown = _promise(story), _evidence(story)
    outcome, loss = story.learned.outcome, losses.canonical(story.settings["loss"])
    verdict = write_verdict(prepared.task, network, plain, compared, promise=promise, target=prepared.target.name)
    result = Result(
        title=f"{prepared.table.source} → {prepared.target.name}", task=prepared.task, target=prepared.target.name,
        verdict=verdict, metric=metric, rows=_rows(story), network=network, baselines=plain, tested=_tested(story),
        promise=promise, curve=curve_of(outcome, loss), ranking=_ranking(story.matters), evidence=shown,
        decision=_decision(story), picture=network_picture(story.lesson, model), schema=_schema(prepared),
        notes=prepared.notes, diagnosis=tuple(_diagnosis(story)),
        cost=cost_of(outcome, story.stages, story.learned.plan.batch_size),
        settings=story.settings,
        command=story.command, versions=versions(), positive=_positive(model.target),
        sections=(*_effects(story.matters), *picture_sections(prepared, model, evidence),
                  *confidence_sections(model, evidence)),
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    return result, _metrics(result, story), {"versions": versions(), "created": result.created,
                                      "data": prepared.table.source, "rows": result.rows}


def _metrics(result: Result, story: Story) -> dict[str, Any]:
    found = metrics_of_run(result)
    model = story.learned.model
    if "promise" in found:
        found["promise"] |= promise_metrics(model, story.evidence)
    found |= confidence_metrics(model, story.evidence, result.evidence)
    if story.matters is not None:
        found["importance"] = story.matters.to_json()
    if result.decision is not None:
        found["decision"] = {"threshold": result.decision.threshold, "rules": [
            {"rule": one.rule, "cost": one.cost, "expected_cost": one.expected, "error_rate": one.error_rate,
             "chosen": one.chosen} for one in result.decision.rules]}
    return found


def _positive(target: Any) -> str | None:
    named = isinstance(target, ClassTarget) and target.positive is not None
    return str(target.positive) if named else None


def _rows(story: Story) -> dict[str, int]:
    learned = len(story.lesson.answers)
    members = np.array(story.learned.model.calibration.folds)
    held_out = int(np.isin(story.lesson.folds, members).sum())
    tested = 0 if story.evidence is None else len(np.unique(story.evidence.rows))
    return {"train": learned, "validation": held_out, "test": tested}


def _tested(story: Story) -> str:
    if story.evidence is None:
        return "No rows were kept for a test."
    if story.crossed:
        return (f"The table is small, so quality was measured by {OUTER_FOLDS}-fold cross-validation, {REPEATS} times "
                "over: each row was judged by networks that had not seen it. The model that was kept learned from all "
                "rows.")
    how = "the latest rows" if story.prepared.times is not None else "rows drawn at random, stratified by the target"
    how = "whole groups drawn at random" if story.prepared.groups is not None and story.prepared.times is None else how
    return (f"The test rows are {how}; nothing was chosen by them. Each network also left out a part of the training "
            "rows, which served for its validation.")


def _promise(story: Story) -> Promise | None:
    evidence, coverage = story.evidence, story.learned.model.calibration.coverage
    if evidence.sets is not None:
        return class_promise(evidence.sets, evidence.truth, coverage)
    if evidence.lower is not None:
        return number_promise(evidence.lower, evidence.upper, evidence.truth, coverage)
    return None


def _evidence(story: Story) -> ClassEvidence | NumberEvidence:
    evidence, model = story.evidence, story.learned.model
    if story.prepared.task == "regress":
        return number_evidence(evidence.truth, evidence.network, evidence.lower, evidence.upper)
    return class_evidence(evidence.truth, evidence.network, model.classes, positive=model.positive,
                          temperature=model.calibration.temperature, uncalibrated=evidence.uncalibrated,
                          method=METHODS[model.calibration.calibrator.method])


def _decision(story: Story) -> DecisionReport | None:
    rule = story.learned.model.decision
    if story.evidence is None or (rule.get("threshold") is None and rule.get("costs") is None):
        return None
    return decision_report(story.evidence.truth, story.evidence.network, story.learned.model.classes,
                           costs=rule.get("costs"), threshold=rule.get("threshold"),
                           positive=story.learned.model.positive)


def _ranking(found: Overall | None) -> Ranking | None:
    if found is None:
        return None
    own, lost = found.influence, found.lost
    order = [lost.columns.index(name) for name in own.columns]
    return Ranking(own.columns, lost.mean[order], lost.low[order], lost.high[order], lost.metric, lost.repeats,
                   found.rows, own)


def _effects(found: Overall | None) -> tuple[Section, ...]:
    if found is None or not found.effects:
        return ()
    return (effects_section(found.effects, found.interactions, found.outputs, percent=found.influence.percent,
                            strongest=float(found.influence.mean[0])),)


def _schema(prepared: Prepared) -> tuple[SchemaRow, ...]:
    rows = []
    for column in prepared.schema.columns:
        target = column.name in prepared.schema.targets
        role = "target" if target else "feature" if column.used else "unused"
        rows.append(SchemaRow(column.name, column.kind, column.reason, column.missing, column.distinct,
                              column.examples, role))
    return tuple(rows)


def _diagnosis(story: Story) -> list[str]:
    lesson, learned = story.lesson, story.learned
    loss = losses.canonical(story.settings["loss"])
    plain = None
    if loss == "cross_entropy":
        share = np.bincount(lesson.answers, minlength=len(learned.model.classes)) / len(lesson.answers)
        plain = float(-np.sum(share[share > 0] * np.log(share[share > 0])))
    elif loss in ("mean_squared", "root_mean_squared"):
        plain = float(np.var(lesson.answers)) ** (1.0 if loss == "mean_squared" else 0.5)
    completed = "path" in learned.model.members.spec  # the history is that of an encoder that does not answer alone
    return diagnose(learned.outcome.history, learning_rate=learned.plan.learning_rate, epochs=learned.plan.epochs,
                    dead_share=dead_share(lesson, learned.model), plain_error=None if completed else plain)

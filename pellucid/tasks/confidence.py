"""What the test rows say of confidence: for the report, and for metrics.json."""
from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from pellucid.model.model import Model
from pellucid.report.confidence import (
    Answering,
    GroupRates,
    answering,
    answering_section,
    class_rates,
    fairness_section,
    number_rates,
    rates_json,
    unlike_section,
    unlike_shares,
)
from pellucid.report.result import ClassEvidence, NumberEvidence, Section
from pellucid.tasks.judge import Evidence, risks_of

METHODS = {"temperature": "temperature scaling", "vector": "vector scaling", "beta": "beta calibration"}


def confidence_sections(model: Model, evidence: Evidence | None) -> tuple[Section, ...]:
    """Answering at a risk, rows unlike the training, groups side by side: what of it there is."""
    if evidence is None:
        return ()
    found, rates = _answering(model, evidence), _rates(model, evidence)
    sections = [answering_section(found)] if found else []
    sections += [unlike_section(evidence.p_value)] if evidence.p_value is not None else []
    sections += [fairness_section(model.calibration.grouping.column, rates, model.calibration.coverage,
                                  _positive_name(model))] if rates else []
    return tuple(sections)


def confidence_metrics(model: Model, evidence: Evidence | None,
                       shown: ClassEvidence | NumberEvidence | None) -> dict[str, Any]:
    """`calibration`, `answering`, `unlikeness` and `groups` of metrics.json; what there is not is left out."""
    if evidence is None:
        return {}
    metrics: dict[str, Any] = {}
    if isinstance(shown, ClassEvidence) and shown.before is not None and shown.after is not None:
        names = {"calibration_error": "calibration_error", "debiased_calibration_error": "debiased_error",
                 "brier": "brier"}
        metrics["calibration"] = {"method": model.calibration.calibrator.method,
                                  "temperature": model.calibration.temperature} | {
            when: {name: getattr(part, field) for name, field in names.items()}
            for when, part in (("before", shown.before), ("after", shown.after))}
    if found := _answering(model, evidence):
        metrics["answering"] = [asdict(one) for one in found]
    if evidence.p_value is not None:
        metrics["unlikeness"] = {"rows": len(evidence.p_value), "share_at_most": unlike_shares(evidence.p_value)}
    if rates := _rates(model, evidence):
        metrics["groups"] = {"column": model.calibration.grouping.column, "rates": rates_json(rates)}
    return metrics


def promise_metrics(model: Model, evidence: Evidence | None) -> dict[str, Any]:
    """`groups` for the promise of metrics.json: the coverage of each, and whether it has a promise of its own."""
    rates = [] if evidence is None else [one for one in _rates(model, evidence) if "coverage" in one.shares]
    if not rates:
        return {}
    calibration = model.calibration
    own = dict(zip(calibration.grouping.names, calibration.by_group, strict=False))
    return {"groups": {one.name: {
        "rows": one.rows, "coverage_measured": one.shares["coverage"].value, "low": one.shares["coverage"].low,
        "high": one.shares["coverage"].high, "mean_size": one.means["size"],
        "own_promise": own.get(one.name) is not None} for one in rates}}


def _answering(model: Model, evidence: Evidence) -> tuple[Answering, ...]:
    if evidence.answered is None:
        return ()
    return answering(evidence.network.argmax(axis=1) != evidence.truth, evidence.answered, risks_of(model))


def _positive_name(model: Model) -> str:
    return str(model.classes[model.positive]) if len(model.classes) == 2 else ""


def _rates(model: Model, evidence: Evidence) -> list[GroupRates]:
    """How each group that has test rows fares."""
    if evidence.groups is None or model.calibration.grouping is None:
        return []
    pick = lambda array, rows: None if array is None else array[rows]  # noqa: E731
    found = []
    for place, name in enumerate(model.calibration.grouping.names):
        rows = np.flatnonzero(evidence.groups == place)
        if not len(rows):
            continue
        truth, network = evidence.truth[rows], evidence.network[rows]
        if model.task == "classify":
            found.append(class_rates(name, truth, model.decide(network), network, pick(evidence.sets, rows),
                                     model.positive if len(model.classes) == 2 else None))
        else:
            found.append(number_rates(name, truth, network, pick(evidence.lower, rows), pick(evidence.upper, rows)))
    return found

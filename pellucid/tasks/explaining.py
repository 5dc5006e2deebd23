"""Reasons in a run: what is checked once for the model, and a few test rows explained for the report."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.core.note import Note
from pellucid.data.table import Table
from pellucid.explain.explanation import Explanation
from pellucid.explain.faithfulness import ModelChecks
from pellucid.explain.skill import Skill, skill
from pellucid.model.checks import ROWS, check_model
from pellucid.model.model import Model
from pellucid.report.reasons import bar_chart
from pellucid.report.result import Chart, Result, Section
from pellucid.tasks.judge import Evidence

GUESSES = {"classify": "majority", "regress": "mean"}
NOTHING = ("Nothing was learned that holds for other rows: on rows that it did not learn from, the network predicts no "
           "better than a guess that looks at no column. Do not rely on explanations of it.")
TITLE = "Why it answers as it does"
MEANING = ("Each bar is what one part of the row adds to the answer, on average over all orders in which parts could "
           "become known; together they make up the difference between this answer and the one for a row of which "
           "nothing is known. They say what this network goes by, not what causes what in the world.")


@dataclass(frozen=True, eq=False)
class Reasons:
    """What a run says about reasons.

    Args:
        checks: of the model.
        skill: against a guess; `None` where that could not be judged.
        explained: a few rows.
        titles: of the explained rows, for people.
    """

    checks: ModelChecks
    skill: Skill | None
    explained: tuple[Explanation, ...] = ()
    titles: tuple[str, ...] = ()

    def added(self, result: Result, metrics: dict[str, Any], about: dict[str, Any]) -> tuple[Result, dict, dict]:
        """The record, metrics.json and what the model says about itself, with the reasons told."""
        told = {} if self.skill is None else {"skill": self.skill.to_json()}
        trouble = self.checks.troubles()
        metrics = {**metrics, **told, "explaining": {**self.checks.to_json(), "troubles": list(trouble)}}
        notes = result.notes
        if self.skill is not None and not self.skill.shown:
            notes = (*notes, Note("nothing_learned", NOTHING, severity="warning"))
            metrics["warnings"] = [*metrics.get("warnings", ()), NOTHING]
        result = replace(result, notes=notes, sections=(*result.sections, self._section(trouble)))
        return result, metrics, {**about, "explaining": self.checks.to_json()}

    def _section(self, trouble: tuple[str, ...]) -> Section:
        verdict = _passed(self.checks) if not trouble else (
            f"Do not rely on explanations of this model: {'; '.join(trouble)}.")
        charts = tuple(Chart(title, bar_chart(one, f"reason{number}"), repr(one), " ".join(one.sentences()[:1]))
                       for number, (one, title) in enumerate(zip(self.explained, self.titles, strict=True)))
        more = "`pellucid explain MODEL DATA --row N` explains any other row."
        return Section(TITLE, (*([MEANING] if charts else []), verdict, more), charts)


def _passed(checks: ModelChecks) -> str:
    words = []
    if checks.randomised is not None:
        words.append("the same networks with shuffled weights give other reasons (agreement "
                     f"{checks.randomised:.2f} of 1)")
    if checks.stability is not None:
        words.append(f"networks that learned from other rows give like ones ({checks.stability:.2f} of 1)")
    if not words:
        return "Explanations of this model could not be checked."
    return f"Explanations of this model were checked on {checks.rows} rows: {', and '.join(words)}."


def reasons_of(model: Model, table: Table, evidence: Evidence, seed: int) -> Reasons:
    """Check the model, and explain a few rows: one surely right, one surely wrong, one least sure.

    Args:
        model: trained.
        table: of the run; the rows of `evidence` are taken from it.
        evidence: what the network and plain methods said.
        seed: of all chance.
    """
    guess = evidence.baselines.get(GUESSES[model.task])
    found = None if guess is None else skill(evidence.truth, evidence.network, guess, evidence.rows)
    told = {} if found is None else {"skill": found.share, "skill_low": found.low}
    checks = replace(check_model(model, table.take(np.unique(evidence.rows)[:ROWS]), seed=seed), **told)
    chosen, titles = _chosen(model, evidence)
    known = replace(model, about={**model.about, "explaining": checks.to_json()})
    if not chosen or any(feature.is_raw for feature in model.features):
        return Reasons(checks, found)
    explained = [replace(one, row=int(evidence.rows[place])) for one, place in zip(
        known.explain(table.take(evidence.rows[chosen]), seed=seed), chosen, strict=True)]
    return Reasons(checks, found, tuple(explained), tuple(
        f"Row {one.row}, {title}: {one.question}" for one, title in zip(explained, titles, strict=True)))


def _chosen(model: Model, evidence: Evidence) -> tuple[list[int], list[str]]:
    """Places of judged rows that are worth a look, and what they are."""
    if model.task == "regress":
        order = np.argsort(evidence.network, kind="stable")
        return [int(order[-1]), int(order[0])], ["predicted highest", "predicted lowest"]
    sure, decided = evidence.network.max(axis=1), model.decide(evidence.network)
    right = decided == evidence.truth
    found = {"right and sure": np.where(right, sure, -1), "wrong but sure": np.where(right, -1, sure),
             "least sure": np.where(right, 1 - sure, -1)}
    places = {name: int(values.argmax()) for name, values in found.items() if values.max() > -1}
    kept = {place: name for name, place in reversed(places.items())}
    return list(reversed(kept)), list(reversed(kept.values()))

"""How well identities that were never learned are recognised again, beside raw pixels, and the report."""
from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from pellucid.core.note import Note
from pellucid.model.verifier import Verifier
from pellucid.report import words
from pellucid.report.canvas import BLUE, FAINT, VERMILION, drawing
from pellucid.report.result import Chart, Contender, Result, Section, Verdict
from pellucid.tasks.job import Finished, Order
from pellucid.tasks.telling import cost_of, curve_of, metrics_of_run, picture_of, versions
from pellucid.tasks.verify.network import Learned
from pellucid.tasks.verify.trials import Trials

ALONE = ("No identities were kept for a test, so nothing can be said about strangers.", "alone")


@dataclass(frozen=True, eq=False)
class Evidence:
    """Trials of the network's points and of raw pixels; `None` where there were too few identities."""

    network: Trials | None
    pixels: Trials | None


def tell(order: Order, notes: tuple[Note, ...], model: Verifier, evidence: Evidence, trained: Learned,
         rows: tuple[int, int]) -> Finished:
    """The model with its metrics, and everything the report shows."""
    seconds = trained.outcome.seconds + trained.outcome.compile_seconds
    rate = model.false_accepts
    network = Contender("network", "this network", evidence.network.metrics(rate) if evidence.network else {}, seconds)
    plain = (Contender("pixels", "cosine of the raw pixels", evidence.pixels.metrics(rate), 0.0),) \
        if evidence.pixels else ()
    result = Result(
        title=f"{order.table.source} → {model.identity}", task="verify", target=model.identity,
        verdict=_verdict(network, plain, model, evidence), metric="equal_error_rate",
        rows={"train": rows[0], "test": rows[1]}, network=network, baselines=plain,
        tested="The test is on identities of which no picture was learned: again and again half of them are enrolled "
               "with up to five pictures, and all other pictures are asked about; the other half are strangers.",
        curve=curve_of(trained.outcome, "identities"), picture=picture_of(model), sections=_sections(evidence, model),
        notes=notes, cost=cost_of(trained.outcome, order.stages), settings=model.settings, command=order.command,
        versions=versions(), created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    level = model.strangers.threshold(rate, evidence.network.enrolled) if evidence.network else None
    at_threshold = evidence.network.metrics(rate, level) if evidence.network else {}
    metrics = metrics_of_run(result) | {"threshold": {"likeness": level, "false_accepts": rate, **{
        f"test_{name}": at_threshold[name] for name in ("identification_rate", "false_accept_rate") if at_threshold}}}
    about = {"versions": versions(), "created": result.created, "data": order.table.source, "rows": dict(result.rows)}
    return Finished(model.with_metrics(metrics, about), result, metrics, trained.outcome.history,
                    trained.outcome.ending, model.settings)


def _verdict(network: Contender, plain: tuple[Contender, ...], model: Verifier, evidence: Evidence) -> Verdict:
    if evidence.network is None or not plain:
        return Verdict(ALONE[1], (ALONE[0],))
    own, other = network.metrics["equal_error_rate"], plain[0].metrics["equal_error_rate"]
    outcome = "beats" if own < other else "worse" if own > other else "on par"
    lead = {"beats": "The network recognises identities that it never learned better than raw pixels do",
            "worse": "The network does not recognise new identities better than raw pixels do",
            "on par": "The network recognises new identities as well as raw pixels do"}[outcome]
    level = model.strangers.threshold(model.false_accepts, evidence.network.enrolled)
    at_threshold = evidence.network.metrics(model.false_accepts, level)
    return Verdict(outcome, (
        f"{lead}: equal error rate {words.percent(own)} against {words.percent(other)}.",
        "At the equal error rate as many are refused wrongly as are let through wrongly; 0 is perfect.",
        f"Where one stranger in {words.number(1 / model.false_accepts, 3)} is let through, "
        f"{words.percent(network.metrics['identification_rate'])} of the pictures of enrolled identities are named "
        f"rightly (raw pixels: {words.percent(plain[0].metrics['identification_rate'])}).",
        f"The threshold that comes with the model was set on identities left out while learning; in the test it let "
        f"{words.percent(at_threshold['false_accept_rate'])} of the strangers through.",
    ), plain[0].name)


def _sections(evidence: Evidence, model: Verifier) -> tuple[Section, ...]:
    if evidence.network is None:
        return ()
    trials = evidence.network
    low = float(min(trials.genuine.min(), trials.strange.min()))
    bins = np.linspace(low, 1.0, 40)
    with drawing("likeness", 8.2, 2.8) as drawn:
        axes = drawn.axes
        for values, colour, label in ((trials.strange, VERMILION, "strangers, nearest enrolled identity"),
                                      (trials.genuine, BLUE, "enrolled identities, themselves")):
            axes.hist(values, bins, density=True, color=colour, alpha=0.55, label=label)
        axes.axvline(model.strangers.threshold(model.false_accepts, trials.enrolled), color=FAINT, linewidth=1.6)
        axes.set(xlabel="likeness", ylabel="density")
        axes.legend(loc="upper left")
    chart = Chart("Likeness of strangers and of the right identity", drawn.svg,
                  "Two histograms of likeness: strangers lie lower than pictures of enrolled identities.",
                  "The grey line is the threshold: what lies right of it is accepted. The less the two overlap, the "
                  "better.", wide=True)
    return (Section("Strangers and friends", (), (chart,)),)

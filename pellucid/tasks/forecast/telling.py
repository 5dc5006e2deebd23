"""What a forecast was worth: the network beside plain forecasts, whether chance explains it, and the report."""
from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.note import Note
from pellucid.data.panel import Series
from pellucid.data.windows import Windows
from pellucid.model.compare import Difference
from pellucid.model.forecaster import Forecaster, errors_of
from pellucid.report import words
from pellucid.report.canvas import BLUE, FAINT, INK, VERMILION, drawing
from pellucid.report.evidence import number_promise
from pellucid.report.result import Chart, Contender, Grid, Promise, Result, Section, Verdict
from pellucid.tasks.forecast.network import Learned
from pellucid.tasks.forecast.plain import LABELS
from pellucid.tasks.job import Finished, Order
from pellucid.tasks.telling import cost_of, curve_of, metrics_of_run, picture_of, versions

RESAMPLES = 1000
SHOWN = 160
"""Steps of the series that the drawing shows."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What network and plain methods forecast in the test part.

    Args:
        windows: from where they forecast.
        middle, lower, upper: (windows, horizon) of the network.
        plain: the same as `middle`, by name.
        panel: the series, and `ends` the length of the training part of each.
    """

    windows: Windows
    middle: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    plain: Mapping[str, np.ndarray]
    panel: Sequence[Series]
    ends: Sequence[int]

    @property
    def truth(self) -> np.ndarray:
        """(windows, horizon), NaN where it is not known."""
        return self.windows.future


def tell(order: Order, notes: tuple[Note, ...], model: Forecaster, evidence: Evidence, trained: Learned,
         learned: int) -> Finished:
    """The model with its metrics, and everything the report shows."""
    seconds = trained.outcome.seconds + trained.outcome.compile_seconds
    network = Contender("network", "this network", errors_of(evidence.truth, evidence.middle, model.scale), seconds)
    plain = tuple(Contender(name, LABELS[name], errors_of(evidence.truth, values, model.scale), 0.0)
                  for name, values in evidence.plain.items())
    best = min(plain, key=lambda one: one.metrics["mase"] if one.metrics["mase"] is not None else np.inf)
    found = difference(evidence, best.name, model)
    promise = _promise(evidence, model)
    skill = direction_skill(evidence)
    result = Result(
        title=f"{order.table.source} → {model.roles.value}", task="forecast", target=model.roles.value,
        verdict=_verdict(network, best, found, promise, skill, model), metric="mase",
        rows={"train": learned, "test": len(evidence.windows)}, network=network, baselines=plain,
        tested=f"The last {words.percent(order.settings['test_size'] or 0.2)} of each series are the test: at each of "
               "its steps the future was forecast from what was known then; nothing was learned or chosen from it.",
        promise=promise, curve=curve_of(trained.outcome, "quantile"), picture=picture_of(model),
        sections=_sections(evidence, model, skill), notes=notes, cost=cost_of(trained.outcome, order.stages),
        settings=model.settings, command=order.command, versions=versions(),
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    metrics = metrics_of_run(result) | {"forecast": {
        "horizon": model.frame.horizon, "window": model.frame.length, "season": model.season,
        "step": model.clock.label, **({"direction": skill.to_json()} if skill else {})}}
    about = {"versions": versions(), "created": result.created, "data": order.table.source, "rows": dict(result.rows)}
    return Finished(model.with_metrics(metrics, about), result, metrics, trained.outcome.history,
                    trained.outcome.ending, model.settings)


def difference(evidence: Evidence, best: str, model: Forecaster) -> Difference:
    """How much smaller the network's error is than that of a plain forecast, in MASE.

    The interval is from a bootstrap of blocks of neighbouring windows, because forecasts from neighbouring steps err
    alike.

    Source: Künsch 1989, The jackknife and the bootstrap for general stationary observations.
    """
    errors = [np.abs(values - evidence.truth) / model.scale for values in (evidence.middle, evidence.plain[best])]
    known = np.isfinite(errors[0]).any(axis=1)
    each = [np.nanmean(one[known], axis=1) for one in errors]
    low, high = block_interval(each[1] - each[0], model.frame.horizon + model.season)
    return Difference("mase", float(np.nanmean(errors[0])), float(np.nanmean(errors[1])),
                      float(np.nanmean(errors[1]) - np.nanmean(errors[0])), low, high, int(known.sum()))


def block_interval(values: np.ndarray, block: int, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of values that follow one another, by drawing blocks of neighbours."""
    count = len(values)
    if count < 4:
        return -np.inf, np.inf
    block = int(np.clip(block, 1, max(count // 4, 1)))
    generator = np.random.default_rng(seed)
    starts = generator.integers(0, count, (RESAMPLES, -(-count // block)))
    places = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, :count] % count
    low, high = np.quantile(values[places].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Skill:
    """Whether rises and falls of the next step are foreseen.

    Args:
        hits: the share of next steps whose direction was right.
        guess: the share that always naming the more frequent direction gets right.
        p_value: the share of shuffled forecasts that are right as often.
        steps: how many next steps were judged.
    """

    hits: float
    guess: float
    p_value: float
    steps: int

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {"hits": self.hits, "always_the_same": self.guess, "p_value": self.p_value, "steps": self.steps}


def direction_skill(evidence: Evidence, permutations: int = 999, seed: int = 0) -> Skill | None:
    """The next step's direction against chance: forecasts are shifted in time, which breaks their tie to the truth.

    Shifting keeps both sequences as they are, runs included; a plain permutation would call any trend a skill.
    """
    last = np.array([evidence.panel[series].values[origin] for series, origin in
                     zip(evidence.windows.series, evidence.windows.origin, strict=True)])
    up, said = evidence.truth[:, 0] - last, evidence.middle[:, 0] - last
    known = np.isfinite(up) & (up != 0)
    if known.sum() < 20:
        return None
    up, said = up[known] > 0, said[known] > 0
    hits = float(np.mean(up == said))
    shifts = np.random.default_rng(seed).integers(1, len(up), permutations)
    others = np.array([np.mean(up == np.roll(said, shift)) for shift in shifts])
    return Skill(hits, float(max(up.mean(), 1 - up.mean())),
                 float((1 + np.count_nonzero(others >= hits - 1e-12)) / (permutations + 1)), int(known.sum()))


def _promise(evidence: Evidence, model: Forecaster) -> Promise | None:
    known = np.isfinite(evidence.truth)
    return number_promise(evidence.lower[known], evidence.upper[known], evidence.truth[known], model.coverage)


def _verdict(network: Contender, best: Contender, found: Difference, promise: Promise | None, skill: Skill | None,
             model: Forecaster) -> Verdict:
    measured = (f"MASE {words.number(found.first, 3)} against {words.number(found.second, 3)} over "
                f"{words.count(found.rows, 'forecast')} of {model.frame.horizon} steps")
    interval = f"95 % interval of the difference {words.number(found.low, 2)} to {words.number(found.high, 2)}"
    first = {"beats": f"The network beats the best plain forecast, {best.label}: {measured} ({interval}).",
             "worse": f"The network does not beat the best plain forecast: {best.label} is better. {measured} "
                      f"({interval}).",
             "on par": f"The network does not clearly beat the best plain forecast, {best.label}: {measured} "
                       f"({interval})."}[found.outcome]
    cycle = f"season of {model.season} steps" if model.season > 1 else "value"
    sentences = [first, f"Here MASE is the mean error in parts of the error of repeating the last {cycle} on the "
                 "training data: below 1 is better than that, 0 is perfect."]
    if promise is not None:
        sentences.append(f"Its intervals, made to hold the truth {words.percent(promise.promised)} of the time, held "
                         f"it for {words.percent(promise.measured)} of the steps of the test.")
    if skill is not None:
        sentences.append(_skill_sentence(skill))
    return Verdict(found.outcome, tuple(sentences), best.name, found)


def _skill_sentence(skill: Skill) -> str:
    shares = (f"{words.percent(skill.hits)} of {words.count(skill.steps, 'step')}; always naming the same direction is "
              f"right in {words.percent(skill.guess)}")
    if skill.p_value <= 0.05 and skill.hits > skill.guess:
        return (f"Whether the next step rises or falls was foreseen in {shares}; chance alone gets as far in "
                f"{words.percent(skill.p_value)} of the cases.")
    return (f"No skill in telling whether the next step rises or falls: right in {shares}, and forecasts shifted in "
            f"time do as well in {words.percent(skill.p_value)} of the cases.")


def _sections(evidence: Evidence, model: Forecaster, skill: Skill | None) -> tuple[Section, ...]:
    steps = np.arange(1, model.frame.horizon + 1)
    rows = []
    for step in steps[:24]:
        truth = evidence.truth[:, step - 1]
        known = np.isfinite(truth)
        if known.any():
            held = (evidence.lower[:, step - 1] <= truth) & (truth <= evidence.upper[:, step - 1])
            errors = [errors_of(truth, values[:, step - 1], model.scale)["mase"]
                      for values in (evidence.middle, *evidence.plain.values())]
            rows.append((str(step), *(words.number(error, 3) for error in errors),
                         words.percent(float(held[known].mean()))))
    header = ("steps ahead", "this network", *(LABELS[name] for name in evidence.plain), "intervals held")
    grid = Grid("Error (MASE) by the number of steps ahead", header, tuple(rows), tuple(range(len(header))))
    sentences = () if skill is None else (_skill_sentence(skill),)
    return (Section("The forecast", sentences, (_drawn(evidence, model),), (grid,)),)


def _drawn(evidence: Evidence, model: Forecaster) -> Chart:
    """The end of the longest series, and forecasts from several steps of the test part."""
    number = int(np.argmax([len(series) for series in evidence.panel]))
    series, end = evidence.panel[number], evidence.ends[number]
    rows = np.flatnonzero(evidence.windows.series == number)
    rows = rows[::max(model.frame.horizon, len(rows) // 12, 1)]
    start = max(min(end - SHOWN // 4, len(series) - SHOWN), 0)
    with drawing("forecast", 8.2, 3.0) as drawn:
        axes = drawn.axes
        places = np.arange(start, len(series))
        axes.plot(places, series.values[start:], color=INK, linewidth=1.0, label="the series")
        axes.axvline(end - 0.5, color=FAINT, linewidth=1.2)
        for count, row in enumerate(rows):
            ahead = evidence.windows.origin[row] + np.arange(1, model.frame.horizon + 1)
            axes.plot(ahead, evidence.middle[row], color=BLUE, linewidth=1.4, label="forecasts" if not count else None)
            axes.fill_between(ahead, evidence.lower[row], evidence.upper[row], color=VERMILION, alpha=0.15, linewidth=0,
                              label=f"intervals, {words.percent(model.coverage)}" if not count else None)
        ticks = np.linspace(start, len(series) - 1, 6).astype(int)
        axes.set_xticks(ticks, [str(word) for word in model.clock.words(series.times[ticks])])
        axes.set(ylabel=model.roles.value)
        axes.legend(loc="upper left")
    name = f" of `{series.name}`" if model.roles.series else ""
    return Chart("Forecasts in the test part", drawn.svg, f"Line chart{name}: the series and forecasts with intervals.",
                 f"The black line is the end{name}; right of the grey line begins the test part. Each blue piece was "
                 "forecast from what was known where it begins; the truth should lie inside of the band.", wide=True)

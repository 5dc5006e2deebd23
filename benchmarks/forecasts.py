"""Forecasts of sunspots, carbon dioxide and stocks, beside repeating the last season and Holt-Winters smoothing.

    pip install statsmodels
    python benchmarks/forecasts.py --stocks stocks.csv --results results.jsonl

Sunspots (a year a step) and the carbon dioxide of Mauna Loa (a month a step) are those of the package statsmodels,
which is the peer, too. All are trained with the defaults of `pellucid.train`; the last fifth of each series is the
test, and every method forecasts from the same steps of it, knowing what came before. Holt-Winters smoothing has the
season that was found and its constants fitted on the training part; with or without a damped trend, whichever fits
that part better (AICc). One JSON line for each: mean absolute scaled errors, the coverage of intervals promised at
90 %.

`--stocks` is a table with Date, symbol and Close; the test is the last two years. There the bar is honesty: intervals
cover what they promise within three points, and where shifted forecasts do as well, no skill is claimed.
Exit code 1 when a bar is missed.
"""
import argparse
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import record
from statsmodels.datasets import co2, sunspots
from statsmodels.tsa.holtwinters import ExponentialSmoothing

import pellucid
from pellucid.data.windows import cut
from pellucid.model.forecaster import errors_of

MOST_ORIGINS = 60
TWO_YEARS = 504  # days of trade
MARGIN = 0.03


def series() -> dict[str, pl.DataFrame]:
    """The tables, as a user would have them."""
    spots = sunspots.load_pandas().data
    gas = co2.load_pandas().data["co2"].resample("MS").mean()
    return {
        "sunspots": pl.DataFrame({"year": spots["YEAR"].astype(int).to_numpy(),
                                  "sunspots": spots["SUNACTIVITY"].to_numpy()}),
        "carbon dioxide": pl.DataFrame({"month": [day.strftime("%Y-%m-%d") for day in gas.index],
                                        "co2": gas.to_numpy()}).with_columns(pl.col("co2").fill_nan(None)),
    }


def holt_winters(values: np.ndarray, end: int, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Forecasts (origins, horizon), with constants fitted on the values before `end`."""
    cycle = {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    kinds = [{"initialization_method": "estimated", **cycle, **trend} for trend in (
        {}, {"trend": "add", "damped_trend": True})]
    names = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping_trend")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = [ExponentialSmoothing(values[:end], **kind).fit() for kind in kinds]
        best = int(np.argmin([one.aicc for one in fitted]))
        found = fitted[best].params
        fixed = {name: found[name] for name in names if np.isfinite(found.get(name, np.nan))}
        return np.array([ExponentialSmoothing(values[:origin + 1], **kinds[best]).fit(optimized=False, **fixed)
                         .forecast(horizon) for origin in origins])


def forecast(name: str, frame: pl.DataFrame, folder: Path) -> dict[str, Any]:
    """The figures of one series."""
    run = pellucid.train(frame, run=folder / name)
    model = run.model
    panel, _ = model.read(frame)
    end = len(panel[0]) - max(round(0.2 * len(panel[0])), model.frame.horizon)
    windows = cut(panel, model.clock, model.frame, first=[end - 1])
    windows = windows.take(np.unique(np.linspace(0, len(windows) - 1, MOST_ORIGINS).astype(int)))
    peer = holt_winters(panel[0].values, end, windows.origin, model.frame.horizon, model.season)
    own = errors_of(windows.future, model.answer(windows)[0], model.scale)["mase"]
    other = errors_of(windows.future, peer, model.scale)["mase"]
    plain = {baseline: run.metrics["baselines"][baseline]["mase"] for baseline in run.metrics["baselines"]}
    seasonal = plain.get("last_season", plain["last_value"])
    return {"mase": run.metrics["network"]["mase"], "plain": plain,
            "at_the_same_steps": {"network": own, "holt_winters": other}, "promise": run.metrics["promise"],
            "forecast": run.metrics["forecast"], "seconds": run.metrics["seconds"]["network"],
            "bar": "below seasonal-naive and Holt-Winters",
            "passed": bool(run.metrics["network"]["mase"] < seasonal and own < other)}


def stocks(path: Path, folder: Path) -> dict[str, Any]:
    """Five days ahead, all symbols in one model; the test is the last two years."""
    table = pl.read_csv(path).select("Date", "symbol", "Close")
    longest = table.group_by("symbol").len()["len"].max()
    run = pellucid.train(table, "Close", task="forecast", time_column="Date", series_column="symbol", horizon=5,
                         test_size=TWO_YEARS / longest, run=folder / "stocks")
    skill, promise = run.metrics["forecast"].get("direction"), run.metrics["promise"]
    claims = any("was foreseen" in sentence for sentence in run.metrics["verdict"])
    honest = not claims or (skill["p_value"] <= 0.05 and skill["hits"] > skill["always_the_same"])
    covered = abs(promise["coverage_measured"] - promise["coverage_promised"]) <= MARGIN
    return {"mase": run.metrics["network"]["mase"], "outcome": run.metrics["outcome"],
            "verdict": run.metrics["verdict"], "promise": promise,
            "plain": {name: one["mase"] for name, one in run.metrics["baselines"].items()},
            "direction": skill, "seconds": run.metrics["seconds"]["network"], "bar": MARGIN,
            "passed": bool(covered and honest)}


def main() -> int:
    """Train on each; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stocks", type=Path, help="a CSV file with Date, symbol and Close")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in series().items():
            line = forecast(name, frame, Path(folder))
            record.emit({**record.origin(0), "benchmark": f"forecasts, {name}", **line}, options.results)
            passed &= line["passed"]
        if options.stocks:
            line = stocks(options.stocks, Path(folder))
            record.emit({**record.origin(0), "benchmark": "forecasts, stocks", **line}, options.results)
            passed &= line["passed"]
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

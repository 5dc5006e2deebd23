"""Forecasts from a table: found out, learned, judged beside plain forecasts, kept in a file, asked again."""
import datetime
import json

import numpy as np
import polars as pl
import pytest

import pellucid
from pellucid.cli.dispatch import main
from pellucid.data.windows import cut
from pellucid.errors import DataError, SettingsError
from pellucid.tasks.forecast.plain import plain_forecasts, seasonal_scale
from pellucid.tasks.forecast.telling import block_interval

QUICK = {"members": 2, "epochs": 12, "hidden": (8,)}


def sales(count=150, seed=0):
    steps, random = np.arange(count), np.random.default_rng(seed)
    months = [datetime.date(2005 + step // 12, step % 12 + 1, 1) for step in range(count)]
    values = 50 + 0.2 * steps + 8 * np.sin(2 * np.pi * steps / 12) + random.normal(scale=1.0, size=count)
    return pl.DataFrame({"month": months, "sales": values})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return pellucid.train(sales(), run=tmp_path_factory.mktemp("forecast") / "run", **QUICK)


def test_the_task_is_found_and_the_seasons_beaten(run):
    metrics = run.metrics
    assert metrics["task"] == "forecast" and metrics["target"] == "sales"
    assert metrics["forecast"]["season"] == 12 and metrics["forecast"]["horizon"] == 12
    assert metrics["network"]["mase"] < metrics["baselines"]["last_season"]["mase"]
    assert metrics["baselines"]["last_season"]["mase"] < metrics["baselines"]["last_value"]["mase"]
    assert 0.75 < metrics["promise"]["coverage_measured"] <= 1
    html = (run.folder / "report.html").read_text()
    assert "Forecasts in the test part" in html and "<script" not in html


def test_the_model_is_kept_and_asked_again(run):
    model = pellucid.load(run.folder / "model.pellucid")
    forecast = model.predict(sales())
    frame = forecast.to_frame()
    assert frame.columns == ["time", "step", "prediction", "lower", "upper"] and len(frame) == 12
    assert frame["time"][0] == "2017-07-01"
    assert (frame["lower"] <= frame["prediction"]).all() and (frame["prediction"] <= frame["upper"]).all()
    np.testing.assert_array_equal(frame["prediction"], run.model.predict(sales()).to_frame()["prediction"])
    wide = model.predict(sales(), coverage=0.95).to_frame()
    assert (wide["upper"] - wide["lower"] >= frame["upper"] - frame["lower"]).all()
    found = model.evaluate(sales(160, seed=1))
    assert found["metrics"]["mase"] < 1 and found["rows"] > 0


def test_only_the_past_counts(run):
    """A later value changes no forecast from before it."""
    table = sales()
    cut_off = table.head(120)
    model = run.model
    before = model.predict(cut_off).to_frame()["prediction"]
    changed = table.with_columns(pl.when(pl.int_range(len(table)) >= 120).then(0.0).otherwise("sales").alias("sales"))
    np.testing.assert_array_equal(before, model.predict(changed.head(120)).to_frame()["prediction"])


def test_several_series_and_the_command_line(tmp_path, capsys):
    both = pl.concat([sales(100).with_columns(pl.lit(name).alias("shop"), pl.col("sales") * factor)
                      for name, factor in (("north", 1.0), ("south", 30.0))])
    both.sample(fraction=1.0, shuffle=True, seed=0).write_csv(tmp_path / "shops.csv")
    options = ["--members", "2", "--epochs", "5", "--hidden", "8", "--horizon", "3", "--run", str(tmp_path / "run")]
    assert main(["train", str(tmp_path / "shops.csv"), "--quiet", *options]) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["task"] == "forecast" and metrics["forecast"]["horizon"] == 3
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "run" / "model.pellucid"), str(tmp_path / "shops.csv"), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "series,time,step,prediction,lower,upper" and len(lines) == 7
    assert max(float(lines[row].split(",")[3]) for row in (1, 4)) > 500  # the south sells 30 times as much


def test_noise_gives_no_skill(tmp_path):
    steps = np.random.default_rng(3).normal(size=400).cumsum() + 200
    table = pl.DataFrame({"day": [datetime.date(2020, 1, 1) + datetime.timedelta(days=day) for day in range(400)],
                          "price": steps})
    run = pellucid.train(table, run=tmp_path / "run", horizon=3, season=1, **QUICK)
    assert run.metrics["outcome"] != "beats"
    assert any(sentence.startswith("No skill") for sentence in run.metrics["verdict"])


@pytest.mark.parametrize(("table", "settings", "error", "words"), [
    (sales().drop("month"), {}, DataError, "needs a column of dates"),
    (sales(25), {}, DataError, "at least 30"),
    (sales(), {"horizon": 140}, SettingsError, "only 150 steps"),
    (sales(), {"target": "month"}, SettingsError, "as the target and as the time column"),
    (sales(), {"time_column": "day"}, DataError, "no column `day`"),
    (sales().with_columns(other=pl.Series(np.random.default_rng(0).normal(size=150))), {}, DataError, "not clear"),
])
def test_what_cannot_be_forecast_is_said(table, settings, error, words, tmp_path):
    with pytest.raises(error, match=words):
        pellucid.train(table, task="forecast", run=tmp_path / "run", **settings)


def test_plain_forecasts_are_what_their_names_say(run):
    model = run.model
    panel, _ = model.read(sales())
    windows = cut(panel, model.clock, model.frame)
    plain = plain_forecasts(windows, windows.take(np.array([0])), model.frame, 12)
    origin = int(windows.origin[0])
    values = panel[0].values
    np.testing.assert_allclose(plain["last_value"][0], values[origin])
    np.testing.assert_allclose(plain["last_season"][0], values[origin - 11:origin + 1])
    assert seasonal_scale(np.array([1.0, 2.0, 4.0, 2.0]), np.ones(4, bool), 2) == 1.5


def test_the_interval_of_a_mean_knows_neighbours():
    """Values that follow one another alike make the mean less certain than independent ones."""
    steps = np.random.default_rng(0).normal(size=2000)
    drifting = np.convolve(steps, np.ones(50) / 50, mode="same") * 50**0.5
    narrow, wide = (np.diff(block_interval(values, 50))[0] for values in (steps, drifting))
    assert wide > 3 * narrow

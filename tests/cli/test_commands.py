"""What commands print, write and answer with."""
from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import pellucid
import pellucid.cli.output
import pellucid.cli.table
from pellucid.cli import dispatch, predict, trouble
from pellucid.core.names import ZOO
from pellucid.networks import networks
from pellucid.networks.samples import SAMPLES

from .conftest import SMALL, clients

ROOT = Path(pellucid.__file__).parent.parent


def test_train_writes_the_run_folder(trained):
    assert {path.name for path in trained.iterdir()} >= {"model.pellucid", "metrics.json", "history.csv",
                                                         "settings.json", "report.html"}
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["target"] == "lend" and metrics["task"] == "classify" and 0 <= metrics["network"]["roc_auc"] <= 1


def test_train_prints_verdict_and_paths(command):
    clients().write_csv("bank.csv")
    answer = command("train", "bank.csv", *SMALL, "--verbose")
    assert answer.code == 0
    assert "this network" in answer.out and "logistic regression" in answer.out
    assert "`lend` is taken as the target" in answer.err and "--target" in answer.err
    assert f"report:  {Path('runs/bank-1/report.html')}" in answer.err and Path("runs/bank-1/report.html").exists()


def test_a_table_from_standard_input(command, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(clients().write_csv().encode())))
    answer = command("train", "-", "--target", "lend", "--run", "here", *SMALL)
    assert answer.code == 0 and Path("here/model.pellucid").exists()


def test_large_files_are_read_once_only(table, monkeypatch):
    monkeypatch.setattr(pellucid.cli.table, "QUICK", 100)
    monkeypatch.setattr(pellucid.cli.table, "read_table", None)
    assert pellucid.cli.table.look(str(table), "no such column") == str(table)


def test_train_prints_json_alone(command):
    clients().write_csv("bank.csv")
    answer = command("train", "bank.csv", "--target", "age", "--json", "--quiet", "--run", "here", *SMALL)
    record = json.loads(answer.out)
    assert record["task"] == "regress" and record["run"] == "here" and Path(record["model"]).exists()
    assert answer.err == ""


def test_inspect(command, table):
    answer = command("inspect", table, "--target", "lend", "--type", "age=category")
    assert answer.code == 0 and "300 rows" in answer.out and "category" in answer.out and answer.err == ""
    record = json.loads(command("inspect", table, "--target", "lend", "--json").out)
    assert [column["name"] for column in record["columns"]] == clients(1).columns


def test_inspect_standard_input(command, monkeypatch):
    text = clients().write_csv().encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert "300 rows" in command("inspect", "-").out


def test_predict_prints_a_table(command, model, table):
    answer = command("predict", model, table)
    frame = pl.read_csv(io.StringIO(answer.out))
    assert frame.columns == ["row", "prediction", "confidence", "probability_bad", "probability_good",
                             "prediction_set", "unlikeness", "p_value"]
    assert frame["row"].to_list() == list(range(300))


def test_predict_in_pieces_is_the_same(command, model, table, monkeypatch):
    whole, whole_json = command("predict", model, table).out, command("predict", model, table, "--json").out
    monkeypatch.setattr(predict, "ROWS", 128)
    assert command("predict", model, table).out == whole
    assert command("predict", model, table, "--format", "json").out == whole_json
    assert len(json.loads(whole_json)) == 300


def test_predict_into_a_file(command, model, table):
    answer = command("predict", model, table, "--output", "out.json", "--coverage", "0.5")
    assert answer.code == 0 and answer.out == "" and "300 predictions in `out.json`" in answer.err
    assert json.loads(Path("out.json").read_text())[0]["row"] == 0
    assert [path.name for path in Path().iterdir()] == ["out.json"]


def test_a_full_disk_leaves_the_old_predictions(command, model, table, monkeypatch):
    Path("out.csv").write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(pellucid.cli.output.os, "replace", full)
    answer = command("predict", model, table, "--output", "out.csv")
    assert answer.code == 2 and "No space left" in answer.err
    assert Path("out.csv").read_text() == "old" and [path.name for path in Path().iterdir()] == ["out.csv"]


def test_evaluate(command, model, table):
    answer = command("evaluate", model, table)
    assert answer.code == 0 and "300 rows" in answer.out and "ROC AUC" in answer.out
    record = json.loads(command("evaluate", model, table, "--json").out)
    assert record["rows"] == 300 and 0 <= record["metrics"]["roc_auc"] <= 1


def test_describe(command, model):
    answer = command("describe", model, "--draw", "network.png")
    assert answer.code == 0 and "hidden 1" in answer.out
    assert Path("network.png").read_bytes().startswith(b"\x89PNG")


def test_describe_a_planned_network(command):
    answer = command("describe", "--network", "feedforward", "--hidden", "64,64", "--inputs", "30", "--outputs", "2",
                     "--json")
    record = json.loads(answer.out)
    assert record["synapses"] == 30 * 64 + 64 * 64 + 64 * 2 and record["neurons"]["hidden"] == 128


@pytest.mark.parametrize("name", sorted(set(ZOO) & set(networks)))
def test_describe_every_kind_of_network(command, name):
    answer = command("describe", "--network", name, "--draw", "network.svg")
    assert answer.code == 0 and "synapses" in answer.out and Path("network.svg").stat().st_size > 1000


def test_the_zoo_is_complete():
    assert set(ZOO) == set(SAMPLES) and set(networks) - set(ZOO) <= {"composite", "per_example", "pretraining"}


def test_export(command, model):
    pytest.importorskip("onnx")
    answer = command("export", model, "--to", "onnx", "--output", "bank.onnx")
    assert answer.code == 0 and Path("bank.onnx").stat().st_size > 0


def test_our_bugs_leave_a_report_without_data(command, monkeypatch, table):
    value = "Mrs Miller"

    def broken(*_, **__):
        raise RuntimeError(f"the value was {value}")
    monkeypatch.setattr(dispatch, "parse_settings", broken)
    answer = command("inspect", table)
    assert answer.code == 1 and answer.err.startswith("error: This is a bug in Pellucid: RuntimeError")
    assert "Traceback" not in answer.err and len(answer.err.splitlines()) == 2
    report = next(Path().glob("pellucid-error-*.txt")).read_text()
    assert "RuntimeError" in report and "command: pellucid inspect" in report and "in broken" in report
    assert "Miller" not in report


def test_the_report_goes_elsewhere_when_the_folder_is_closed(command, monkeypatch, tmp_path):
    monkeypatch.setattr(trouble.Path, "cwd", lambda: tmp_path / "not there")
    monkeypatch.setattr(trouble.tempfile, "gettempdir", lambda: str(tmp_path))
    assert trouble.write_bug_report(RuntimeError("x"), ["train"]).parent == tmp_path


def test_debugging_shows_the_traceback(command, monkeypatch):
    monkeypatch.setenv("PELLUCID_DEBUG", "1")
    answer = command("train", "no such file.csv")
    assert answer.code == 2 and "Traceback" in answer.err


def test_memory_that_is_too_small(command, monkeypatch, table):
    def hungry(*_, **__):
        raise MemoryError
    monkeypatch.setattr(dispatch, "parse_settings", hungry)
    answer = command("inspect", table)
    assert answer.code == 2 and "not enough memory" in answer.err


def test_a_pipe_that_closes_is_quiet(model, table):
    script = f"{sys.executable} -m pellucid predict {model} {table} | head -n 1"
    done = subprocess.run(["bash", "-c", f"{script}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True,
                          cwd=ROOT)
    assert done.stderr == "" and done.stdout.splitlines()[1:] == ["0"]


def test_interrupting_keeps_what_was_learned(tmp_path, table, command):
    started = subprocess.Popen(
        [sys.executable, "-m", "pellucid", "train", str(table), "--target", "lend", "--run", str(tmp_path / "run"),
         "--epochs", "1000000", "--patience", "1000000", "--members", "1", "--hidden", "4", "--schedule", "constant"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"}, cwd=ROOT)
    said = ""
    while "predicted:" not in said:
        line = started.stderr.readline()
        assert line, said
        said += line
    time.sleep(1)
    started.send_signal(signal.SIGINT)
    _, rest = started.communicate(timeout=60)
    assert started.returncode == 130, rest
    assert "--resume" in rest and "Traceback" not in rest
    assert command("predict", tmp_path / "run" / "model.pellucid", table).code == 0

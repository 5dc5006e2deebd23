"""Input that stops a command: exit code 2, `error:` and `hint:`, no traceback. One test a line of the promise."""
from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest

from .conftest import assert_user_error, clients


def write(text: str | bytes, name: str = "bank.csv") -> str:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def rows(count: int, line: str = "{0},{1},{2}") -> str:
    return "".join(line.format(index, index * 7 % 5, ("yes", "no")[index % 2]) + "\n" for index in range(count))


@pytest.fixture(params=["train", "inspect"])
def reads(request, command):
    """A command that reads a table."""
    return lambda *arguments: command(request.param, *arguments)


def test_no_such_file(reads):
    write("a,b\n1,2\n", "clients.csv")
    assert_user_error(reads("client.csv"), "no file `client.csv`", "clients.csv")


def test_no_such_folder(reads):
    assert_user_error(reads("nowhere/client.csv"), "nowhere")


def test_empty_file(reads):
    assert_user_error(reads(write("")), "`bank.csv` is empty")


def test_header_only(reads):
    assert_user_error(reads(write("a,b,c\n")), "no rows")


def test_binary_junk_as_csv(reads):
    assert_user_error(reads(write(random.Random(0).randbytes(5000))), "bank.csv")


def test_a_picture_as_csv(reads):
    assert_user_error(reads(write(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)), "bank.csv")


def test_duplicate_column_names(reads):
    assert_user_error(reads(write("a,b,a\n" + rows(20))), "`a`")


def test_an_empty_folder(reads):
    Path("pictures").mkdir()
    assert_user_error(reads("pictures"), "folder `pictures` is empty")


def test_a_damaged_parquet_file(reads):
    assert_user_error(reads(write(b"PAR1" + bytes(100), "bank.parquet")), "Parquet")


def test_a_damaged_gzip_file(reads):
    assert_user_error(reads(write(b"\x1f\x8b" + bytes(100), "bank.csv.gz")), "bank.csv.gz")


def test_target_missing(reads):
    assert_user_error(reads(write("age,sum,lend\n" + rows(40)), "--target", "lent"), "`lent`", "did you mean `lend`")


def test_one_column(command):
    assert_user_error(command("train", write("lend\n" + "yes\nno\n" * 20)), "column")


def test_one_class(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40, "{0},{1},yes")), "--target", "lend"), "lend")


def test_target_all_missing(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40, "{0},{1},")), "--target", "lend"), "lend")


def test_fewer_than_ten_rows(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(9))), "10")


def test_an_unknown_type(command):
    answer = command("train", write("age,sum,lend\n" + rows(40)), "--type", "age=numbr")
    assert_user_error(answer, "numbr", "`number`")


def test_a_type_for_a_column_that_is_not_there(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40)), "--type", "agee=number"), "agee")


def test_negative_epochs(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40)), "--epochs", "-3"), "epochs", "-3")


def test_a_loss_for_the_other_task(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40)), "--loss", "huber"), "huber", "lend")


def test_an_unknown_positive_class(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40)), "--positive", "yess"), "yess")


def test_an_unknown_time_column(command):
    assert_user_error(command("train", write("age,sum,lend\n" + rows(40)), "--time-column", "dayy"), "dayy")


def test_a_used_run_folder(command):
    write("a,b,lend\n" + rows(40))
    assert_user_error(command("train", "bank.csv", "--run", "."), "not empty")


def test_a_folder_of_something_else_is_not_resumed(command):
    Path("other").mkdir()
    Path("other/thesis.txt").write_text("mine")
    answer = command("train", write("age,sum,lend\n" + rows(40)), "--resume", "--run", "other")
    assert_user_error(answer, "resume", "other")


def test_a_start_that_is_not_there(command):
    answer = command("train", write("age,sum,lend\n" + rows(40)), "--from", "model.pellucid")
    assert_user_error(answer, "`start` was `model.pellucid`: neither a file nor one of efficientnet-lite0")


def test_too_few_rows_for_a_learning_curve(command):
    assert_user_error(command("learning-curve", write("age,sum,lend\n" + rows(40))), "a learning curve needs at least")


def test_a_model_without_pictures_cannot_dream(command):
    assert_user_error(command("dream", "no such file"), "no such file")


def test_an_unknown_command(command):
    assert_user_error(command("trian"), "`trian`", "`train`")


def test_a_file_instead_of_a_command(command):
    write("a,b\n1,2\n")
    assert_user_error(command("bank.csv"), "pellucid train bank.csv")


def test_an_unknown_option(command):
    assert_user_error(command("train", "bank.csv", "--epoch", "3"), "`--epoch`", "`--epochs`")


def test_a_lacking_argument(command):
    assert_user_error(command("train"), "DATA", "pellucid train --help")


def test_a_lacking_value(command):
    assert_user_error(command("train", "bank.csv", "--epochs"), "--epochs")


class TestModelFile:
    """A model file that cannot be used."""

    def test_no_such_file(self, command, table):
        assert_user_error(command("predict", "model.pellucid", table), "no file `model.pellucid`")

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
    def test_truncated(self, command, table, model, share):
        content = model.read_bytes()
        write(content[:int(len(content) * share)], "cut.pellucid")
        assert_user_error(command("predict", "cut.pellucid", table), "cut.pellucid")

    def test_flipped_bits(self, command, table, model):
        content = bytearray(model.read_bytes())
        with zipfile.ZipFile(model) as file:
            weights = file.getinfo("weights.safetensors")
        content[weights.header_offset + weights.compress_size // 2] ^= 255
        write(bytes(content), "flipped.pellucid")
        assert_user_error(command("predict", "flipped.pellucid", table), "flipped.pellucid")

    @pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", bytes(range(256))], ids=["empty", "table", "junk"])
    def test_wrong_kind(self, command, table, content):
        write(content, "wrong.pellucid")
        assert_user_error(command("predict", "wrong.pellucid", table), "wrong.pellucid")

    def test_another_zip_file(self, command, table):
        with zipfile.ZipFile("other.pellucid", "w") as file:
            file.writestr("hello.txt", "hello")
        assert_user_error(command("predict", "other.pellucid", table), "not a Pellucid model")

    def test_a_newer_format(self, command, table, model):
        changed(model, "newer.pellucid", lambda record: record | {"format": 99})
        assert_user_error(command("predict", "newer.pellucid", table), "format 99", "pip install --upgrade pellucid")

    def test_parts_that_do_not_fit(self, command, table, model):
        changed(model, "odd.pellucid", lambda record: record | {"features": record["features"][1:]})
        assert_user_error(command("predict", "odd.pellucid", table))

    def test_a_zip_bomb(self, command, table, model):
        with zipfile.ZipFile(model) as before, zipfile.ZipFile("bomb.pellucid", "w", zipfile.ZIP_DEFLATED) as file:
            for name in before.namelist():
                file.writestr(name, bytes(2**28) if name == "weights.safetensors" else before.read(name))
        assert Path("bomb.pellucid").stat().st_size < 2**20
        assert_user_error(command("predict", "bomb.pellucid", table), "would unpack to 268 MB")

    def test_a_run_folder(self, command, table, trained):
        assert_user_error(command("describe", trained), "folder", "model.pellucid")


def changed(model: Path, name: str, change) -> None:
    """A copy of a model with another model.json."""
    with zipfile.ZipFile(model) as before, zipfile.ZipFile(name, "w") as file:
        for part in before.namelist():
            content = before.read(part)
            if part == "model.json":
                content = json.dumps(change(json.loads(content))).encode()
            file.writestr(part, content)


def test_prediction_data_that_lack_a_column(command, model):
    clients(20).drop("housing").write_csv("new.csv")
    assert_user_error(command("predict", model, "new.csv"), "`housing`")


def test_evaluation_data_that_lack_the_target(command, model):
    clients(20).rename({"lend": "lent"}).write_csv("new.csv")
    assert_user_error(command("evaluate", model, "new.csv"), "`lend`", "`lent`")


def test_evaluation_data_of_other_classes(command, model):
    clients(20).with_columns(lend=pl.lit("unheard of")).write_csv("new.csv")
    assert_user_error(command("evaluate", model, "new.csv"), "lend")


@pytest.mark.parametrize("arguments", [("--format", "xls"), ("--coverage", "1.5"), ("--output", "no/such/place.csv")])
def test_bad_options_of_predict(command, model, table, arguments):
    assert_user_error(command("predict", model, table, *arguments), arguments[1])


@pytest.mark.parametrize("arguments", [
    (), ("--network", "feedforwrd"), ("--network", "memory", "--hidden", "3"), ("--inputs", "0", "--outputs", "2"),
    ("--inputs", "3", "--outputs", "2", "--draw", "x.doc"), ("--inputs", "3", "--outputs", "2", "--activation", "rel"),
])
def test_bad_options_of_describe(command, arguments):
    assert_user_error(command("describe", *arguments))


def test_an_unknown_export_format(command, model):
    assert_user_error(command("export", model, "--to", "onx"), "`onnx`")


def test_standard_input_without_data(command, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert_user_error(command("train", "-"), "empty")

"""Files of every kind, good and bad."""
from __future__ import annotations

import gzip
import io
import sys
import time
from types import SimpleNamespace

import polars as pl
import pytest

from pellucid.data import read
from pellucid.data.read import as_table, read_chunks, read_table
from pellucid.errors import DataError, MissingExtraError

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
CSV = b"a,b\n1,x\n2,\n3,z\n"


def written(folder, name, data=None, write=None):
    path = folder / name
    write(path) if write else path.write_bytes(data)
    return path


@pytest.mark.parametrize(("name", "data"), [
    ("t.csv", CSV), ("t.tsv", CSV.replace(b",", b"\t")),
    ("t.txt", CSV.replace(b",", b";")),
    ("t.csv.gz", gzip.compress(CSV, mtime=0)),
    ("t", CSV), ("t.weird", CSV), ("t.csv", gzip.compress(CSV, mtime=0)),
])
def test_text_files_give_columns_of_text(tmp_path, name, data):
    table = read_table(written(tmp_path, name, data))
    assert table.frame.dtypes == [pl.String, pl.String] and table.source == name
    assert table.frame.rows() == [("1", "x"), ("2", None), ("3", "z")]


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl", "t.ndjson", "t.json", "t.xlsx", "t.arrow"])
def test_typed_files_keep_types(tmp_path, name):
    writers = {"parquet": FRAME.write_parquet, "jsonl": FRAME.write_ndjson, "ndjson": FRAME.write_ndjson,
               "json": FRAME.write_json, "xlsx": FRAME.write_excel, "arrow": FRAME.write_ipc}
    table = read_table(str(written(tmp_path, name, write=writers[name.split(".")[1]])))
    assert table.frame.rows() == FRAME.rows() and table.frame.dtypes == FRAME.dtypes


def test_json_lines_of_mixed_types(tmp_path):
    table = read_table(written(tmp_path, "t.jsonl", b'{"a":1,"b":"x"}\n{"a":"q","c":[1,2]}\n'))
    assert table.names == ("a", "b", "c") and table.column("a").to_list() == ["1", "q"]


def test_excel_sheets(tmp_path):
    path = written(tmp_path, "t.xlsx", write=lambda path: FRAME.write_excel(path, worksheet="data"))
    assert len(read_table(path, sheet="data")) == 3
    with pytest.raises(DataError, match="its sheets: data"):
        read_table(path, sheet="dta")


def test_excel_without_the_extra(tmp_path, monkeypatch):
    path = written(tmp_path, "t.xlsx", write=FRAME.write_excel)
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[excel\]'"):
        read_table(path)


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(CSV)))
    assert read_table("-").source == "standard input"


BAD = {
    "empty": ("t.csv", b"", "is empty"), "blank": ("t.csv", b"\n \n", "is empty"),
    "header only": ("t.csv", b"a,b\n", "no rows"),
    "duplicate": ("t.csv", b"a,a\n1,2\n", "more than one column named `a`"),
    "picture": ("t.csv", b"\x89PNG\r\n\x1a\n\0\0", "PNG picture"),
    "junk": ("t.csv", bytes(range(256)) * 9, "binary"),
    "parquet": ("t.parquet", b"PAR1abc", "damaged Parquet"), "json": ("t.jsonl", b'{"a":1', "not valid JSON"),
    "no rows": ("t.json", b"[]", "no rows"), "number": ("t.json", b"[1, 2]", "not a list of rows"),
    "excel": ("t.xlsx", b"PK\x03\x04xl/" + b"\1" * 50, "cannot be read as an Excel"),
    "zip": ("t.csv", b"PK\x03\x04" + b"\1" * 50, "a zip file"),
    "gzip": ("t.csv.gz", gzip.compress(CSV, mtime=0)[:-6], "damaged gzip"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_say_what_is_wrong_quickly(tmp_path, case):
    name, data, message = BAD[case]
    start = time.perf_counter()
    with pytest.raises(DataError, match=message) as caught:
        read_table(written(tmp_path, name, data))
    assert caught.value.hint and time.perf_counter() - start < 5


def test_no_such_file_names_the_nearest(tmp_path):
    written(tmp_path, "bank.csv", CSV)
    with pytest.raises(DataError, match="did you mean .*bank.csv"):
        read_table(tmp_path / "bnk.csv")
    with pytest.raises(DataError, match="There is no folder"):
        read_table(tmp_path / "no" / "bank.csv")
    with pytest.raises(DataError, match="cannot be read|There is no"):
        read_table("a\0b")


def test_folders(tmp_path):
    with pytest.raises(DataError, match="is empty"):
        read_table(tmp_path)
    written(tmp_path, "bank.csv", CSV)
    with pytest.raises(DataError, match="for example .*bank.csv"):
        read_table(tmp_path)


def test_tables_pass_through():
    table = read_table(FRAME)
    assert as_table(table) is table


@pytest.mark.parametrize("streamed", [1, 1 << 26])
def test_chunks_join_to_the_whole(tmp_path, monkeypatch, streamed):
    lines = "".join(f'{i},"a ""quoted"", text\nover two lines {i}"\n' for i in range(500))
    path = written(tmp_path, "t.csv", ("n,words\n" + lines).encode())
    monkeypatch.setattr(read, "STREAMED", max(streamed, 4000) if streamed == 1 else streamed)
    chunks = list(read_chunks(path, 60))
    assert max(len(chunk) for chunk in chunks) <= 60
    assert pl.concat([chunk.frame for chunk in chunks]).equals(read_table(path).frame)


def test_chunks_of_a_frame():
    assert [len(chunk) for chunk in read_chunks(FRAME, 2)] == [2, 1]

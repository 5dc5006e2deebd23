"""Delimited text: dialect, ragged rows, quotes, speed."""
from __future__ import annotations

import csv
import io
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.delimited import read_delimited, scan_lines
from pellucid.errors import DataError


def rows_of(text):
    frame, notes = read_delimited(text.encode(), "x.csv")
    return frame.columns, frame.rows(), [note.kind for note in notes]


def test_ragged_rows_are_padded_and_cut_and_counted():
    names, rows, kinds = rows_of("a,b,c\n1,2,3\n1\n1,2,3,4\n\n5,,\n")
    assert rows == [("1", "2", "3"), ("1", None, None), ("1", "2", "3"), ("5", None, None)] and kinds == ["ragged_rows"]
    notes = read_delimited(b"a,b,c\n1,2,3\n1\n1,2,3,4\n", "x")[1]
    assert notes[0].count == 2 and "1 too short" in notes[0].message and "1 too long" in notes[0].message


def test_quotes_with_delimiters_line_ends_and_quotes_inside():
    names, rows, kinds = rows_of('a,b\n1,"x,y"\n2,"x""q\nnew"\n3,z\n')
    assert rows == [("1", "x,y"), ("2", 'x"q\nnew'), ("3", "z")] and not kinds


def test_blanks_and_backslashes_before_quotes():
    names, rows, kinds = rows_of('a, b\n1, "x,y"\n2,  "x \\"q\\" z"\n3, z\n')
    assert names == ["a", "b"] and rows == [("1", "x,y"), ("2", 'x "q" z'), ("3", "z")] and not kinds
    assert rows_of('a, b\n1, "x,y"\n2, "c:\\new"\n')[1] == [("1", "x,y"), ("2", "c:\\new")]


@pytest.mark.parametrize("text", ['a,b\n1,5" pipe\n2,x\n', 'a,b\n1,"x,y\n2,x\n4,zz\n', 'a,b\n1,"5" pipe"\n2,x\n'])
def test_stray_quotes_lose_no_row(text):
    names, rows, kinds = rows_of(text)
    assert len(rows) == text.count("\n") - 1 and "quotes" in kinds


def test_no_line_end_at_the_end():
    assert rows_of("a,b\n1,2")[1] == [("1", "2")]
    assert rows_of("a,b")[1] == []


CELL = st.text(st.characters(blacklist_characters="\r\0", blacklist_categories=("Cs",)), max_size=6)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_the_csv_module_wrote_is_read_back(rows, delimiter):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("first", "second", "third"), *rows])
    frame, notes = read_delimited(file.getvalue().encode(), "x", prefer=delimiter)
    assert frame.columns == ["first", "second", "third"] and not notes
    assert [tuple(cell or "" for cell in row) for row in frame.rows()] == rows


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from('ab1,;"\n\t \''), max_size=60))
def test_no_text_crashes(text):
    try:
        frame, _ = read_delimited(text.encode(), "x")
    except DataError:
        return
    assert frame.width >= 1


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from('a,"\n'), max_size=60), block=st.integers(1, 7))
def test_blocks_do_not_change_the_count(text, block):
    data = (text + "\n").encode()
    whole = scan_lines(data, ",", '"')
    pieces = scan_lines(data, ",", '"', block_size=block)
    assert np.array_equal(whole.ends, pieces.ends) and np.array_equal(whole.fields, pieces.fields)
    assert whole.regular == pieces.regular


def test_fifty_thousand_rows_in_under_a_second():
    data = pl.DataFrame({f"c{i}": np.random.default_rng(i).random(50_000) for i in range(20)}).write_csv().encode()
    start = time.perf_counter()
    frame, notes = read_delimited(data, "big.csv")
    assert time.perf_counter() - start < 1 and frame.shape == (50_000, 20) and not notes

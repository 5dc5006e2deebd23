"""Delimiter, quote and header found out."""
from __future__ import annotations

import pytest

from pellucid.data.delimited import read_delimited
from pellucid.data.dialect import find_dialect
from pellucid.errors import DataError


def rows_of(text):
    frame, notes = read_delimited(text.encode(), "x.csv")
    return frame.columns, frame.rows(), [note.kind for note in notes]


@pytest.mark.parametrize(("text", "delimiter", "quote"), [
    ("a,b\n1,2\n", ",", '"'), ("a;b\n1,5;2,5\n", ";", '"'), ("a\tb\n1\t2\n", "\t", '"'), ("a|b\n1|2\n", "|", '"'),
    ("a;b\n1,5;2\n3,5;4\n", ";", '"'), ('"a,x";"b"\n"1,2";"3"\n', ";", '"'), ("'a','b'\n'x,y','z'\n", ",", "'"),
    ("sep=;\na;b\n1;2\n", ";", '"'), ("a\n1\n", ",", '"'), ("a,b,c\n1,2,3;4\n5,6,7;8\n", ",", '"'),
    ("a b c\n" + "1  2 3\n" * 6, " ", '"'), ("a\n" + "some words here\n" * 6, ",", '"'),
])
def test_dialect(text, delimiter, quote):
    found = find_dialect(text.encode(), "x")
    assert (found.delimiter, found.quote) == (delimiter, quote)


def test_header_variants():
    assert rows_of("1,2.5,3\n4,5,6\n7,8,9\n") == (
        ["column_1", "column_2", "column_3"], [("1", "2.5", "3"), ("4", "5", "6"), ("7", "8", "9")], ["no_header"])
    assert rows_of("0,1,2\n4,5,6\n")[0] == ["0", "1", "2"]
    assert rows_of(",a\n1,2\n")[0] == ["unnamed_1", "a"]
    assert rows_of(" a , b\n1,2\n")[0] == ["a", "b"]
    assert rows_of('"x","y"\n"1",2,3\n"2",3,4\n')[0] == ["unnamed_1", "x", "y"]
    assert rows_of("5.1,3.5,setosa\n4.9,3.1,setosa\n")[2] == ["no_header"]
    assert rows_of('"a\nb",c\n1,2\n')[:2] == (["a b", "c"], [("1", "2")])
    assert rows_of("\n\na,b\n1,2\n")[:2] == (["a", "b"], [("1", "2")])


def test_duplicate_names():
    with pytest.raises(DataError, match="more than one column named `a`"):
        rows_of("a,b,a\n1,2,3\n")

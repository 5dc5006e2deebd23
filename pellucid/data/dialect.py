"""How a delimited file is written: delimiter, quote, header; found out from its first lines."""
from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.core.note import Note
from pellucid.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 1 << 18
SAMPLE_LINES = 200
NUMBER = re.compile(r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True)
class Dialect:
    """What is needed to read the body of a delimited file.

    Args:
        delimiter: one character; `" "` stands for any run of blanks.
        quote: `'"'` or `"'"`.
        names: the column names.
        skip: how many bytes come before the body (the header).
        notes: what the header made noticeable.
    """

    delimiter: str
    quote: str
    names: tuple[str, ...]
    skip: int
    notes: tuple[Note, ...] = ()


def find_dialect(data: bytes, source: str, *, prefer: str | None = None) -> Dialect:
    """Find out how UTF-8 `data` is delimited.

    Args:
        data: the file, or at least its first 256 KiB.
        source: its name, for messages.
        prefer: the delimiter that the name of the file suggests; it wins a tie.

    Raises:
        DataError: no line, or duplicate column names.
    """
    start = len(data) - len(data.lstrip(b"\n"))
    sample = data[start:start + SAMPLE_BYTES].decode(errors="replace")
    if not sample.strip():
        raise DataError(f"`{source}` is empty.", "give a file with a header line and at least 10 rows")
    declared = re.match(r"sep=(.)\n", sample)
    if declared:  # written by Excel
        start += len(declared.group(0))
        sample, prefer = sample[declared.end():], declared.group(1)
    lines = sample.split("\n")
    lines = lines[:-1] if len(lines) > 1 and len(data) - start > SAMPLE_BYTES else lines
    quote = _find_quote(sample)
    delimiter = declared.group(1) if declared else _find_delimiter("\n".join(lines), quote, prefer)
    header, used = _first_row(sample, delimiter, quote)
    rows = _rows("\n".join(lines), delimiter, quote)[1:]
    names, has_header, notes = _names(header, rows, source)
    return Dialect(delimiter, quote, names, start + used if has_header else start, notes)


def _rows(sample: str, delimiter: str, quote: str) -> list[list[str]]:
    lines = sample.split("\n")
    if delimiter == " ":
        lines = [re.sub(r"[ \t]+", " ", line.strip()) for line in lines]
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    rows = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > SAMPLE_LINES:
                break
    except csv.Error:  # a field larger than the limit of the csv module
        pass
    return rows


def _find_quote(sample: str) -> str:
    around = r"(?:^|[,;\t|]){q}[^{q}\n]*{q}(?=[,;\t|\n]|$)"
    double, single = (len(re.findall(around.format(q=quote), sample, re.MULTILINE)) for quote in "\"'")
    return "'" if single > 2 * double and '"' not in sample else '"'


def _find_delimiter(sample: str, quote: str, prefer: str | None) -> str:
    """The one that gives most rows as many fields as the header; more fields win a tie."""
    scores = {}
    for delimiter in DELIMITERS:
        rows = _rows(sample, delimiter, quote)
        if not rows or len(rows[0]) < 2:
            continue
        width = len(rows[0])
        body = Counter(len(row) for row in rows[1:])
        fit = max(body[width], body[width + 1]) / max(len(rows) - 1, 1) if len(rows) > 1 else 1.0
        scores[delimiter] = (round(fit, 1), delimiter == prefer, width)
    good = {delimiter: score for delimiter, score in scores.items() if score[0] >= 0.3}
    if good:
        return max(good, key=lambda delimiter: good[delimiter])
    blanks = _rows(sample, " ", quote)
    if len(blanks) > 5 and len(blanks[0]) > 1 and len({len(row) for row in blanks[1:]}) == 1 \
            and len(blanks[1]) - len(blanks[0]) in (0, 1):
        return " "
    return max(scores, key=lambda delimiter: scores[delimiter]) if scores else prefer or ","


def _first_row(sample: str, delimiter: str, quote: str) -> tuple[list[str], int]:
    """The cells of the first row, and how many bytes it takes."""
    if delimiter == " ":
        line = sample.split("\n", 1)[0]
        row = next(csv.reader([re.sub(r"[ \t]+", " ", line.strip())], delimiter=" ", quotechar=quote))
        return row, min(len(line.encode()) + 1, len(sample.encode()))
    consumed = 0

    def lines():
        nonlocal consumed
        for line in sample.split("\n"):
            consumed += len(line.encode()) + 1
            yield line + "\n"

    try:
        row = next(csv.reader(lines(), delimiter=delimiter, quotechar=quote))
    except csv.Error:
        row, consumed = [], len(sample)
    if row and "\n" in "".join(row) and len("".join(row)) > 2000:  # a quote that is never closed
        line = sample.split("\n", 1)[0]
        return [cell.strip(quote) for cell in line.split(delimiter)], len(line.encode()) + 1
    return row, consumed


def _names(header: list[str], rows: list[list[str]],
           source: str) -> tuple[tuple[str, ...], bool, tuple[Note, ...]]:
    """The column names, whether the first line held them, and what to say about it."""
    cells = [" ".join(cell.split()) for cell in header]
    widths = Counter(len(row) for row in rows)
    if _is_data(cells, rows):
        names = tuple(f"column_{position}" for position in range(1, len(cells) + 1))
        message = (f"The first line holds only numbers, so it was taken for data; the columns are called `{names[0]}` "
                   f"to `{names[-1]}`.")
        return names, False, (Note("no_header", message, severity="warning"),)
    usual = widths.most_common(1)[0][0] if widths else len(cells)
    if usual == len(cells) + 1 and any(row[-1].strip() for row in rows if len(row) == usual):
        cells = ["", *cells]  # as R writes row names
    names = [cell or f"unnamed_{position}" for position, cell in enumerate(cells, 1)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(f"`{name}`" for name in repeated[:5])
        raise DataError(f"`{source}` has more than one column named {shown}.",
                        "give every column its own name, in the first line of the file")
    if 2 * sum(bool(NUMBER.match(cell)) for cell in cells) > len(cells):
        return tuple(names), True, (Note("no_header", "Most names in the first line are numbers: if it is data, add a "
                                                      "line with the column names above it.", severity="warning"),)
    return tuple(names), True, ()


def _is_data(cells: Sequence[str], rows: list[list[str]]) -> bool:
    if not rows or not cells or not all(NUMBER.match(cell) for cell in cells):
        return False
    counted = [str(position) for position in range(len(cells) + 1)]
    return list(cells) not in (counted[:-1], counted[1:])  # 0, 1, 2 … are names that libraries give

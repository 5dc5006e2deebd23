"""Which rows of a table a command looks at."""
from __future__ import annotations

from collections.abc import Sequence

from pellucid.cli.trouble import say
from pellucid.errors import DataError

ROWS = 10


def chosen_rows(row: int | None, every_row: bool, total: int, data: str) -> range:
    """The row that was named, or the first ten, or all.

    Raises:
        DataError: there is no such row.
    """
    if row is not None and row >= total:
        raise DataError(f"`--row` was {row}, but `{data}` has {total:,} rows.",
                        f"rows are counted from 0: name one from 0 to {total - 1:,}")
    return range(row, row + 1) if row is not None else range(total if every_row else min(ROWS, total))


def say_left_out(row: int | None, rows: Sequence[int], total: int) -> None:
    """Tell that not all rows were looked at."""
    if row is None and len(rows) < total:
        say("note", f"The first {len(rows)} of {total:,} rows are shown; --row N shows one, --every-row all.", "cyan")

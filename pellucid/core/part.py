"""Something in a row that a user can point at: a column, a word, a region of a picture, an atom."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MOST_LETTERS = 60


@dataclass(frozen=True)
class Part:
    """One thing that speaks for or against an answer.

    Args:
        column: the column it belongs to.
        name: what people call it: `"age"`, a word, `"region 3,4"`, `"0.2–0.4 s"`, `"N7"`, `"node 4"`.
        value: as the user would write it: `"42"`; empty where the name says it all.
        place: where it is. Text: (start, end) characters; picture: (top, left, bottom, right) in the cell's own pixels,
            or the number of a label; sound and series: (start, stop); molecule: the number of the atom; tree: of the
            node.

    Example:
        >>> str(Part("age", "age", "42")), str(Part("review", "dreadful", place=(4, 12)))
        ('age = 42', 'dreadful')
    """

    column: str
    name: str
    value: str = ""
    place: tuple[int | float, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} = {self.value}" if self.value else self.name

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is empty is left out."""
        return {name: list(value) if name == "place" else value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Part:
        """What `to_json` wrote."""
        return cls(record["column"], record["name"], record.get("value", ""), tuple(record.get("place", ())))


def shown(cell: Any) -> str:
    """A cell as a user would write it, on one line and not too long.

    Example:
        >>> shown(3.0), shown(None), shown(0.1 + 0.2)
        ('3', 'no value', '0.3')
    """
    if cell is None or (isinstance(cell, float) and cell != cell):
        return "no value"
    if isinstance(cell, bytes):
        return f"{len(cell):,} bytes"
    text = f"{cell:.10g}" if isinstance(cell, float) else " ".join(str(cell).split())
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS - 1] + "…"

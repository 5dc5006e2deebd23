"""Something that the user should know about the data or a run."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Note:
    """One remark; reading, checking, encoding and predicting give lists of them.

    Args:
        kind: a stable name in snake_case, such as `"ragged_rows"`.
        message: one full sentence for the user.
        column: the column it is about, if it is about one.
        count: how many rows or cells are concerned.
        severity: `"info"` or `"warning"`.

    Example:
        >>> Note("duplicate_rows", "3 rows occur twice.", count=3, severity="warning").count
        3
    """

    kind: str
    message: str
    column: str | None = None
    count: int | None = None
    severity: str = "info"

    def to_json(self) -> dict[str, Any]:
        """The remark as plain values; what is empty is left out."""
        return {key: value for key, value in asdict(self).items() if value is not None}

"""Names of columns in other spellings."""
from __future__ import annotations

import re

from pellucid.data.table import Table
from pellucid.errors import DataError, did_you_mean


def plain_name(name: str) -> str:
    """A column's name without what differs between spellings: `"User ID"`, `"user_id:token"` and `"userId"` are one.

    Example:
        >>> plain_name("User ID"), plain_name("user_id:token")
        ('userid', 'userid')
    """
    return re.sub(r"[^a-z0-9]", "", name.split(":")[0].lower())


def column_like(table: Table, name: str) -> str | None:
    """The column of this name, or the only one that is spelled alike; `None` if there is none."""
    if name in table.names:
        return name
    alike = [one for one in table.names if plain_name(one) and plain_name(one) == plain_name(name)]
    return alike[0] if len(alike) == 1 else None


def find_column(table: Table, name: str) -> str:
    """The same.

    Raises:
        DataError: there is no such column; the hint names the nearest.
    """
    found = column_like(table, name)
    if found is None:
        raise DataError(f"The data lack the column `{name}`.", did_you_mean(name, table.names))
    return found

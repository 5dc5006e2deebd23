"""Which columns of a table name users, items and ratings, by their names; and how a column of identifiers is read."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.spelling import plain_name
from pellucid.data.table import Table
from pellucid.errors import DataError, SettingsError
from pellucid.features.values import as_text, read_numbers

USERS = ("user", "userid", "username", "customer", "customerid", "client", "clientid", "member", "memberid", "visitor",
         "visitorid", "account", "accountid", "reader", "readerid", "viewer", "viewerid", "listener", "listenerid",
         "reviewer", "reviewerid", "shopper", "shopperid", "buyer", "buyerid", "person", "personid", "guest", "guestid",
         "player", "playerid", "patron", "patronid", "uid", "critic")
ITEMS = ("item", "itemid", "movie", "movieid", "film", "filmid", "product", "productid", "book", "bookid", "isbn",
         "song", "songid", "track", "trackid", "artist", "artistid", "album", "albumid", "article", "articleid", "asin",
         "game", "gameid", "show", "showid", "anime", "animeid", "recipe", "recipeid", "course", "courseid",
         "restaurant", "restaurantid", "hotel", "hotelid", "business", "businessid", "stockcode", "sku", "video",
         "videoid", "news", "newsid", "page", "pageid", "joke", "jokeid", "beer", "beerid", "iid", "title")
RATINGS = ("rating", "ratings", "stars", "star", "score", "grade", "rate", "overall", "userrating", "reviewscore",
           "starrating", "preference", "bookrating")
REPEATED = 2.0
"""A column names users, or items, if each value stands in at least so many rows on average."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table of ratings; `rating` is `None` where being in the table says all: clicks, purchases."""

    user: str
    item: str
    rating: str | None = None
    time: str | None = None


def named(table: Table, names: tuple[str, ...]) -> str | None:
    """The first column whose name is one of `names`."""
    return next((column for column in table.names if plain_name(column) in names), None)


def recognise(table: Table, target: str | None) -> str | None:
    """Why a table looks like one of ratings or clicks, or `None` if it does not."""
    user, item = named(table, USERS), named(table, ITEMS)
    if user is None or item is None or user == item or not all(_repeats(table, name) for name in (user, item)):
        return None
    if target is not None and plain_name(target) not in RATINGS:
        return None
    rating = target or named(table, RATINGS)
    if rating in (user, item):
        return None
    if rating is None:
        few = len(table.names) <= 3
        return f"`{user}` names users and `{item}` items, and no column rates them" if few else None
    if np.isnan(read_numbers(table.column(rating)).values).mean() > 0.5:
        return None
    return f"`{user}` names users, `{item}` items and `{rating}` says how much they liked them"


def find_columns(table: Table, target: str | None, settings: Mapping[str, Any]) -> Columns:
    """The columns by the settings, else by their names, else by their place: users, items, ratings.

    Raises:
        DataError: there is no such column, or fewer than two.
        SettingsError: one column was named for two things.
    """
    given = [settings["user_column"], settings["item_column"], target, settings["time_column"]]
    for name in given:
        if name is not None:
            table.column(name)
    taken = [name for name in given if name is not None]
    user = given[0] or _guess(table, USERS, taken, "user")
    item = given[1] or _guess(table, ITEMS, [*taken, user], "item")
    rating = target
    if rating is None:
        rating = next((column for column in table.names if plain_name(column) in RATINGS
                       and column not in (user, item, given[3])), None)
    chosen = [name for name in (user, item, rating, given[3]) if name is not None]
    if len(set(chosen)) < len(chosen):
        double = next(name for name in chosen if chosen.count(name) > 1)
        raise SettingsError(f"The column `{double}` was named for two things.",
                            "name different columns for users, items, ratings and time")
    return Columns(user, item, rating, given[3])


def _guess(table: Table, names: tuple[str, ...], taken: list[str], word: str) -> str:
    found = named(table, names)
    if found is not None and found not in taken:
        return found
    rest = [name for name in table.names if name not in taken and plain_name(name) not in RATINGS]
    if not rest or found is None and len(table.names) > 4:
        raise DataError(f"No column of {table.source} is known to name the {word}s.",
                        f"name it with --{word}-column; the columns are " + ", ".join(map("`{}`".format, table.names)))
    return rest[0]


def _repeats(table: Table, name: str) -> bool:
    column = table.column(name)
    return len(column) >= REPEATED * max(column.n_unique(), 1)


def identifiers(table: Table, name: str) -> np.ndarray:
    """The cells of a column as texts, the same for 3, 3.0 and "3"; `None` where there is no value."""
    return as_text(table.column(name)).to_numpy()

"""What can go wrong, drawn as one tree; imports nothing.

PellucidError
├── UserError                 a user can fix it: the command line prints `error:` and `hint:` and exits with 2
│   ├── DataError             a table, file or column is not what was expected   (also ValueError)
│   ├── SettingsError         an argument is out of range or an unknown name     (also ValueError)
│   ├── ShapeError            an array has the wrong shape                       (also ValueError)
│   ├── ModelFileError        a saved model cannot be read                       (also ValueError)
│   ├── StorageError          something cannot be written: full disk, no rights  (also OSError)
│   └── MissingExtraError     an optional package is not installed               (also ImportError)
└── TrainingError             training cannot go on: the error is not finite from the first step
"""
from __future__ import annotations

import difflib
from collections.abc import Iterable

INSTALL = "pip install 'pellucid[{extra}]'"


class PellucidError(Exception):
    """An error with a message (what was passed, what was expected) and a hint (how to fix it)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint

    def __reduce__(self):
        return type(self), (self.message, self.hint)


class UserError(PellucidError):
    """An error that a user can fix."""


class DataError(UserError, ValueError):
    """A table, file or column is not what was expected."""


class SettingsError(UserError, ValueError):
    """An argument is out of its range or names something unknown."""


class ShapeError(UserError, ValueError):
    """An array has the wrong shape."""


class ModelFileError(UserError, ValueError):
    """A saved model cannot be read."""


class StorageError(UserError, OSError):
    """Something cannot be written: a full disk, missing rights."""


class MissingExtraError(UserError, ImportError):
    """An optional package is not installed; the hint is the exact install command."""

    def __init__(self, message: str, hint: str = "") -> None:
        UserError.__init__(self, message, hint)

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtraError:
        """The error for `package`, which the extra `extra` installs and `purpose` needs."""
        return cls(f"{purpose} needs the package `{package}`, which is not installed.", INSTALL.format(extra=extra))


class TrainingError(PellucidError):
    """Training cannot go on."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The names in `known` that look most like `name`, best first; case does not count."""
    by_lower = {option.lower(): option for option in known}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=count, cutoff=0.5)
    return [by_lower[option] for option in close]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest known ones, or all of them when none is near."""
    known = list(known)
    close = nearest(name, known)
    if close:
        return "did you mean " + " or ".join(f"`{option}`" for option in close) + "?"
    shown = ", ".join(f"`{option}`" for option in known[:20])
    return f"known names: {shown}" + (f" and {len(known) - 20} more" if len(known) > 20 else "")

"""What went wrong, said on stderr: `error:` and `hint:` for what a user can fix, one line and a file for our bugs."""
from __future__ import annotations

import contextlib
import errno
import os
import platform
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from pellucid.cli.options import normal_spelling
from pellucid.errors import PellucidError, SettingsError, StorageError, UserError, did_you_mean, nearest

BUG, USER, INTERRUPTED = 1, 2, 130
PACKAGES = ("pellucid", "jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "polars", "scikit-learn", "typer")
FULL = (errno.ENOSPC, errno.EDQUOT)
DENIED = (errno.EROFS, errno.EACCES, errno.EPERM)


def debugging() -> bool:
    """Whether `PELLUCID_DEBUG=1` asks for tracebacks."""
    return os.environ.get("PELLUCID_DEBUG", "") not in ("", "0")


def say(label: str, text: str, style: str) -> None:
    """One labelled line on stderr, such as `error: ...`; never wrapped, so that it can be searched and copied."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble((f"{label}: ", style), text))


def say_error(message: str, hint: str = "") -> None:
    """`error:` and, where there is one, `hint:`."""
    say("error", message, "bold red")
    if hint:
        say("hint", hint, "cyan")


def exit_code(error: BaseException, arguments: Sequence[str], commands: Mapping[str, Sequence[str]]) -> int:
    """Say what `error` means to the user, and give the exit code.

    Args:
        error: what ended the command.
        arguments: the command line.
        commands: the options of each command, to find what was meant.
    """
    if type(error).__name__ == "NoArgsIsHelpError":  # `pellucid` alone: help was printed
        return 0
    if debugging() and not isinstance(error, (KeyboardInterrupt, BrokenPipeError)):
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        say_error("Interrupted.")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _close_stdout()
        return 0
    known = error if isinstance(error, PellucidError) else _as_user_error(error, arguments, commands)
    if known is not None:
        say_error(known.message, known.hint)
        return USER
    _say_bug(error, arguments)
    return BUG


def _as_user_error(error: BaseException, arguments: Sequence[str],
                   commands: Mapping[str, Sequence[str]]) -> UserError | None:
    if isinstance(error, typer.TyperException) and error.exit_code == USER:
        return _usage_error(error, arguments, commands)
    if isinstance(error, MemoryError):
        return StorageError("There is not enough memory for this.", "use a smaller --batch-size, fewer --members or "
                            "fewer rows")
    if isinstance(error, OSError) and (error.errno in FULL or error.errno in DENIED and error.filename):
        if error.filename is None:
            _close_stdout()
        return StorageError(f"Could not write `{error.filename or 'standard output'}`: {error.strerror}.",
                            "free some disk space or choose a place that you may write to")
    return None


def _usage_error(error: typer.TyperException, arguments: Sequence[str],
                 commands: Mapping[str, Sequence[str]]) -> UserError:
    """What Typer says about a command line, in the words of all other errors."""
    text = " ".join(error.format_message().split())
    command = next((word for word in arguments if not word.startswith("-")), "")
    help_hint = f"see `pellucid {command} --help`" if command in commands else "see `pellucid --help`"
    if text.startswith("No such command"):
        meant = f"did you mean `pellucid train {command}`?" if Path(command).exists() else \
            did_you_mean(command, commands)
        return SettingsError(f"There is no command `{command}`.", meant)
    if text.startswith("No such option"):
        wrong = str(getattr(error, "option_name", ""))
        known = [option.removeprefix("--") for option in (*commands.get(command, ()), "--help")]
        close = nearest(normal_spelling(wrong.lstrip("-")), known)
        meant = "did you mean " + " or ".join(f"`--{one}`" for one in close) + "?" if close else help_hint
        return SettingsError(f"There is no option `{wrong}`.", meant)
    return SettingsError(text if text.endswith(".") else text + ".", help_hint)


def _say_bug(error: BaseException, arguments: Sequence[str]) -> None:
    path = write_bug_report(error, arguments)
    where = f"a report without your data is in `{path}`" if path else "run again with PELLUCID_DEBUG=1 for details"
    say_error(f"This is a bug in Pellucid: {type(error).__name__}: {_first_line(error)}", f"{where}; please send it "
              "to the authors" if path else where)


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else "no message"


def write_bug_report(error: BaseException, arguments: Sequence[str]) -> Path | None:
    """Write traceback, versions and command into the current folder, else the temporary one; `None` if neither works.

    Messages of exceptions are left out, because they can quote values of a table.
    """
    lines = [f"command: pellucid {shlex.join(arguments)}", f"python: {platform.python_version()}",
             f"system: {platform.system()} {platform.machine()}, {os.cpu_count()} cores"]
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            lines.append(f"{package}: {metadata.version(package)}")
    lines += ["", "messages of exceptions are left out: they can quote your data"]
    cause: BaseException | None = error
    while cause is not None:
        lines += ["", "".join(traceback.format_tb(cause.__traceback__)) + type(cause).__qualname__]
        cause = cause.__cause__ or cause.__context__
    name = f"pellucid-error-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            return folder / name
    return None


def _close_stdout() -> None:
    """Nobody reads on: send the rest nowhere, so that the interpreter does not complain when it flushes."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

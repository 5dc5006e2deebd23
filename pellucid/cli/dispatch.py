"""`pellucid`: the commands and their options; the code of a command is loaded when it runs, so that help is quick."""
from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from pellucid import __version__
from pellucid.cli import trouble
from pellucid.cli.options import (
    argument,
    normal_spelling,
    option,
    optional_argument,
    parse_settings,
    repeated,
    settings_options,
    spellings,
    switch,
)
from pellucid.core.declared import CHANGE, DESCRIBE_SETTINGS, DREAM, EXPLAIN, LEARNING_CURVE, SIMILAR, TRAIN
from pellucid.core.settings import Setting

DATA = argument("data", "A table: CSV, TSV, Parquet, JSON Lines, Excel; - for standard input; or a folder "
                "with a sub-folder of pictures, recordings or texts for each class.")
MODEL = argument("model", "A model that `pellucid train` wrote.")
JSON = switch("as_json", "Print JSON.", option="--json")
QUIET = switch("quiet", "Say nothing but errors.")
VERBOSE = switch("verbose", "Say more.")
RUN = option("run", "Folder for the results; never overwritten. Default: runs/<data>-<number>.", metavar="DIR")
DEVICE = TRAIN["device"]


@dataclass(frozen=True)
class Command:
    """One command: the module of its name in `pellucid.cli` has a function `run` that takes its parameters by name.

    Args:
        name: as typed.
        help: what it does, in one line.
        parameters: its arguments and options.
        settings: declared settings that are options too; `run` gets those that were given, as `settings`.
    """

    name: str
    help: str
    parameters: tuple[inspect.Parameter, ...]
    settings: tuple[Setting, ...] = ()

    @property
    def all_parameters(self) -> list[inspect.Parameter]:
        """Its own and those of its settings."""
        return [*self.parameters, *settings_options(self.settings)]


COMMANDS = (
    Command("demo", "Train on the bundled German-credit table and report the result.",
            (RUN, JSON, QUIET)),
    Command("inspect", "Show the columns of a table, their types and why, and what is wrong with it.",
            (DATA, option("target", "The column to be predicted.", metavar="COLUMN"),
             repeated("types", "Type of a column where the inferred one is wrong; may be repeated.", option="--type",
                      metavar="COLUMN=TYPE"), JSON), (TRAIN["task"],)),
    Command("train", "Train on a table: a model, its quality beside plain methods, and a report.",
            (DATA, option("target", "The column to be predicted; guessed if not given.", metavar="COLUMN"), RUN,
             switch("resume", "Go on with the interrupted run in the folder --run."),
             JSON, QUIET, VERBOSE), tuple(TRAIN.values())),
    Command("evaluate", "Measure a model on rows with known answers.", (MODEL, DATA, JSON), (DEVICE,)),
    Command("predict", "Predict every row of a table, in pieces if it is large.",
            (MODEL, DATA, option("output", "File to write instead of standard output.", metavar="FILE"),
             option("format", "csv or json; by the ending of --output, else csv.", metavar="csv|json"),
             switch("as_json", "The same as --format json.", option="--json"), QUIET),
            (TRAIN["coverage"], TRAIN["risk"], TRAIN["top"], DEVICE)),
    Command("enrol", "Teach a model that verifies further people or things, from a few examples each.",
            (MODEL, argument("data", "A folder with one sub-folder for each of them, or a table."),
             option("output", "File to write. Default: the model's name with -enrolled.", metavar="FILE"))),
    Command("describe", "Show the layers, neurons and synapses of a model, or of a network before training.",
            (optional_argument("model", "A model that `pellucid train` wrote."),
             option("inputs", "Input neurons, with --network; its sample's if not given.", metavar="N"),
             option("outputs", "Output neurons, with --network; its sample's if not given.", metavar="N"),
             option("draw", "Draw the network into this PNG, SVG or PDF file.", metavar="FILE"), JSON),
            DESCRIBE_SETTINGS),
    Command("export", "Write a model in another format.",
            (MODEL, option("to", "The format: onnx.", metavar="FORMAT"),
             option("output", "File to write. Default: the model's name with .onnx.", metavar="FILE"))),
    Command("explain", "Say why predictions are what they are, part by part, and whether that can be relied on.",
            (MODEL, DATA, switch("every_row", "Explain all rows, not only the first ten."),
             option("html", "Write a page with pictures into this file.", metavar="FILE"), JSON, QUIET),
            (*EXPLAIN.values(), DEVICE)),
    Command("change", "Say what would change predictions: the fewest and smallest changes of a row.",
            (MODEL, DATA, switch("every_row", "Look at all rows, not only the first ten."), JSON, QUIET),
            (*CHANGE.values(), DEVICE)),
    Command("similar", "Show the training rows that are most like a row, and those that its answer comes from.",
            (MODEL, DATA, switch("every_row", "Look at all rows, not only the first ten."), JSON, QUIET),
            (*SIMILAR.values(), DEVICE)),
    Command("learning-curve", "Train on growing parts of a table, and say what more rows would bring.",
            (DATA, option("target", "The column to be predicted; guessed if not given.", metavar="COLUMN"),
             option("html", "Write a page with the curve into this file.", metavar="FILE"), JSON, QUIET),
            tuple(LEARNING_CURVE.values())),
    Command("dream", "Show what a class or a neuron of a network for pictures looks for.",
            (argument("model", "A model that `pellucid train` wrote, or efficientnet-lite0."),
             option("wish", "The class to dream of; all if not given, up to 12.", metavar="CLASS", option="--class"),
             option("photograph", "A picture to begin with, instead of noise.", metavar="FILE"),
             option("output", "Picture to write. Default: dream.png.", metavar="FILE")),
            (*DREAM.values(), DEVICE)),
)

app = typer.Typer(name="pellucid", no_args_is_help=True, add_completion=False, rich_markup_mode="rich",
                  suggest_commands=False, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": normal_spelling})


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pellucid {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with: pellucid demo")
def about(version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True,
                                                help="Show the version.", metavar="")] = False) -> None:
    """From a table to a trained network, its honest quality and a file to keep."""


def _register(command: Command) -> None:
    def parsed(**values: Any) -> Callable[[], int]:
        return partial(_perform, command, values)

    parsed.__signature__ = inspect.Signature(command.all_parameters)  # type: ignore[attr-defined]
    parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in command.all_parameters}
    app.command(command.name, help=command.help)(parsed)


def _perform(command: Command, values: dict[str, Any]) -> int:
    """Load the command and run it; the table first, so that a wrong one is told at once."""
    settings = parse_settings(command.settings, values)
    _choose_device(settings.get("device"))
    own = {parameter.name: values[parameter.name] for parameter in command.parameters}
    if "target" in own:
        own["data"] = importlib.import_module("pellucid.cli.table").look(own["data"], own["target"])
    if command.settings:
        own["settings"] = settings
    return importlib.import_module(f"pellucid.cli.{command.name.replace('-', '_')}").run(**own) or 0


for _command in COMMANDS:
    _register(_command)
COMMAND_OPTIONS = {command.name: [spelling for parameter in command.all_parameters for spelling in spellings(parameter)]
                   for command in COMMANDS}


def _choose_device(device: str | None) -> None:
    """JAX reads these when it is loaded, which has not happened yet."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code: 0 done, 1 a bug of ours, 2 the user can fix it, 130 interrupted.

    Args:
        arguments: what follows `pellucid` on the command line; that of this process when `None`.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _escape_what_cannot_be_shown()
    with _plain_warnings():
        try:
            job = app(arguments, prog_name="pellucid", standalone_mode=False)
            code = job() if callable(job) else int(job or 0)
            sys.stdout.flush()
            return code
        except (Exception, KeyboardInterrupt) as error:
            return trouble.exit_code(error, arguments, COMMAND_OPTIONS)


def run() -> None:
    """The entry point `pellucid`."""
    sys.exit(main())


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Pellucid's warnings as one line; those of libraries only when debugging."""
    with warnings.catch_warnings():
        def show(message: Warning | str, category: type[Warning], filename: str, *_: Any) -> None:
            if category is UserWarning or trouble.debugging():
                trouble.say("warning", str(message), "yellow")
        warnings.showwarning = show
        yield


def _escape_what_cannot_be_shown() -> None:
    """A terminal that cannot show a character gets an escape instead of a crash."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

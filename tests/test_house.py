"""The house keeps its shape: imports point one way, public names are those intended, and start-up loads little."""
from __future__ import annotations

import ast
import functools
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pellucid

ROOT = Path(pellucid.__file__).parent
LAYERS = (  # a layer imports only from layers above it; names on one line do not import each other
    {"errors"}, {"core"}, {"nn", "losses"}, {"features"}, {"data"}, {"networks"}, {"training"},
    {"uncertainty", "explain"}, {"model"}, {"report"}, {"tasks"}, {"estimators", "cli"}, {"api"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
LATE_LOADERS = {"__init__.py", "cli/dispatch.py"}
HEAVY = ("jax", "jaxlib", "equinox", "optax", "sklearn", "scipy", "polars", "pandas", "matplotlib", "numpy")
PUBLIC = {
    "Classifier", "DataError", "MissingExtraError", "Model", "ModelFileError", "PellucidError", "Regressor",
    "SettingsError", "ShapeError", "StorageError", "TrainingError", "UserError", "__version__", "errors", "export",
    "dream", "fit", "inspect", "learning_curve", "load", "losses", "networks", "nn", "objectives", "train", "training",
}


@functools.cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """The path below the package and the syntax tree of each module."""
    return tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
                 for path in sorted(ROOT.rglob("*.py")))


def imports(node: ast.AST, hidden: bool = False) -> Iterator[tuple[str, bool, int]]:
    """(module, inside a function?, line) of each import of our own, those for type checkers left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            if child.module == "pellucid":
                yield from ((f"pellucid.{name.name}", hidden, child.lineno) for name in child.names)
            elif (child.module or "").startswith("pellucid."):
                yield child.module, hidden, child.lineno
        elif isinstance(child, ast.Import):
            yield from ((name.name, hidden, child.lineno) for name in child.names
                        if name.name.startswith("pellucid."))
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)):
            yield from imports(child, hidden or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))


def test_every_folder_has_its_layer():
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert folders <= set(RANK)


def test_imports_point_one_way():
    wrong = []
    for name, tree in trees():
        here = name.split("/")[0].removesuffix(".py")
        for module, hidden, line in imports(tree):
            there = module.split(".")[1]
            if hidden:
                wrong.append(f"{name}:{line} imports {module} inside a function")
            if here in RANK and there in RANK and here != there and RANK[there] >= RANK[here]:
                wrong.append(f"{name}:{line} imports {module}, which is not above it")
    assert not wrong, "\n".join(wrong)


def test_no_import_cycle_between_modules():
    graph = {}
    for name, tree in trees():
        module = "pellucid." + name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        graph[module] = {target for target, _, _ in imports(tree)}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module):], module))
        if module in done or module not in graph:
            return
        for target in graph[module]:
            visit(target, (*path, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_modules_are_loaded_late_in_two_places_only():
    assert {name for name, tree in trees() if "import_module" in ast.dump(tree)} == LATE_LOADERS


def test_files_and_functions_stay_small():
    large = []
    for path in ROOT.rglob("*.py"):
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400:
            large.append(f"{path.relative_to(ROOT)}: {lines} lines")
    assert not large, "\n".join(large)


def test_every_public_definition_is_documented():
    bare = [f"{name}:{node.lineno} {node.name}" for name, tree in trees() for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            and not ast.get_docstring(node)]
    assert not bare, "\n".join(bare)


def test_public_names():
    api = importlib.import_module("pellucid.api")
    assert set(pellucid.__all__) == PUBLIC == set(api.__all__) | {"__version__"}
    assert set(dir(pellucid)) == PUBLIC


def test_every_public_name_loads_and_is_the_one_of_the_api():
    api = importlib.import_module("pellucid.api")
    for name in api.__all__:
        assert getattr(pellucid, name) is getattr(api, name), name


def test_an_unknown_name_is_answered_with_a_near_one():
    try:
        pellucid.Clasifier  # noqa: B018
    except AttributeError as error:
        assert "did you mean `Classifier`" in str(error)
    else:
        raise AssertionError("no error")


def loaded_after(code: str) -> set[str]:
    """Top-level packages in `sys.modules` after `code` ran in an interpreter of its own."""
    script = f"import sys\n{code}\nprint('\\nLOADED', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_import_loads_nothing_heavy():
    assert not loaded_after("import pellucid") & set(HEAVY)


def test_help_loads_nothing_heavy():
    for arguments in (["--help"], ["train", "--help"], ["train", "x.csv", "--epochs", "-1"], ["explain"]):
        assert not loaded_after(f"from pellucid.cli.dispatch import main\nmain({arguments!r})") & set(HEAVY)


def test_a_wrong_path_is_told_without_the_engine():
    code = "from pellucid.cli.dispatch import main\nassert main(['train', 'no such file.csv']) == 2"
    assert not loaded_after(code) & {"jax", "sklearn", "matplotlib"}

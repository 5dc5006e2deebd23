"""The documentation: every Python block runs, links lead somewhere, names resolve, and settings.md is up to date."""
from __future__ import annotations

import importlib
import importlib.util
import io
import re
import shutil
import textwrap
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import pellucid
from pellucid.core.declared import TRAIN
from pellucid.tasks import overall

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")] if path.exists())
TABLE = Path(pellucid.__file__).parent / "bundled" / "german_credit.csv"
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n+)?^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
OTHER_ARGUMENTS = {"cell", "codes", "target", "run", "validation"}


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(line, marker, code) of each Python block."""
    text = page.read_text(encoding="utf-8")
    return [(text[:found.start("code")].count("\n") + 1, found["mark"] or "", found["code"])
            for found in BLOCK.finditer(text)]


def is_left_out(mark: str) -> bool:
    """Blocks marked `not run: why`, and `needs: package` where the package is not installed."""
    if mark.startswith("needs: "):
        return importlib.util.find_spec(mark.removeprefix("needs: ").strip()) is None
    return mark.startswith("not run: ")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def resolve(name: str) -> object:
    """The module, class, field or attribute called `name`."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        try:
            found = importlib.import_module(".".join(words[:count]))
        except ModuleNotFoundError:
            continue
        for word in words[count:]:
            fields = getattr(found, "__dataclass_fields__", {})
            found = fields[word] if word in fields else getattr(found, word)
        return found
    raise AttributeError(name)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
@pytest.mark.filterwarnings("default")
def test_every_python_block_runs(page, tmp_path, monkeypatch):
    monkeypatch.setattr(overall, "EXPLAINED_ROWS", 24)
    shutil.copyfile(TABLE, tmp_path / TABLE.name)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": page.stem}
    for line, mark, code in blocks(page):
        if is_left_out(mark):
            continue
        # The blank lines make the line numbers of a traceback those of the page.
        program = compile("\n" * line + textwrap.dedent(code), str(page), "exec", dont_inherit=True)
        with redirect_stdout(io.StringIO()):
            exec(program, namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(there), f"{page.name} links to {target}"


def test_the_start_page_knows_every_page():
    linked = set(LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked


def test_settings_are_up_to_date():
    spec = importlib.util.spec_from_file_location("write_settings", ROOT / "docs" / "write_settings.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == writer.page(), "run: python docs/write_settings.py"
    assert all(f"| `{name}` |" in page for name in TRAIN)


def test_the_vocabulary_names_what_exists():
    page = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(pellucid(?:\.\w+)+)`", page))
    assert len(names) > 40
    for name in names:
        resolve(name)
    arguments = set(re.findall(r"the argument `(\w+)`", page))
    assert arguments <= set(TRAIN) | OTHER_ARGUMENTS


def test_pages_name_no_machine():
    for page in PAGES:
        assert not re.search(r"/(?:home|root|tmp|work)/", page.read_text(encoding="utf-8")), page.name

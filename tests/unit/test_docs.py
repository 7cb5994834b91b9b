from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pictures import PICTURES
from tools.generate_docs import DOCS, pages

ROOT = DOCS.parent
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "weights" / "MODEL_CARD.md"])
SOURCES = sorted(
    path
    for folder in ("edgeflow", "edgeflow_backend", "demo", "benchmarks", "tests", "tools")
    for path in (ROOT / folder).rglob("*.py")
)

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FILE = re.compile(
    r"`((?:edgeflow|edgeflow_backend|tests|tools|training|benchmarks|docker|weights|docs)"
    r"/[\w./-]+\.\w+)`"
)
MODULE = re.compile(r"`(edgeflow(?:_backend)?(?:\.[a-z_0-9]+)+)(?:\.[A-Z]\w*)?`")


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_generated_pages_follow_the_code() -> None:
    stale = [by_name(path) for path, text in pages().items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make reference`"


def test_generated_pages_depend_on_neither_width_nor_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = pages()
    for name, value in (("COLUMNS", "40"), ("TERMINAL_WIDTH", "40"), ("FORCE_COLOR", "1")):
        monkeypatch.setenv(name, value)
    assert pages() == plain


def test_screenshots_are_of_what_the_pages_say_today() -> None:
    stale = [picture.name for picture in PICTURES if not picture.up_to_date()]
    assert stale == [], "run `make pictures` and look at them"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = [
        target.partition("#")[0]
        for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
        if not re.match(r"[a-z]+:|#", target)
    ]
    assert [each for each in targets if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=by_name)
def test_files_and_modules_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [name for name in FILE.findall(text) if not (ROOT / name).exists()] == []
    assert [name for name in MODULE.findall(text) if not _exists(name)] == []


def test_pages_that_code_names_exist() -> None:
    named = {
        page
        for path in SOURCES
        for page in re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert sorted(page for page in named if not (ROOT / page).is_file()) == []


def test_every_asset_is_shown_on_a_page() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in LINK.findall(page.read_text(encoding="utf-8"))
    }
    assets = (path.resolve() for path in (DOCS / "assets").iterdir() if path.suffix != ".json")
    assert sorted(by_name(path) for path in assets if path not in shown) == []


def test_nobody_is_told_to_install_from_an_index_that_lacks_the_package() -> None:
    configurations = (ROOT / "training").glob("*.toml")
    texts = {path: path.read_text(encoding="utf-8") for path in (*PAGES, *SOURCES, *configurations)}
    told = re.compile(r"install[^\n]* '?edgeflow-backend(\[|\s|$)")
    assert sorted(by_name(path) for path, text in texts.items() if told.search(text)) == []


def _exists(module: str) -> bool:
    """Whether a dotted name is a module, a package, or a member of a module."""
    path = ROOT.joinpath(*module.split("."))
    return (
        path.with_suffix(".py").is_file()
        or (path / "__init__.py").is_file()
        or path.parent.with_suffix(".py").is_file()
    )

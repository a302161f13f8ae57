"""Every link of the documentation leads somewhere, and so does every path that it names as code."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md"), *ROOT.glob("tests/**/*.md"))
)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_FENCED: Final = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_PATH: Final = re.compile(r"`((?:docs|src|tests|tools|examples|requirements)/[\w./-]+)`")


def prose(page: Path) -> str:
    """Return a page without its examples."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the places of a page that a link can name, as GitHub names headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in _LINK.findall(prose(page)):
        path, _, place = link.partition("#")
        if path.startswith(("https://", "http://")):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (place and target.suffix == ".md" and place not in anchors(target)):
            lost.append(link)
    lost += [path for path in _PATH.findall(prose(page)) if not (ROOT / path).exists()]
    assert lost == []


def test_every_page_of_the_documentation_is_linked_from_somewhere() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in _LINK.findall(prose(page))
        if not link.startswith(("http", "#"))
    }
    folders = {path for path in linked if path.is_dir()}
    unlinked = [
        page.relative_to(ROOT)
        for page in ROOT.glob("docs/**/*.md")
        if page.resolve() not in linked and page.parent.resolve() not in folders
    ]
    assert unlinked == []


def test_every_context_has_its_readme() -> None:
    contexts = [path.parent for path in (ROOT / "src" / "tenor").glob("*/__init__.py")]
    assert [context.name for context in contexts if not (context / "README.md").exists()] == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    decisions = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    assert [name for name in decisions if f"({name})" not in index] == []

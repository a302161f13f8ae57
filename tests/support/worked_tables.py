"""Read the worked tables of a documentation page, so that a test can execute them."""

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def worked_table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table under `heading` of `docs/<page>`, each a list of its cells, without the head.

    An empty table is an error: a page that is rewritten must not take its test away unnoticed.
    """
    lines = iter((DOCS / page).read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.lstrip("#").strip() == heading and line.startswith("#"):
            break
    rows = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows or line.startswith("#"):
            break
    if len(rows) < 3:
        raise LookupError(f"docs/{page} has no table under {heading!r}")
    return rows[2:]

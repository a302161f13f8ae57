"""One meaning, one word: the glossary's words are those of the code, and the words that it shuns are not."""

import ast
import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "tenor"

OTHER_MEANINGS: Final = {
    "account": "of the ledger",
    "audit": "the record of who did what; in the demo, all checks at its end",
    "bill": "the verb",
    "billing date": "what a resumption keeps, restarts or shifts",
    "catalogue": "all that the price books of a tenant share",
    "client": "the program that calls the API",
    "cycle": "a billing period, where a pause counts them",
    "entry": "of the journal, or of a statement",
    "failed": "what a server does that does not start",
    "lock": "of a row, by the database",
    "meter": "the verb, a stage of the bill run",
    "package": "the charge model",
    "post": "the method of HTTP",
    "price": "what a charge asks for its units",
    "reset": "of usage, at which prepaid credits roll over",
    "schedule": "the service periods of a charge on its grid",
    "sequence": "of an event: its number among those of its object; of a YAML file",
    "settings": "of the operator",
    "update": "of what a REST API keeps: a customer, metadata; a subscription is changed",
}
"""Words that the glossary shuns in one meaning, and the code uses in another: what it means there."""


class Entry(NamedTuple):
    """One row: the words for one meaning (or for two that belong together), and the words not to be used."""

    words: tuple[str, ...]
    shunned: tuple[str, ...]


def glossary() -> list[Entry]:
    """Return the rows of the glossary, remarks in brackets left out."""
    table = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in table if line.startswith("|")][2:]
    return [Entry(_words(word), _words(shunned)) for word, _, shunned in rows]


def _words(cell: str) -> tuple[str, ...]:
    words = (word.strip() for word in re.sub(r"\(.*?\)", "", cell).split(","))
    return tuple(word for word in words if word)


def snake(name: str) -> str:
    """Return a name or some words in snake case: 'PlanVersion' and 'plan version' are 'plan_version'."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\s+", "_", name).lower()


def public_names() -> dict[str, str]:
    """Return every public class, function and module in snake case, with the place of one that has the name."""
    names = {}
    for path in SRC.rglob("*.py"):
        place = str(path.relative_to(SRC))
        names[snake(path.stem)] = place
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                names[snake(node.name)] = f"{place}:{node.lineno} {node.name}"
    return names


def uses(name: str, word: str) -> bool:
    """Whether `word`, or its plural, is a part of a name in snake case."""
    return re.search(rf"(^|_){snake(word)}s?(_|$)", name) is not None


GLOSSARY: Final = glossary()
WORDS: Final = [word for entry in GLOSSARY for word in entry.words]
SHUNNED: Final = [word for entry in GLOSSARY for word in entry.shunned if word not in WORDS]
"""A word that has a row of its own is a right one, and only wrong in the other row's meaning."""


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """The public names of src."""
    return public_names()


@pytest.fixture(scope="module")
def text() -> str:
    """All of src, SQL too."""
    return "\n".join(path.read_text(encoding="utf-8") for end in ("py", "sql") for path in SRC.rglob(f"*.{end}"))


def test_the_table_is_read() -> None:
    assert Entry(("timeline", "phase"), ("schedule",)) in GLOSSARY
    assert Entry(("customer credit",), ("wallet",)) in GLOSSARY
    assert len(WORDS) == len(set(WORDS)) > 50


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_one_of_the_code(text: str, word: str) -> None:
    spelled = r"[\s_]*".join(word.split())  # plan version, plan_version, PlanVersion
    assert re.search(rf"(?<![a-z]){spelled}", text, re.IGNORECASE)


@pytest.mark.parametrize("word", sorted(set(SHUNNED)))
def test_no_public_name_uses_a_shunned_word(names: dict[str, str], word: str) -> None:
    found = [place for name, place in names.items() if uses(name, word)]

    assert bool(found) == (word in OTHER_MEANINGS), found


def test_every_other_meaning_is_of_a_shunned_word() -> None:
    assert OTHER_MEANINGS.keys() <= set(SHUNNED)

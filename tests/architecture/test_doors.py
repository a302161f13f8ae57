"""Contexts meet at their doors: what one may import of another is the table below."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import grimp
import pytest

SRC = Path(__file__).parents[2] / "src"
GROUND: Final = frozenset({"kernel", "platform", "migrations"})
"""No contexts: their modules are the door."""

PURE_ENTRANCES: Final = frozenset(
    {
        "tenor.catalog.model",
        "tenor.catalog.rules",
        "tenor.ledger.model",
        "tenor.metering.model",
        "tenor.pricing.charges",
        "tenor.pricing.contracts.model",
        "tenor.pricing.discounts.model",
        "tenor.pricing.model",
        "tenor.pricing.policy",
        "tenor.pricing.rules.discounts",
        "tenor.pricing.rules.proration",
        "tenor.pricing.rules.rating",
        "tenor.subscriptions.model",
        "tenor.taxes.model",
        "tenor.taxes.rules.giving_back",
        "tenor.taxes.rules.lines",
        "tenor.wallets.model",
        "tenor.webhooks.model",
    }
)
"""Modules that others may import beside the door: values and rules, which do no input or output.

Rules and models must not come through a door, for it opens the stores too.
"""

MADE_FOR_CASES: Final = frozenset(
    {
        "tenor.invoicing.rules.credit_notes",
        "tenor.invoicing.rules.lifecycle",
        "tenor.invoicing.rules.payment_terms",
        "tenor.invoicing.rules.spans",
        "tenor.metering.rules.advance",
        "tenor.metering.rules.aggregate",
        "tenor.metering.rules.folds",
        "tenor.metering.rules.readings",
        "tenor.metering.rules.selection",
        "tenor.subscriptions.lifecycle",
        "tenor.subscriptions.rules.trials",
        "tenor.wallets.rules.burn_down",
        "tenor.wallets.rules.burning",
        "tenor.wallets.rules.eligibility",
        "tenor.wallets.rules.spending",
        "tenor.webhooks.rules.retrying",
        "tenor.webhooks.rules.signing",
    }
)
"""Rules that `conformance` alone may import: a case asks for one step or one move, not for what comes of it."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom in src."""
    return grimp.build_graph("tenor", include_external_packages=True, cache_dir=None)


def context(module: str) -> str:
    """Return the context of a module: tenor.pricing.rules.rating is of pricing."""
    return f"{module}.".split(".")[1]


def entries(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    """Yield each import of a module of another context that is not its door, as (importer, imported)."""
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            theirs = context(imported)
            if not imported.startswith("tenor.") or theirs in {context(importer), *GROUND}:
                continue
            door = f"tenor.{theirs}"
            # a module may be called like the operation that it holds, which the door hands out
            name = imported.removeprefix(f"{door}.")
            if imported != door and name not in import_module(door).__all__:
                yield importer, imported


def test_a_context_is_entered_by_its_door_or_by_a_pure_module(graph: grimp.ImportGraph) -> None:
    strangers = [
        f"{importer} imports {imported}; take it from tenor.{context(imported)}"
        for importer, imported in entries(graph)
        if imported not in PURE_ENTRANCES and not (imported in MADE_FOR_CASES and context(importer) == "conformance")
    ]

    assert strangers == []


def test_every_entrance_beside_a_door_is_used(graph: grimp.ImportGraph) -> None:
    assert {imported for _, imported in entries(graph)} == PURE_ENTRANCES | MADE_FOR_CASES


@pytest.mark.parametrize("module", sorted(PURE_ENTRANCES | MADE_FOR_CASES))
def test_an_entrance_beside_a_door_does_no_input_or_output(graph: grimp.ImportGraph, module: str) -> None:
    below = graph.find_upstream_modules(module, as_package=False)

    assert [name for name in below if name.startswith("tenor.platform") or name in {"psycopg", "typer", "rich"}] == []


def private_imports(text: str) -> list[str]:
    """Return what a module imports of another although a leading underscore says that it is private."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", None) != "__future__":
            parts = f"{getattr(node, 'module', None) or ''}".split(".")
            names = [part for alias in node.names for part in alias.name.split(".")]
            found += [f"line {node.lineno}: {name}" for name in parts + names if name.startswith("_")]
    return found


def test_nobody_imports_a_private_name() -> None:
    found = {
        str(path.relative_to(SRC)): private
        for path in SRC.rglob("*.py")
        if (private := private_imports(path.read_text(encoding="utf-8")))
    }

    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "from tenor.kernel.money import _round",
        "from tenor.kernel._money import round",
        "import typer._click",
        "from . import _x as y",
    ],
)
def test_each_way_to_import_a_private_name_is_seen(text: str) -> None:
    assert len(private_imports(text)) == 1

"""Rules read no clock, throw no dice and ask no environment; money is never a float."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

SRC = Path(__file__).parents[2] / "src" / "tenor"

DECIDING: Final = (
    "kernel",
    "catalog",
    "pricing",
    "metering/model.py",
    "metering/rules",
    "subscriptions/model.py",
    "subscriptions/lifecycle.py",
    "subscriptions/rules",
    "subscriptions/entitlements/model.py",
    "subscriptions/entitlements/rules.py",
    "ledger",
    "invoicing/model.py",
    "invoicing/rules",
    "taxes/model.py",
    "taxes/rules",
    "webhooks/model.py",
    "webhooks/rules",
    "events/model.py",
    "conformance",
    "access/credentials.py",
    "access/scopes.py",
    "platform/repetition.py",
)
"""Code that decides: what it returns must follow from its arguments alone, so that it can be replayed."""

COUNTING_MONEY: Final = (
    "kernel",
    "pricing",
    "metering/rules",
    "subscriptions/rules",
    "ledger",
    "invoicing/rules",
    "taxes/rules",
)
"""Code through which amounts, prices and quantities go: no float, not even on the way."""

OUTSIDE_WORLD: Final = frozenset({"os", "random", "secrets", "socket", "subprocess", "sys", "threading", "time"})
CLOCKS_AND_DICE: Final = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid7"})

ALLOWED: Final = {
    "kernel/ids.py": {"imports os"},  # the random part of a new id; nothing is decided by it
}


def files(*places: str) -> Iterator[Path]:
    """Yield the files of places below src/tenor."""
    for place in places:
        path = SRC / place
        assert path.exists(), place
        yield from [path] if path.suffix else sorted(path.rglob("*.py"))


def impurities(tree: ast.Module) -> set[str]:
    """Return what a module takes from elsewhere than its arguments."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {f"imports {alias.name}" for alias in names if alias.name.split(".")[0] in OUTSIDE_WORLD}
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in OUTSIDE_WORLD:
                found.add(f"imports {module}")
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in CLOCKS_AND_DICE:
                found.add(f"calls {name}()")
    return found


def floats(tree: ast.Module) -> set[str]:
    """Return where a module makes or names a float."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex() as value):
                found.add(f"line {node.lineno}: {value}")
            case ast.Name(id="float"):
                found.add(f"line {node.lineno}: float")
            case ast.Import(names=names) if any(alias.name in {"math", "statistics"} for alias in names):
                found.add(f"line {node.lineno}: a module of floats")
    return found


def test_what_decides_follows_from_its_arguments() -> None:
    found = {
        str(path.relative_to(SRC)): impure
        for path in files(*DECIDING)
        if (impure := impurities(ast.parse(path.read_text(encoding="utf-8"))))
    }

    assert found == ALLOWED


def test_money_is_never_a_float() -> None:
    found = {
        str(path.relative_to(SRC)): inexact
        for path in files(*COUNTING_MONEY)
        if (inexact := floats(ast.parse(path.read_text(encoding="utf-8"))))
    }

    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "import os.path",
        "from os import environ",
        "import random as dice",
        "from time import time",
        "at = datetime.now(UTC)",
        "at = datetime.datetime.utcnow()",
        "day = date.today()",
        "from uuid import uuid4\nid = uuid4()",
    ],
)
def test_each_way_out_is_seen(text: str) -> None:
    assert len(impurities(ast.parse(text))) == 1


@pytest.mark.parametrize("text", ["rate = 0.19", "rate = float(text)", "rate: float", "import math", "x = 1e3"])
def test_each_float_is_seen(text: str) -> None:
    assert len(floats(ast.parse(text))) == 1

"""What differs between two definitions of a plan, told in the words of the file."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tenor.pricing.definition import Definition, filter_from_json, interval_from_json
from tenor.pricing.model import STANDARD_TAX_CATEGORY, SeatCounting
from tenor.pricing.price_book.intervals import in_words

_WRITTEN_AS: Final = MappingProxyType(
    {
        "free_units": "included",
        "min_amount": "minimum",
        "max_amount": "maximum",
        "is_prorated": "prorate",
        "cells": "prices",
    }
)
"""The keys that a file calls otherwise than a definition."""

_INTERVALS: Final = frozenset({"interval", "tier_window", "every", "lasts"})
_UNWRITTEN: Final = MappingProxyType({"counting": SeatCounting.PRORATED.value, "tax_category": STANDARD_TAX_CATEGORY})
"""What a definition says by not having the key."""

Stated = Mapping[str, str]
"""What is said, as texts by path."""


class Difference(NamedTuple):
    """One value that differs; `old` None says that it was not there, `new` None that it is gone."""

    path: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path}: {self.new}"
        return f"{self.path}: {self.old} → {'gone' if self.new is None else self.new}"


def definition_differences(old: Definition | None, new: Definition) -> tuple[Difference, ...]:
    """Return what a new definition changes; all of it when there is no old one.

    The order of charges and features decides nothing and is no difference. A charge that is new or gone is one
    difference as a whole.
    """
    old_charges = _charges(old) if old else {}
    new_charges = _charges(new)
    found = list(_compared(_facts(old) if old else {}, _facts(new)))
    for code in dict.fromkeys([*new_charges, *old_charges]):
        path, before, after = f"charges.{code}", old_charges.get(code), new_charges.get(code)
        if before is not None and after is not None:
            found.extend(_compared(before, after, prefix=f"{path}."))
        else:
            found.append(Difference(path, _in_one_line(before), _in_one_line(after)))
    return tuple(found)


def _compared(old: Stated, new: Stated, *, prefix: str = "") -> Iterator[Difference]:
    for path in dict.fromkeys([*new, *old]):
        before, after = (stated.get(path, _UNWRITTEN.get(path)) for stated in (old, new))
        if before != after:
            yield Difference(f"{prefix}{path}", before, after)


def _facts(definition: Definition) -> Stated:
    return dict(_stated("", {key: value for key, value in definition.items() if key != "charges"}))


def _charges(definition: Definition) -> dict[str, Stated]:
    return {
        body["code"]: dict(_stated("", {**_without(body, "code", "price"), **body["price"]}))
        for body in definition["charges"]
    }


def _stated(path: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if path.rpartition(".")[2] in _INTERVALS:
            yield path, in_words(interval_from_json(value))
        case dict() if path == "filter":
            for condition in filter_from_json(value):
                values = " or ".join(word or "absent" for word in condition.values)
                yield f"filter.{condition.property}", f"not {values}" if condition.excludes else values
        case dict():
            for key, part in value.items():
                word = _WRITTEN_AS.get(key, key)
                yield from _stated(f"{path}.{word}" if path else word, part)
        case list():
            for index, part in enumerate(value):
                yield from _stated(f"{path}[{index}]", part)
        case bool():
            yield path, str(value).lower()
        case None:
            yield path, "unlimited"
        case _:
            yield path, str(value)


def _in_one_line(stated: Stated | None) -> str | None:
    if stated is None:
        return None
    rest = (f"{path} {text}" for path, text in stated.items() if path not in {"kind", "name"})
    return ", ".join([stated["kind"], *rest])


def _without(body: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys}

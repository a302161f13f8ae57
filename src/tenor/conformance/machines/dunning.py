"""Dunning: which stage a customer's unpaid invoices have reached."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

CLEAR: Final = "clear"
"""The stage of a customer who owes nothing that is enforced."""

_THRESHOLDS: Final = ("days_since_earliest_unpaid", "unpaid_invoices", "unpaid_balance")

_HOLDS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], bool]]] = {
    "last_failed_response_in": lambda responses, given: given.get("last_failed_response") in responses,
    "has_flag": lambda flag, given: flag in given.get("flags", ()),
}


def stage_reached(stages: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> str:
    """Return the name of the last of `stages` whose thresholds are all reached, else `CLEAR`.

    What is written off, or not enforced, counts as nothing owed.
    """
    is_enforced = given.get("enforcement", True) and not given.get("written_off") and given.get("unpaid_invoices") != 0
    reached = [stage["name"] for stage in stages if is_enforced and _is_reached(stage, given)]
    return reached[-1] if reached else CLEAR


def matches(condition: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Return whether everything that the condition names holds."""
    return all(
        _HOLDS[name](wanted, given) if name in _HOLDS else _has_reached(name, condition, given)
        for name, wanted in condition.items()
    )


def _is_reached(stage: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    named = [name for name in _THRESHOLDS if name in stage]
    return bool(named) and all(_has_reached(name, stage, given) for name in named)


def _has_reached(name: str, threshold: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    value = given.get(name)
    return value is not None and Decimal(value) >= Decimal(threshold[name])

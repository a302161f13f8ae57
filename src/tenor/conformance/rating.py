"""Answer cases of kind rating."""

from collections.abc import Mapping
from typing import Any

from tenor.conformance.cases import Case


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures that the case can be asked for."""
    raise NotImplementedError(case.id)


def answer_rounding(case: Case) -> Mapping[str, Any]:
    """Return the rounded amount."""
    raise NotImplementedError(case.id)


def answer_allocation(case: Case) -> Mapping[str, Any]:
    """Return the parts of a split by key."""
    raise NotImplementedError(case.id)

"""Answer cases of kind aggregation."""

from collections.abc import Mapping
from typing import Any

from tenor.conformance.cases import Case


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures that the case can be asked for."""
    raise NotImplementedError(case.id)

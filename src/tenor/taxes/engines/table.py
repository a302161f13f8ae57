"""The adapter that answers from the tenant's own table of rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tenor.taxes.model import TaxAnswer, TaxRequest
from tenor.taxes.rules.which_rates import RateTable


@dataclass(frozen=True, slots=True)
class TableEngine:
    """Answers from a table as it stands at one instant; `source` says in which role the table is asked."""

    table: RateTable
    source: Literal["table", "fallback"] = "table"

    def answers(self, requests: Sequence[TaxRequest]) -> list[TaxAnswer]:
        """Return the rates of each request; none for a place that the table does not know."""
        return [
            TaxAnswer(self.table.rates(situation.jurisdiction, category), self.source)
            for situation, category in requests
        ]

"""The port of tax engines: who says which rates hold for a buyer in a place on a day."""

from collections.abc import Sequence
from typing import Protocol

from tenor.taxes.model import TaxAnswer, TaxRequest


class TaxEngineFailed(Exception):
    """No usable answer: no connection, too slow, an error, or nonsense. Nothing of a partial answer is used."""


class TaxEngine(Protocol):
    """Answers for rates. Two adapters: `TableEngine` (our own table) and `HttpTaxEngine` (a server's)."""

    def answers(self, requests: Sequence[TaxRequest]) -> list[TaxAnswer]:
        """Return one answer for each request, in their order.

        An adapter may use the network: call it outside of transactions.

        Raises:
            TaxEngineFailed: there is no usable answer to them.
        """
        ...

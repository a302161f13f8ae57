"""Set what a file of taxes gives: the seller, and rates."""

from datetime import datetime

from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes.file import TaxFile
from tenor.taxes.model import TaxRate
from tenor.taxes.operations.set_tax_rates import set_tax_rates
from tenor.taxes.operations.set_tax_seller import set_tax_seller
from tenor.taxes.store import tax_rates, tax_seller


def apply_tax_file(uow: UnitOfWork, content: TaxFile, *, now: datetime, actor: str, reason: str) -> list[TaxRate]:
    """Set the seller and the rates of a file; return the rates that were not there already. Again, it changes nothing.

    Rates that the file does not name stay: a rate ends by another one that takes its place, or by its own end.

    Raises:
        InvalidTaxId: a tax id that the seller's country cannot have issued.
    """
    if content.seller is not None:
        set_tax_seller(uow, content.seller, now=now, actor=actor, reason=reason)
    return set_tax_rates(uow, content.rates, now=now, actor=actor, reason=reason)


def tax_file(uow: UnitOfWork) -> TaxFile:
    """Return the file that says what holds: the seller, and every rate that holds at any time."""
    return TaxFile(tax_seller(uow), tax_rates(uow))

"""Say where the tenant itself is taxed, and who says the rates."""

from dataclasses import asdict, replace
from datetime import datetime

from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes.model import TaxSeller
from tenor.taxes.rules.tax_ids import checked_tax_id
from tenor.taxes.store import tax_seller, write_seller


def set_tax_seller(uow: UnitOfWork, seller: TaxSeller, *, now: datetime, actor: str, reason: str) -> TaxSeller:
    """Set the seller's country, tax id and source of rates; return it with the tax id in its compact form.

    Raises:
        InvalidTaxId: a tax id that the country cannot have issued.
    """
    if seller.tax_id is not None:
        seller = replace(seller, tax_id=checked_tax_id(seller.tax_id, country=seller.country))
    was = tax_seller(uow)
    if seller != was:
        write_seller(uow, seller)
        before, after = asdict(was) if was else None, asdict(seller)
        deed = Deed(actor, "tax_seller.set", "tenant", uow.tenant_id, reason, now, before=before, after=after)
        record(uow, [deed])
        publish(uow, [Event("tax_seller.set", uow.tenant_id, after, now)])
    return seller

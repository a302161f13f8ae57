"""What the commands on documents share: options, exact amounts, and the references that people use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from tenor.cli.output import refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.invoicing import IssuedDocument, find_document, prefetch_taxes
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, InvoiceId, new_id, to_wire
from tenor.kernel.money import format_minor
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import find_subscription

ReferenceArgument = Annotated[str, typer.Argument(help="Number (INV-12) or id (inv_01h…).")]
CustomerArgument = Annotated[str, typer.Argument(help="External id of the customer.")]
AmountArgument = Annotated[str, typer.Argument(help="In major units, e.g. 12.50.")]
CurrencyOption = Annotated[str, typer.Option(help="ISO 4217 code, e.g. EUR.")]
KeyOption = Annotated[
    str | None, typer.Option(help="Names this call: repeated with the same key, it makes nothing new.")
]


@dataclass(frozen=True, slots=True)
class Desk:
    """A transaction of the tenant and its time, for one command."""

    uow: UnitOfWork
    now: datetime
    actor: str
    reason: str

    @property
    def deed(self) -> Mapping[str, Any]:
        """What every operation records with what it does."""
        return {"now": self.now, "actor": self.actor, "reason": self.reason}

    def document(self, reference: str) -> IssuedDocument:
        """Return the document that a person names."""
        return find_document(self.uow, reference)

    def invoice_id(self, reference: str) -> InvoiceId:
        """Return the id of the document that a person names."""
        return InvoiceId(self.document(reference).id)

    def customer_id(self, external_id: str) -> CustomerId:
        """Return the id of a customer; refuse an unknown one.

        Raises:
            NotFound: nobody has registered it.
        """
        found = customer_ids(self.uow, [external_id])
        if external_id not in found:
            raise NotFound(f"there is no customer {external_id[:60]!r}; `tenor customer add` registers one")
        return found[external_id]

    def key(self, given: str | None) -> str:
        """Return the key of a call: the one that was given, else one that no other call has."""
        return to_wire("evt", new_id(self.now)) if given is None else given


@contextmanager
def desk(
    tenant: str,
    *,
    actor: str = "",
    reason: str = "",
    taxed: str | None = None,
    subscription: str | None = None,
    as_json: bool,
) -> Iterator[Desk]:
    """Open a transaction for a command; committed at its end, and nothing has changed after a refusal.

    `taxed` names a customer for whom something new is taxed, or `subscription` a subscription: a tax engine is
    asked before the transaction.
    """
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        now = tenant_now(of)
        if taxed is not None or subscription is not None:
            with opened.database.transaction(of.tenant_id) as uow:
                known = list(customer_ids(uow, [taxed] if taxed else []).values())
                known += [find_subscription(uow, subscription).customer_id] if subscription else []
            prefetch_taxes(opened.database, opened.settings, of.tenant_id, at=now, customer_ids=known)
        with opened.database.transaction(of.tenant_id) as uow:
            yield Desk(uow, now, actor, reason)


def split_pair(text: str, *, name: str, example: str) -> tuple[str, str]:
    """Return the two sides of 'LEFT=RIGHT'; the last '=' parts them.

    Raises:
        Malformed: there is none.
    """
    left, equals, right = text.rpartition("=")
    if not equals or not left:
        raise Malformed(f"{name}: {text[:60]!r} is not of the form {example}")
    return left, right


def shown(minor: int, currency: str) -> str:
    """Return an amount for people: '12.50 EUR'."""
    return f"{format_minor(minor, currency)} {currency}"

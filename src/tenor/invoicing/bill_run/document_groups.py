"""Which lines of a batch stand on one document, and whose it is."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from tenor.invoicing.bill_run.batch import Batch, Work
from tenor.invoicing.model import Key, Line
from tenor.invoicing.rules.documents import Occasion, Party
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.kernel.money import exponent
from tenor.pricing.model import ChargeKind, TaxMode
from tenor.pricing.policy import Policy
from tenor.taxes.model import TaxRounding


class DocumentGroup(NamedTuple):
    """Subscriptions whose lines stand on one document: one, or all of a customer who wants it so."""

    party: Party
    works: list[Work]


def usage_given_back(group: DocumentGroup) -> list[Line]:
    """Return the lines that give back usage, of the subscriptions whose policy wants them on a credit note."""
    return [
        line
        for work in group.works
        if work.policy.metering.late_usage_credit == "credit_note"
        for item in work.items
        for line in item.lines
        if line.amount_minor < 0 and isinstance(line.key, Key) and item.kind_of(line.key) is ChargeKind.USAGE
    ]


def document_groups(batch: Batch) -> list[DocumentGroup]:
    """Return the groups that have lines, in the order of their first subscription."""
    groups: dict[tuple[SubscriptionId | CustomerId, str, TaxMode], DocumentGroup] = {}
    for work in batch.each():
        if not work.lines:
            continue
        party = party_of(work)
        key = (party.subscription_id or party.customer_id, party.currency, party.tax_mode)
        if key in groups:
            groups[key].works.append(work)
        else:
            groups[key] = DocumentGroup(party, [work])
    return list(groups.values())


def occasion_of(batch: Batch, group: DocumentGroup) -> Occasion:
    """Return what tells the documents of a group from others.

    Where settings change during a run, two batches of it may each have a document that is the customer's.
    """
    if group.party.subscription_id is not None:
        return batch.occasion
    return replace(batch.occasion, mark=batch.occasion.mark + group.works[0].subscription.id.bytes)


def party_of(work: Work) -> Party:
    """Return whom a document of this work is addressed to, and on what terms."""
    subscription, settings = work.subscription, work.settings
    return Party(
        customer_id=subscription.customer_id,
        subscription_id=None if settings.consolidates else subscription.id,
        currency=subscription.currency,
        tax_mode=work.items[0].plan.tax_mode,
        rates=work.rates,
        tax_rounding=_tax_rounding(work.policy, subscription.currency),
        zone=work.zone,
        payment_terms=settings.payment_terms,
        po_number=settings.po_number,
        negative_total=settings.negative_total,
    )


@cache
def _tax_rounding(policy: Policy, currency: str) -> TaxRounding:
    rounding = policy.rounding.tax_rounding
    return TaxRounding.of(
        rounding.mode, digits=rounding.digits, place=rounding.place, currency_digits=exponent(currency)
    )

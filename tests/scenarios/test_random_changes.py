"""Months of deeds by lot on a company in which everything has happened: each is proven, and can be lived again."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tenor.kernel.errors import Refusal
from tenor.platform.database import Database
from tests.support.company import Company, instant
from tests.support.deeds_by_lot import any_deed
from tests.support.eventful import furnish
from tests.support.postgres import Server

DEEDS = 30


@pytest.mark.parametrize("seed", [1])
def test_what_is_lived_twice_gives_the_same_documents(server: Server, template: str, seed: int) -> None:
    """The second company lives in a database of its own, so that not even the ids of its tenant are the same."""
    with _founded(server, template) as one, _founded(server, template) as other:
        made, again = live(one, seed), live(other, seed)

        assert made == again
        assert made.total() == DEEDS
        assert documents(one) == documents(other)
        assert books(one) == books(other)


def live(company: Company, seed: int) -> Counter[str]:
    """Furnish the company and do what the lot says; return what was made, and what was refused."""
    furnish(company)
    lot, now = random.Random(seed), instant("2026-03-28")  # noqa: S311  # a lot, no secret
    made: Counter[str] = Counter()
    for step in range(DEEDS):
        now += timedelta(hours=lot.choice((0, 0, 1, 30, 60, 200)))
        try:
            made[any_deed(company, lot, now, key=str(step))] += 1
        except Refusal as refusal:
            made[refusal.code] += 1
        if lot.random() < 0.3:
            company.run(now.isoformat()[:19])
            company.assert_proven()
    end = (now + timedelta(days=40)).isoformat()[:19]
    company.run(end)
    company.assert_proven()
    assert company.prove().pending == 0
    assert company.bill(end) == ""
    return made


def documents(company: Company) -> list[str]:
    """Return all documents with their lines as text, without ids, which begin with the time of a tenant's making."""
    rows = company.rows(
        """
        select jsonb_build_array(
            i.series, i.number, i.kind, c.external_id, i.currency, i.tax_mode, i.tax_percent, i.issued_at, i.billed_for,
            i.net_minor, i.tax_minor, i.total_minor, i.credit_applied_minor, i.due_minor, i.due_on, i.po_number,
            i.settles, i.tax_note, n.series || '-' || n.number,
            (select jsonb_agg(jsonb_build_array(
                        l.line_no, s.external_id, h.code, l.dimension, l.period_start, l.period_end, l.description,
                        l.amount_minor, l.tax_minor, l.is_deferred, l.taxes, l.tax_category,
                        regexp_replace(l.trace::text, '"discount": "[0-9a-f-]*"', '"discount": ""', 'g'))
                    order by l.line_no)
             from invoice_lines l
             left join subscription_items m on m.id = l.item_id
             left join subscriptions s on s.id = coalesce(m.subscription_id, l.subscription_id)
             left join charges h on h.id = l.charge_id
             where l.invoice_id = i.id))::text
        from invoices i join customers c on c.id = i.customer_id left join invoices n on n.id = i.credits_invoice_id
        order by i.series, i.number
        """
    )
    return [text for (text,) in rows]


def books(company: Company) -> list[tuple[object, ...]]:
    """Return what the ledger holds for each customer, by account and kind, and how each document stands."""
    booked = company.rows(
        """
        select c.external_id, t.currency, t.kind, d.code, k.code, count(*), sum(t.amount_minor)::bigint
        from transfers t join customers c on c.id = t.customer_id
        join accounts d on d.id = t.debit_account_id join accounts k on k.id = t.credit_account_id
        group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        """
    )
    states = company.rows(
        """
        select i.series, i.number, s.status, s.due_minor, s.paid_minor, s.credited_minor, s.written_off_minor
        from document_states s join invoices i on i.id = s.invoice_id order by 1, 2
        """
    )
    return [*booked, *states]


@contextmanager
def _founded(server: Server, template: str) -> Iterator[Company]:
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            yield Company.found(database, settings)

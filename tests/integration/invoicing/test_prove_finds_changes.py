"""Whatever a superuser changes in what changes, discounts, taxes and adjustments have left, `prove` finds."""

from collections.abc import Iterator

import pytest

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tests.integration.invoicing.test_prove_finds import plant
from tests.support.company import Company
from tests.support.eventful import EVE
from tests.support.postgres import Server

TAXED_TWICE = """(select invoice_id, line_no from invoice_lines where jsonb_array_length(taxes) = 2 and amount_minor > 0
                  order by invoice_id, line_no limit 1)"""
FOR_ADJUSTMENT = "(select invoice_id, line_no from invoice_lines where adjustment_id is not null order by 1, 2 limit 1)"
STRANGER = "(select id from customers c where c.id <> customer_id order by id limit 1)"
PERCENT_IN_FORCE = """
    update subscription_discounts set terms = jsonb_set(terms, '{percent_off}', '"50"')
    where terms ->> 'percent_off' is not null and superseded_by_version is null
"""
PERCENT_IN_JOURNAL = """
    update subscription_changes set facts = jsonb_set(facts, '{discount,percent_off}', '"50"')
    where kind = 'discount_applied' and facts -> 'discount' ->> 'percent_off' is not null
"""

PLANTED = {
    "other terms of a discount": (
        [PERCENT_IN_FORCE],
        {"timeline_drift"},
    ),
    "a discount that is gone": (
        ["delete from subscription_discounts where superseded_by_version is null"],
        {"timeline_drift"},
    ),
    "a discount that began earlier": (
        ["update subscription_discounts set applied_at = applied_at - interval '1 day' where removed_at is null"],
        {"timeline_drift"},
    ),
    "other terms of a discount in the journal too": (
        [
            PERCENT_IN_JOURNAL,
            PERCENT_IN_FORCE,
        ],
        {"owed_differs"},
    ),
    "an add-on that says it is the plan": (
        ["update subscription_items set is_add_on = false where is_add_on"],
        {"timeline_drift"},
    ),
    "another closing of a phase": (
        [
            """
            update phases set closing = 'free'
            where superseded_by_version is null and is_billable and closing = 'prorated' and ends_at is not null
            """
        ],
        {"timeline_drift"},
    ),
    "a pause that says it was a trial": (
        ["update phases set state = 'trial' where superseded_by_version is null and state = 'paused'"],
        {"timeline_drift"},
    ),
    "a pause that is gone from the journal": (
        ["delete from subscription_changes where kind = 'paused'"],
        {"timeline_drift", "owed_differs"},
    ),
    "a term without an end": (
        ["update subscriptions set ends_at = null, cancels_at_end = false where external_id = 'ref1'"],
        {"timeline_drift"},
    ),
    "another version": (
        ["update subscriptions set version = version + 1 where external_id = 'bob1'"],
        {"timeline_drift"},
    ),
    "another state": (
        ["update subscriptions set status = 'suspended' where external_id = 'bob1'"],
        {"state_differs"},
    ),
    "a move that is gone": (
        ["delete from subscription_moves where move_no = 1"],
        {"state_differs"},
    ),
    "a subscription of another customer": (
        [
            """
            update subscriptions set customer_id = (select id from customers where external_id = 'ida')
            where external_id = 'ref2'
            """  # who uses nothing
        ],
        {"customer_differs"},
    ),
    "a cent moved from one tax of a line to another": (
        [
            f"""
            update invoice_lines set taxes = jsonb_set(
                jsonb_set(taxes, '{{0,amount_minor}}', to_jsonb((taxes -> 0 ->> 'amount_minor')::bigint + 1)),
                '{{1,amount_minor}}', to_jsonb((taxes -> 1 ->> 'amount_minor')::bigint - 1))
            where (invoice_id, line_no) = {TAXED_TWICE}
            """
        ],
        {"document_changed"},
    ),
    "a cent more in one tax of a line": (
        [
            f"""
            update invoice_lines
            set taxes = jsonb_set(taxes, '{{0,amount_minor}}', to_jsonb((taxes -> 0 ->> 'amount_minor')::bigint + 1))
            where (invoice_id, line_no) = {TAXED_TWICE}
            """
        ],
        {"document_changed", "tax_parts_differ"},
    ),
    "another jurisdiction of a tax": (
        [
            f"""
            update invoice_lines set taxes = jsonb_set(taxes, '{{0,jurisdiction}}', '"US"')
            where (invoice_id, line_no) = {TAXED_TWICE}
            """
        ],
        {"document_changed"},
    ),
    "a cent more in the line of an adjustment": (
        [f"update invoice_lines set amount_minor = amount_minor + 1 where (invoice_id, line_no) = {FOR_ADJUSTMENT}"],
        {"adjustment_differs", "document_changed", "document_sum", "ledger_differs"},
    ),
    "an adjustment of another customer": (
        [f"update adjustments set customer_id = {STRANGER} where amount_minor = 1001"],
        {"adjustment_differs"},
    ),
    "an adjustment for another subscription": (
        ["update adjustments set subscription_id = (select id from subscriptions order by id limit 1)"],
        {"adjustment_differs"},
    ),
    "an adjustment in another currency": (
        ["update adjustments set currency = 'GBP' where amount_minor = 1000"],
        {"adjustment_differs"},
    ),
    "a line of another subscription of the customer": (
        [
            """
            update invoice_lines l set subscription_id = s.id from subscriptions s
            where l.subscription_id <> s.id and s.external_id = 'ann1'
            """
        ],
        {"document_changed", "outcome_differs"},
    ),
    "a payment of another customer": (
        [f"update payments set customer_id = {STRANGER}"],
        {"ledger_differs"},
    ),
    "a document that is booked in another month": (
        ["update transfers set effective_at = effective_at + interval '1 day' where source_type = 'credit_note'"],
        {"ledger_differs"},
    ),
    "a payment that says that it came later": (
        ["update payments set received_at = received_at + interval '1 day'"],
        {"ledger_differs"},
    ),
    "an item that nobody looks at any more": (
        [
            """
            update billing_positions set next_due_at = null
            where item_id = (select item_id from billing_positions where next_due_at > '2026-04-01' limit 1)
            """
        ],
        {"look_missing"},
    ),
    "an item that is looked at years too late": (
        [
            """
            update billing_positions set next_due_at = next_due_at + interval '2 years'
            where item_id = (select item_id from billing_positions where next_due_at > '2026-04-01' limit 1)
            """
        ],
        {"look_missing"},
    ),
    "a payment that pays another invoice": (
        [
            """
            update allocations a set invoice_id = (
                select i.id from invoices i left join document_states d on d.invoice_id = i.id
                where i.kind = 'invoice' and i.due_minor > a.amount_minor and d.invoice_id is null
                order by i.id limit 1)
            where payment_id = (select id from payments where reference = 'wire 1')
            """
        ],
        {"document_state_differs"},
    ),
    "a refund to another customer": (
        [f"update refund_requests set customer_id = {STRANGER}"],
        {"refund_differs"},
    ),
    "a waiver for a period that no note gives back": (
        [
            """
            insert into waivers select tenant_id, gen_random_uuid(), item_id, charge_id, dimension,
                                       period_start - interval '1 month', period_start, 5, reason, credit_note_id,
                                       created_at from waivers limit 1
            """
        ],
        {"waiver_differs", "owed_differs"},
    ),
    "a redemption that is not counted": (
        ["update coupons set redeemed = redeemed - 1 where redeemed > 0"],
        {"redemption_differs"},
    ),
    "a customer's redemption that is not counted": (
        ["update coupon_customers set redeemed = 0"],
        {"redemption_differs"},
    ),
    "redemptions that are gone": (
        ["delete from redemptions"],
        {"redemption_differs"},
    ),
    "an outcome that was never recorded": (
        ["update bill_run_batches set outcome_count = outcome_count + 1"],
        {"outcome_missing"},
    ),
}


@pytest.fixture(scope="module")
def settled(server: Server, eventful_prepared: tuple[str, TenantId]) -> Iterator[tuple[str, TenantId]]:
    """The company in which everything happens, with all that has fallen due billed."""
    template, tenant_id = eventful_prepared
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company(database, settings, tenant_id)
            company.run(EVE)
            company.run("2026-04-04")
        yield name, tenant_id


@pytest.fixture
def everything(server: Server, settled: tuple[str, TenantId]) -> Iterator[Company]:
    """A copy of that company."""
    template, tenant_id = settled
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            yield Company(database, settings, tenant_id)


def test_it_finds_nothing_on_what_the_engine_wrote(everything: Company) -> None:
    everything.assert_proven()
    assert everything.prove().pending == 0


@pytest.mark.parametrize("what", PLANTED)
def test_it_finds(everything: Company, what: str) -> None:
    statements, codes = PLANTED[what]

    plant(everything, *statements)

    assert {finding.code for finding in everything.prove().findings} == codes

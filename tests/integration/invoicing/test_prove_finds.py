"""Whatever a superuser changes behind the engine's back, `prove` finds; on what the engine wrote it finds nothing."""

from typing import Any

import pytest

from tenor.invoicing import prove
from tenor.pricing.definition import content_hash
from tenor.pricing.store import RECORD_COLUMNS, TamperedPlanVersion, record_of
from tests.support.company import Company

LINE = "(select invoice_id, line_no from invoice_lines order by issued_at desc, amount_minor desc, invoice_id limit 1)"
INVOICE = "(select id from invoices where series = 'INV' order by number desc limit 1)"
TRANSFER = "(select id from transfers where kind = 'revenue' order by id limit 1)"
ITEM = (
    "(select i.id from subscription_items i join subscriptions s on s.id = i.subscription_id and external_id = 's04')"
)

PLANTED = {
    "a cent more in a line": (
        [f"update invoice_lines set amount_minor = amount_minor + 1 where (invoice_id, line_no) = {LINE}"],
        {"document_sum", "document_changed", "ledger_differs", "claim_differs", "owed_differs"},
    ),
    "a cent moved from one line to another of the same document": (
        [
            """
            update invoice_lines l set amount_minor = amount_minor + case line_no when 1 then 1 else -1 end
            where l.invoice_id = (select invoice_id from invoice_lines where line_no = 2 and is_deferred
                                  order by issued_at, invoice_id limit 1) and line_no in (1, 2)
            """
        ],
        {"document_changed", "claim_differs", "owed_differs"},
    ),
    "a line with another period": (
        [f"update invoice_lines set period_end = period_end + interval '1 day' where (invoice_id, line_no) = {LINE}"],
        {"document_changed", "claim_differs", "owed_differs"},
    ),
    "a line that is earned at once instead of ahead": (
        [f"update invoice_lines set is_deferred = not is_deferred where (invoice_id, line_no) = {LINE}"],
        {"document_changed", "ledger_differs"},
    ),
    "a line that is gone": (
        [f"delete from invoice_lines where (invoice_id, line_no) = {LINE}"],
        {"line_missing", "document_sum", "document_changed", "ledger_differs", "claim_differs", "owed_differs"},
    ),
    "a cent more in the sums of a document": (
        [
            f"""
            update invoices set net_minor = net_minor + 1, total_minor = total_minor + 1, due_minor = due_minor + 1
            where id = {INVOICE}
            """
        ],
        {"document_sum", "document_changed", "ledger_differs", "receivable_differs"},
    ),
    "a document for another customer": (
        [
            f"""
            update invoices set customer_id = (select id from customers c where c.id <> customer_id limit 1)
            where id = {INVOICE}
            """
        ],
        {"document_changed", "ledger_differs", "receivable_differs", "customer_differs"},
    ),
    "a document that is gone": (
        [f"delete from invoices where id = {INVOICE}"],
        {"number_gap", "document_missing", "ledger_differs", "receivable_differs", "outcome_differs"},
    ),
    "the last document gone with its lines, claims, transfers and its number": (
        [
            "create temporary table gone as select id from invoices where series = 'INV' order by number desc limit 1",
            "delete from invoice_lines where invoice_id in (select id from gone)",
            "delete from claims where invoice_id in (select id from gone)",
            "delete from transfers where source_id in (select id from gone)",
            "delete from invoices where id in (select id from gone)",
            "update document_series set next_number = next_number - 1 where series = 'INV'",
        ],
        {"outcome_differs", "owed_differs"},
    ),
    "a cent more in a transfer": (
        [f"update transfers set amount_minor = amount_minor + 1 where id = {TRANSFER}"],
        {"ledger_differs", "receivable_differs"},
    ),
    "a transfer to another account": (
        [
            f"""
            update transfers t set credit_account_id =
                (select id from accounts a where code = 'deferred_revenue' and a.currency = t.currency)
            where id = {TRANSFER}
            """
        ],
        {"ledger_differs"},
    ),
    "a transfer that is gone": (
        [f"delete from transfers where id = {TRANSFER}"],
        {"ledger_differs", "receivable_differs"},
    ),
    "a transfer that no document has caused": (
        [
            f"""
            insert into transfers (tenant_id, id, effective_at, debit_account_id, credit_account_id, amount_minor,
                                   currency, customer_id, source_type, source_id, kind)
            select tenant_id, gen_random_uuid(), effective_at, debit_account_id, credit_account_id, 1,
                   currency, customer_id, source_type, gen_random_uuid(), kind
            from transfers where id = {TRANSFER}
            """
        ],
        {"ledger_differs", "receivable_differs"},
    ),
    "another price in a plan version": (
        [
            """update plan_versions set definition = jsonb_set(definition, '{charges,0,price,amount}', '"1"')
               where plan = 'basic'"""
        ],
        {"plan_version_changed"},
    ),
    "a plan version without content": (
        ["update plan_versions set definition = '{}' where plan = 'basic'"],
        {"plan_version_changed"},
    ),
    "a plan version that is gone": (
        ["delete from plan_versions where plan = 'basic'"],
        {"plan_version_missing"},
    ),
    "other seats in a phase": (
        [f"""update phases set terms = jsonb_set(terms, '{{quantities,seats}}', '"9"') where item_id = {ITEM}"""],
        {"timeline_drift"},
    ),
    "a phase that ends": (
        [f"update phases set ends_at = starts_at + interval '1 month' where item_id = {ITEM}"],
        {"timeline_drift"},
    ),
    "other seats in the journal": (
        [
            """
            update subscription_changes c
            set facts = jsonb_set(facts, '{terms,quantities,seats}', '"9"')
            from subscriptions s where s.id = c.subscription_id and s.external_id = 's04'
            """
        ],
        {"timeline_drift", "owed_differs"},
    ),
    "other seats in the journal and in the phase": (
        [
            f"""update phases set terms = jsonb_set(terms, '{{quantities,seats}}', '"9"') where item_id = {ITEM}""",
            """
            update subscription_changes c
            set facts = jsonb_set(facts, '{terms,quantities,seats}', '"9"')
            from subscriptions s where s.id = c.subscription_id and s.external_id = 's04'
            """,
        ],
        {"owed_differs"},
    ),
    "a cent more to a customer's credit": (
        ["update customer_credits set balance_minor = balance_minor + 1 where balance_minor > 0"],
        {"customer_credit_differs"},
    ),
    "a customer's credit that is gone": (
        ["delete from customer_credits where balance_minor > 0"],
        {"customer_credit_differs"},
    ),
    "a cent of one customer's credit given to another": (
        [
            "update customer_credits set balance_minor = balance_minor - 1 where balance_minor > 0",
            """
            insert into customer_credits select tenant_id, id, 'USD', 1 from customers where external_id = 'ann'
            on conflict (tenant_id, customer_id, currency)
                do update set balance_minor = customer_credits.balance_minor + 1
            """,
        ],
        {"customer_credit_differs"},
    ),
    "an outcome that is gone": (
        [
            """
            delete from bill_run_items where (run_id, subscription_id) =
                (select run_id, subscription_id from bill_run_items where outcome = 'invoiced' limit 1)
            """
        ],
        {"outcome_missing", "outcome_differs"},
    ),
    "an outcome of another number of documents": (
        [
            """
            update bill_run_items set document_count = 9 where (run_id, subscription_id) =
                (select run_id, subscription_id from bill_run_items where outcome = 'invoiced' limit 1)
            """
        ],
        {"outcome_differs"},
    ),
    "a number that was skipped": (
        ["update document_series set next_number = next_number + 1 where series = 'CN'"],
        {"number_gap"},
    ),
    "a number series that is gone": (
        ["delete from document_series where series = 'CN'"],
        {"number_gap"},
    ),
    "usage that grew": (
        ['update usage_events set value = value + 100, properties = \'{"value": "877"}\' where value = 777'],
        {"owed_differs"},
    ),
    "usage that is gone": (
        ["delete from usage_events where value = 777"],
        {"owed_differs"},
    ),
    "another amount in a claim": (
        [
            """
            update claims set amount_minor = amount_minor + 1
            where (item_id, charge_id, period_start, settlement_no) =
                (select item_id, charge_id, period_start, settlement_no from claims where amount_minor > 0 limit 1)
            """
        ],
        {"claim_differs"},
    ),
    "a position beyond what was settled": (
        [
            f"""
            update billing_positions set settled_through = settled_through + interval '2 months' where item_id = {ITEM}
            """
        ],
        {"owed_differs"},
    ),
    "a position that says nothing was settled": (
        [f"update billing_positions set settled_through = null where item_id = {ITEM}"],
        {"owed_differs"},
    ),
    "an item that is gone": (
        [f"delete from subscription_items where id = {ITEM}"],
        {"timeline_drift", "line_without_item"},
    ),
}


def test_it_finds_nothing_on_what_the_engine_wrote(billed: Company) -> None:
    proof = billed.prove()

    assert proof.findings == []
    assert proof.pending == 0
    assert proof.checked["documents"] == 39
    assert proof.checked["subscriptions"] == 12
    assert all(proof.checked.values())


@pytest.mark.parametrize("what", PLANTED)
def test_it_finds(billed: Company, what: str) -> None:
    statements, codes = PLANTED[what]

    plant(billed, *statements)

    assert {finding.code for finding in billed.prove().findings} == codes


def test_it_finds_a_price_that_was_changed_together_with_its_hash(billed: Company) -> None:
    plant(billed, PLANTED["another price in a plan version"][0][0])
    with billed.work() as uow:
        (row,) = uow.fetch_all(f"select {RECORD_COLUMNS} from plan_versions v where plan = 'basic'")
    forged = content_hash(record_of(row))
    with billed.database.setup() as superuser:
        _disarm(superuser, "plan_versions")
        superuser.execute("update plan_versions set content_hash = %s where plan = 'basic'", [forged])

    assert {finding.code for finding in billed.prove().findings} == {"owed_differs"}


def test_a_price_that_was_changed_is_never_billed(billed: Company) -> None:
    before = billed.names()
    change = PLANTED["another price in a plan version"][0][0]
    plant(billed, change)

    with pytest.raises(TamperedPlanVersion, match="version 1 of plan 'basic'"):
        billed.run("2026-03-01")
    assert billed.names() == before

    plant(billed, change.replace('"1"', '"31"'))
    (report,) = billed.run("2026-03-01")
    assert report.is_resumed
    assert report.document_count > 0
    billed.assert_proven()


def test_news_is_pending_and_no_drift_until_a_run_has_settled_it(billed: Company) -> None:
    billed.change_seats("s04", 5, "2026-02-10")
    billed.cancel("s05", "2026-02-10", at="2026-01-10")
    billed.use("calls", 100, "2026-01-12", customer="eve", arrived="2026-02-10")

    proof = billed.prove()

    # s04, s05, and what charges eve for calls in January: s02, s08 and the first item of s11
    assert (proof.findings, proof.pending) == ([], 5)
    billed.run("2026-02-10")
    proof = billed.prove()
    assert (proof.findings, proof.pending) == ([], 0)


def test_it_finds_what_stays_billed_of_an_item_that_a_later_change_took_back(billed: Company) -> None:
    billed.change_plan("s05", "team", "2026-02-08")
    billed.run("2026-02-08")
    billed.change_plan("s05", "committed", "2026-02-10", at="2026-02-08")  # the item on Team has no time left
    assert (billed.prove().findings, billed.prove().pending) == ([], 1)

    plant(billed, "update billing_positions set revisit_from = null where revisit_from is not null")

    findings = billed.prove().findings
    assert {finding.code for finding in findings} == {"owed_differs"}
    assert sorted(finding.message.partition(": ")[2] for finding in findings) == [
        "owed 0, billed 1500 minor units",  # base fee of Team for 21 of 28 days
        "owed 0, billed 750 minor units",  # its two seats
    ]


def test_it_tells_the_step_and_the_progress(billed: Company) -> None:
    told: list[tuple[str, int]] = []
    with billed.work(is_snapshot=True) as uow:
        prove(uow, on_progress=lambda step, count: told.append((step, count)))

    assert told == [("documents", 39), ("subscriptions", 12)]


def plant(company: Company, *statements: str) -> None:
    """Run statements as a superuser for whom no trigger, no key and no row-level security is in force."""
    with company.database.setup() as superuser:
        disarm(superuser)
        for statement in statements:
            assert superuser.execute(statement).rowcount > 0, "the plant did not take"


def disarm(superuser: Any) -> None:
    """Let nothing hold a superuser back: no trigger, no key."""
    _disarm(superuser, *_tables(superuser))


def _tables(superuser: Any) -> list[str]:
    rows = superuser.execute(
        "select relname from pg_class where relnamespace = 'tenor'::regnamespace and relkind in ('r', 'p')"
        " and relhastriggers"
    )
    return [name for (name,) in rows]


def _disarm(superuser: Any, *tables: str) -> None:
    superuser.execute("set session_replication_role = replica")
    superuser.execute("".join(f"alter table {table} disable trigger user;" for table in tables))

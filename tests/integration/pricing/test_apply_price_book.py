"""Applying price books: what is written, what a second apply does, and what never happens."""

import threading
from datetime import UTC, datetime

import pytest

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.pricing import (
    AppliedPriceBook,
    ConflictingPriceBook,
    MalformedPriceBook,
    PlanAction,
    PriceBookDraft,
    apply_price_book,
    plan_price_book,
)
from tests.support.price_books import small_book

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DEARER = ("amount: 49.00", "amount: 59.00")
LATER = ("2026-01-01T", "2026-03-01T")
TABLES = (
    "products",
    "metrics",
    "features",
    "price_books",
    "price_book_versions",
    "plan_versions",
    "price_book_plans",
    "charges",
    "plan_version_features",
    "audit_records",
    "outbox_events",
)


def apply(uow: UnitOfWork, draft: PriceBookDraft, *, now: datetime = NOW) -> AppliedPriceBook:
    return apply_price_book(uow, draft, actor="ada", now=now)


def sizes(uow: UnitOfWork) -> dict[str, int]:
    """Return how many rows each table has that an apply may write to."""
    return {table: uow.fetch_all(f"select count(*) from {table}")[0][0] for table in TABLES}


def test_the_first_apply_writes_the_book(uow: UnitOfWork) -> None:
    applied = apply(uow, small_book())

    assert applied.changes.edition == 1
    assert list(applied.plan_versions) == ["pro", "basic"]
    assert sizes(uow) == {
        "products": 1,
        "metrics": 1,
        "features": 1,
        "price_books": 1,
        "price_book_versions": 1,
        "plan_versions": 2,
        "price_book_plans": 2,
        "charges": 3,  # two of pro, one of basic
        "plan_version_features": 1,
        "audit_records": 1,
        "outbox_events": 1,
    }


def test_who_did_it_and_what_happened_are_told(uow: UnitOfWork) -> None:
    applied = apply(uow, small_book())

    (deed,) = uow.fetch_all("select actor, action, object_id, reason, before, after, occurred_at from audit_records")
    (event,) = uow.fetch_all("select type, object_id, payload, occurred_at from outbox_events")
    actor, action, object_id, reason, before, after, occurred_at = deed
    assert (actor, action, reason, before) == ("ada", "price_book.apply", "edition 1 of acme", None)
    assert after == applied.changes.to_json()
    assert event == ("price_book.applied", object_id, after, occurred_at)
    assert occurred_at == NOW


def test_plan_apply_plan_finds_no_changes(uow: UnitOfWork) -> None:
    before = plan_price_book(uow, small_book(), now=NOW)
    applied = apply(uow, small_book())
    after = plan_price_book(uow, small_book(), now=NOW)

    assert applied.changes == before
    assert not before.is_empty
    assert after.is_empty


def test_the_same_file_again_writes_nothing(uow: UnitOfWork) -> None:
    first = apply(uow, small_book())
    written = sizes(uow)

    second = apply(uow, small_book(), now=datetime(2026, 5, 1, tzinfo=UTC))

    assert sizes(uow) == written
    assert second.changes.is_empty
    assert second.plan_versions == first.plan_versions


def test_a_price_change_is_version_2_of_that_plan_only(uow: UnitOfWork) -> None:
    first = apply(uow, small_book())
    second = apply(uow, small_book(DEARER, LATER))

    rows = uow.fetch_all("select plan, version, price_book_version from plan_versions order by plan, version")
    assert rows == [("basic", 1, 1), ("pro", 1, 1), ("pro", 2, 2)]
    assert second.plan_versions["basic"] == first.plan_versions["basic"]
    assert second.plan_versions["pro"] != first.plan_versions["pro"]


def test_a_plan_of_changes_writes_nothing(uow: UnitOfWork) -> None:
    apply(uow, small_book())
    written = sizes(uow)

    assert not plan_price_book(uow, small_book(DEARER), now=NOW).is_empty
    assert sizes(uow) == written


def test_names_of_products_and_features_are_taken_over(uow: UnitOfWork) -> None:
    apply(uow, small_book())
    apply(uow, small_book(("name: Assistant", "name: Helper"), ("name: Single sign-on", "name: SSO")))

    assert uow.fetch_all("select name from products union all select name from features") == [("Helper",), ("SSO",)]
    assert plan_price_book(
        uow, small_book(("name: Assistant", "name: Helper"), ("Single sign-on", "SSO")), now=NOW
    ).is_empty


def test_a_plan_withdrawn_and_brought_back_keeps_its_version(uow: UnitOfWork) -> None:
    text = "  - code: basic\n    name: Basic\n    product: assistant\n    interval: month\n    charges:\n"
    withdrawn = (f"{text}      - {{code: base, name: Base fee, kind: recurring, amount: 9.00}}\n", "")
    first = apply(uow, small_book())

    second = apply(uow, small_book(withdrawn, LATER))
    third = apply(uow, small_book(LATER))

    assert "basic" not in second.plan_versions
    assert [change.action for change in third.changes.plans] == [PlanAction.UNCHANGED, PlanAction.RESUMED]
    assert third.plan_versions == first.plan_versions


@pytest.mark.parametrize(
    "contradiction",
    [("currency: USD", "currency: EUR"), ("tax_mode: exclusive", "tax_mode: inclusive"), ("field: n", "field: m")],
)
def test_a_file_that_contradicts_what_is_applied_changes_nothing(
    uow: UnitOfWork, contradiction: tuple[str, str]
) -> None:
    apply(uow, small_book())
    written = sizes(uow)

    with pytest.raises(ConflictingPriceBook):
        apply(uow, small_book(contradiction, DEARER, LATER))

    assert sizes(uow) == written


def test_a_plan_belongs_to_one_price_book(uow: UnitOfWork) -> None:
    apply(uow, small_book())

    with pytest.raises(ConflictingPriceBook) as refused:
        apply(uow, small_book(("price_book: acme", "price_book: acme-eur"), ("currency: USD", "currency: EUR")))

    assert [problem.path for problem in refused.value.problems] == ["plans[0].code", "plans[1].code"]


def test_an_edition_before_the_newest_one_is_refused(uow: UnitOfWork) -> None:
    apply(uow, small_book(LATER))

    with pytest.raises(ConflictingPriceBook, match="is before edition 1"):
        apply(uow, small_book(DEARER))


def test_a_bad_file_changes_nothing(uow: UnitOfWork) -> None:
    apply(uow, small_book())
    written = sizes(uow)

    with pytest.raises(MalformedPriceBook):
        apply(uow, small_book(DEARER, ("kind: usage", "kind: use")))

    assert sizes(uow) == written


def test_what_an_apply_wrote_is_gone_when_its_transaction_fails(database: Database, tenant: TenantId) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction(tenant) as uow:
        apply(uow, small_book())
        1 / 0  # noqa: B018  the failure

    with database.transaction(tenant) as uow:
        assert set(sizes(uow).values()) == {0}


def test_another_tenant_sees_nothing_and_may_apply_the_same(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    with database.transaction(tenant) as uow:
        mine = apply(uow, small_book())
    with database.transaction(other_tenant) as uow:
        assert set(sizes(uow).values()) == {0}
        theirs = apply(uow, small_book())

    assert not set(mine.plan_versions.values()) & set(theirs.plan_versions.values())


def test_the_same_apply_gives_the_same_ids(database: Database, tenant: TenantId) -> None:
    found = []
    for _ in range(2):
        with pytest.raises(InterruptedError), database.transaction(tenant) as uow:
            found.append((apply(uow, small_book()).plan_versions, charge_ids(uow)))
            raise InterruptedError

    assert found[0] == found[1]


def test_two_applies_at_once_make_two_editions_and_no_version_twice(database: Database, tenant: TenantId) -> None:
    """One has written and not committed while the other begins; the other must wait and then compare again."""
    with database.transaction(tenant) as uow:
        apply(uow, small_book())
    results: dict[str, AppliedPriceBook] = {}
    has_begun = threading.Event()

    def second() -> None:
        with database.transaction(tenant) as uow:
            has_begun.set()
            results["second"] = apply(uow, small_book(DEARER, LATER))

    thread = threading.Thread(target=second)
    with database.transaction(tenant) as uow:
        results["first"] = apply(uow, small_book(DEARER, LATER))
        thread.start()
        assert has_begun.wait(timeout=10)
        thread.join(timeout=0.5)
        assert thread.is_alive()  # it waits for this transaction
    thread.join(timeout=10)

    assert results["first"].changes.edition == 2
    assert results["second"].changes.is_empty
    assert results["second"].plan_versions == results["first"].plan_versions
    with database.transaction(tenant) as uow:
        assert sizes(uow)["plan_versions"] == 3


def charge_ids(uow: UnitOfWork) -> list[Row]:
    return uow.fetch_all("select id, plan_version_id, code from charges order by id")

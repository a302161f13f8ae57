"""Coupons and promotion codes in the database: what is refused, what is counted, and 64 customers at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, InsufficientPrivilege

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import CustomerId, DiscountId, SubscriptionId, TenantId
from tenor.kernel.money import Money
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import (
    Coupon,
    CouponArchived,
    CouponCodeTaken,
    CouponNotFound,
    CurrencyMismatch,
    Discount,
    DiscountNotFound,
    DiscountTerms,
    Limits,
    MalformedDiscount,
    NotFirstPurchase,
    Occasion,
    OrderBelowMinimum,
    PromotionCodeNotFound,
    RedemptionsUsedUp,
    RedemptionTooLate,
    all_coupons,
    archive_coupon,
    create_coupon,
    create_promotion_code,
    redeem_coupon,
    redeem_promotion_code,
    undo_redemption,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BY: dict[str, Any] = {"now": NOW, "actor": "ada", "reason": "spring"}
TEN_PERCENT = DiscountTerms(code="spring", name="Spring", percent_off=Decimal(10), duration="repeating", periods=3)
FIVE_EURO = DiscountTerms(code="fiver", name="Fiver", amount_off=Decimal("5.00"), currency="EUR", plans=("team",))


@pytest.fixture
def customers(database: Database, tenant: TenantId) -> list[CustomerId]:
    with database.transaction(tenant) as uow:
        details = [CustomerDetails(external_id=f"c{number}", name="C") for number in range(64)]
        return list(register_customers(uow, details, now=NOW, actor="test", reason="a test").values())


@pytest.fixture
def work(database: Database, tenant: TenantId, customers: list[CustomerId]) -> Iterator[UnitOfWork]:
    """A transaction after the customers are there."""
    with database.transaction(tenant) as uow:
        yield uow


def counts(uow: UnitOfWork) -> tuple[int, int, int]:
    """Return what is counted on coupons, on promotion codes and on customers."""
    row = uow.fetch_one(
        "select (select coalesce(sum(redeemed), 0) from coupons), (select coalesce(sum(redeemed), 0)"
        " from promotion_codes), (select coalesce(sum(redeemed), 0) from coupon_customers)"
    )
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


def told(uow: UnitOfWork) -> list[str]:
    """Return the events so far, customers left aside; each has an audit record of the same name."""
    events = sorted(row[0] for row in uow.fetch_all("select type from outbox_events"))
    deeds = sorted(row[0] for row in uow.fetch_all("select action from audit_records"))
    assert events == deeds
    return [name for name in events if not name.startswith("customer.")]


def test_a_redemption_grants_the_terms_of_the_coupon(work: UnitOfWork, customers: list[CustomerId]) -> None:
    create_coupon(work, TEN_PERCENT, **BY)

    discount = redeem_coupon(work, "spring", Occasion(customer_id=customers[0], currency="USD"), **BY)

    assert discount == Discount.of(TEN_PERCENT, discount.id)
    assert (discount.percent_off, discount.duration, discount.periods) == (Decimal(10), "repeating", 3)
    assert work.fetch_all("select id, customer_id, subscription_id, redeemed_at, undone_at from redemptions") == [
        (discount.id, customers[0], None, NOW, None)
    ]
    assert counts(work) == (1, 0, 1)
    assert told(work) == ["coupon.created", "discount.redeemed"]


def test_a_coupon_comes_back_from_the_database_as_it_was_made(work: UnitOfWork) -> None:
    limits = Limits(
        max_redemptions=10,
        redeem_by=NOW + timedelta(days=9),
        minimum_order=Money(5_000, "EUR"),
        is_first_purchase_only=True,
    )
    made = create_coupon(work, FIVE_EURO, limits=limits, max_per_customer=2, **BY)

    assert all_coupons(work) == [made]
    assert create_coupon(work, FIVE_EURO, limits=limits, max_per_customer=2, **BY) == made
    assert told(work) == ["coupon.created"]
    with pytest.raises(CouponCodeTaken):
        create_coupon(work, FIVE_EURO, limits=limits, **BY)


@pytest.mark.parametrize(
    "terms",
    [
        DiscountTerms(code="Spring", name="S", percent_off=Decimal(1)),
        DiscountTerms(code="spring sale", name="S", percent_off=Decimal(1)),
        DiscountTerms(code="spring\0", name="S", percent_off=Decimal(1)),
        DiscountTerms(code="spring", name="S", amount_off=Decimal("0.005"), currency="EUR"),
        DiscountTerms(code="spring", name="S", amount_off=Decimal("0.5"), currency="JPY"),
    ],
)
def test_a_coupon_that_no_document_could_hold_is_refused(work: UnitOfWork, terms: DiscountTerms) -> None:
    with pytest.raises(MalformedDiscount):
        create_coupon(work, terms, **BY)

    assert all_coupons(work) == []


@pytest.mark.parametrize(
    ("terms", "limits", "occasion", "refusal"),
    [
        (FIVE_EURO, {}, {"currency": "USD"}, CurrencyMismatch),
        (TEN_PERCENT, {"redeem_by": NOW}, {}, RedemptionTooLate),
        (TEN_PERCENT, {"redeem_by": NOW + timedelta(microseconds=1)}, {}, None),
        (TEN_PERCENT, {"is_first_purchase_only": True}, {}, NotFirstPurchase),
        (TEN_PERCENT, {"is_first_purchase_only": True}, {"is_first_purchase": True}, None),
        (TEN_PERCENT, {"minimum_order": Money(5_000, "EUR")}, {}, OrderBelowMinimum),
        (TEN_PERCENT, {"minimum_order": Money(5_000, "EUR")}, {"order": Money(4_999, "EUR")}, OrderBelowMinimum),
        (TEN_PERCENT, {"minimum_order": Money(5_000, "EUR")}, {"order": Money(9_999, "USD")}, OrderBelowMinimum),
        (TEN_PERCENT, {"minimum_order": Money(5_000, "EUR")}, {"order": Money(5_000, "EUR")}, None),
    ],
)
@pytest.mark.parametrize("is_on_the_code", [False, True])
def test_limits_of_the_coupon_and_of_its_code(
    work: UnitOfWork,
    customers: list[CustomerId],
    terms: DiscountTerms,
    limits: dict[str, Any],
    occasion: dict[str, Any],
    refusal: type[Refusal] | None,
    *,
    is_on_the_code: bool,
) -> None:
    held = Limits(**limits)
    create_coupon(work, terms, limits=None if is_on_the_code else held, **BY)
    create_promotion_code(work, "HELLO", coupon=terms.code, limits=held if is_on_the_code else None, **BY)
    where = Occasion(**{"customer_id": customers[0], "currency": "EUR", **occasion})

    if refusal is None:
        assert redeem_promotion_code(work, "hello", where, **BY).code == terms.code
    else:
        with pytest.raises(refusal):
            redeem_promotion_code(work, "hello", where, **BY)
        assert counts(work) == (0, 0, 0)


def test_a_promotion_code_is_one_word_however_it_is_typed(work: UnitOfWork, customers: list[CustomerId]) -> None:
    create_coupon(work, TEN_PERCENT, **BY)
    create_coupon(work, FIVE_EURO, **BY)
    made = create_promotion_code(work, "Hello-26", coupon="spring", **BY)

    assert create_promotion_code(work, "hello-26", coupon="spring", **BY) == made
    with pytest.raises(CouponCodeTaken):
        create_promotion_code(work, "HELLO-26", coupon="fiver", **BY)
    where = Occasion(customer_id=customers[0], currency="USD")
    for typed in ("hello-26", "HELLO-26", " Hello-26 "):
        assert redeem_promotion_code(work, typed, where, **BY).code == "spring"
    for wrong in ("hello", "hello 26", "hello-26\0", "ſpring", ""):
        with pytest.raises((PromotionCodeNotFound, MalformedDiscount)):
            redeem_promotion_code(work, wrong, where, **BY)
    assert counts(work) == (3, 3, 3)


def test_a_promotion_code_of_one_customer_is_none_for_another(work: UnitOfWork, customers: list[CustomerId]) -> None:
    create_coupon(work, TEN_PERCENT, **BY)
    create_promotion_code(work, "YOURS", coupon="spring", customer_id=customers[0], **BY)

    with pytest.raises(PromotionCodeNotFound):
        redeem_promotion_code(work, "yours", Occasion(customer_id=customers[1], currency="USD"), **BY)
    redeem_promotion_code(work, "yours", Occasion(customer_id=customers[0], currency="USD"), **BY)


def test_each_counter_refuses_one_too_many_and_a_refusal_counts_nothing(
    work: UnitOfWork, customers: list[CustomerId]
) -> None:
    ada, bob, eve = (Occasion(customer_id=customer, currency="USD") for customer in customers[:3])
    create_coupon(work, TEN_PERCENT, limits=Limits(max_redemptions=3), max_per_customer=2, **BY)
    create_promotion_code(work, "ONCE", coupon="spring", limits=Limits(max_redemptions=1), **BY)

    redeem_promotion_code(work, "once", ada, **BY)
    with pytest.raises(RedemptionsUsedUp, match="ONCE"):
        redeem_promotion_code(work, "once", bob, **BY)
    assert counts(work) == (1, 1, 1)
    redeem_coupon(work, "spring", ada, **BY)
    with pytest.raises(RedemptionsUsedUp, match="this customer"):
        redeem_coupon(work, "spring", ada, **BY)
    assert counts(work) == (2, 1, 2)
    redeem_coupon(work, "spring", bob, **BY)
    with pytest.raises(RedemptionsUsedUp, match="'spring' is used up"):
        redeem_coupon(work, "spring", eve, **BY)
    assert counts(work) == (3, 1, 3)


def test_an_undone_redemption_makes_place_for_another(work: UnitOfWork, customers: list[CustomerId]) -> None:
    where = Occasion(customer_id=customers[0], currency="USD")
    create_coupon(work, TEN_PERCENT, limits=Limits(max_redemptions=1), max_per_customer=1, **BY)
    create_promotion_code(work, "ONCE", coupon="spring", limits=Limits(max_redemptions=1), **BY)
    first = redeem_promotion_code(work, "once", where, **BY)

    assert undo_redemption(work, first.id, **BY)
    assert not undo_redemption(work, first.id, **BY)
    assert counts(work) == (0, 0, 0)
    second = redeem_promotion_code(work, "once", where, **BY)

    assert second.id != first.id
    assert counts(work) == (1, 1, 1)
    assert told(work).count("discount.undone") == 1
    with pytest.raises(DiscountNotFound):
        undo_redemption(work, DiscountId(UUID(int=7)), **BY)


def test_an_archived_coupon_is_offered_no_more(work: UnitOfWork, customers: list[CustomerId]) -> None:
    where = Occasion(customer_id=customers[0], currency="USD")
    create_coupon(work, TEN_PERCENT, **BY)
    create_promotion_code(work, "HELLO", coupon="spring", **BY)
    granted = redeem_coupon(work, "spring", where, **BY)

    assert archive_coupon(work, "spring", **BY).archived_at == NOW
    assert archive_coupon(work, "spring", **{**BY, "now": NOW + timedelta(days=1)}).archived_at == NOW
    for redeem, code in ((redeem_coupon, "spring"), (redeem_promotion_code, "hello")):
        with pytest.raises(CouponArchived):
            redeem(work, code, where, **BY)
    with pytest.raises(CouponArchived):
        create_promotion_code(work, "BYE", coupon="spring", **BY)
    assert undo_redemption(work, granted.id, **BY)  # what was granted can still be given back
    for unknown in ("summer", "spring\0"):
        with pytest.raises((CouponNotFound, MalformedDiscount)):
            archive_coupon(work, unknown, **BY)


def test_64_customers_at_once_share_the_ten_that_are_left(
    database: Database, tenant: TenantId, customers: list[CustomerId]
) -> None:
    with database.transaction(tenant) as uow:
        create_coupon(uow, TEN_PERCENT, limits=Limits(max_redemptions=10), **BY)
        create_promotion_code(uow, "RUSH", coupon="spring", **BY)

    def redeem(customer: CustomerId) -> bool:
        with database.transaction(tenant) as uow:
            try:
                redeem_promotion_code(uow, "rush", Occasion(customer_id=customer, currency="USD"), **BY)
            except RedemptionsUsedUp:
                return False
            return True

    with ThreadPoolExecutor(64) as pool:
        granted = list(pool.map(redeem, customers))

    assert granted.count(True) == 10
    with database.transaction(tenant) as uow:
        assert counts(uow) == (10, 10, 10)
        assert uow.fetch_all("select count(*) from redemptions") == [(10,)]


def test_one_customer_in_many_sessions_gets_what_one_customer_may_have(
    database: Database, tenant: TenantId, customers: list[CustomerId]
) -> None:
    with database.transaction(tenant) as uow:
        create_coupon(uow, TEN_PERCENT, max_per_customer=2, **BY)

    def redeem(_: int) -> bool:
        with database.transaction(tenant) as uow:
            try:
                redeem_coupon(uow, "spring", Occasion(customer_id=customers[0], currency="USD"), **BY)
            except RedemptionsUsedUp:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(redeem, range(16))) == 2


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("update coupons set redeemed = 3", CheckViolation),
        ("update coupons set redeemed = -1", CheckViolation),
        ("update coupons set percent_off = 50", InsufficientPrivilege),
        ("update coupons set max_redemptions = 99", InsufficientPrivilege),
        ("update coupons set status = 'archived'", CheckViolation),
        ("update promotion_codes set redeemed = 2", CheckViolation),
        ("update promotion_codes set redeem_by = null", InsufficientPrivilege),
        ("update coupon_customers set redeemed = 2", CheckViolation),
        ("update redemptions set customer_id = null", InsufficientPrivilege),
        ("update redemptions set undone_at = redeemed_at - interval '1 day'", CheckViolation),
        ("delete from redemptions", InsufficientPrivilege),
    ],
)
def test_the_database_refuses_what_no_operation_does(
    database: Database,
    tenant: TenantId,
    customers: list[CustomerId],
    statement: str,
    refusal: type[psycopg.Error],
) -> None:
    with database.transaction(tenant) as uow:
        create_coupon(uow, TEN_PERCENT, limits=Limits(max_redemptions=2), max_per_customer=1, **BY)
        create_promotion_code(uow, "ONCE", coupon="spring", limits=Limits(max_redemptions=1), **BY)
        redeem_promotion_code(uow, "once", Occasion(customer_id=customers[0], currency="USD"), **BY)

    with pytest.raises(refusal), database.transaction(tenant) as uow:
        uow.execute(statement)


def test_a_redemption_for_a_subscription_that_never_comes_is_not_kept(
    database: Database, tenant: TenantId, customers: list[CustomerId]
) -> None:
    nowhere = SubscriptionId(UUID(int=9))
    with pytest.raises(ForeignKeyViolation), database.transaction(tenant) as uow:
        create_coupon(uow, TEN_PERCENT, **BY)
        occasion = Occasion(customer_id=customers[0], currency="USD", subscription_id=nowhere)
        redeem_coupon(uow, "spring", occasion, **BY)

    with database.transaction(tenant) as uow:
        assert all_coupons(uow) == []


def test_a_coupon_of_another_tenant_is_none(
    database: Database, tenant: TenantId, other_tenant: TenantId, customers: list[CustomerId]
) -> None:
    with database.transaction(other_tenant) as uow:
        theirs: Coupon = create_coupon(uow, TEN_PERCENT, **BY)
        create_promotion_code(uow, "HELLO", coupon="spring", **BY)

    where = Occasion(customer_id=customers[0], currency="USD")
    with database.transaction(tenant) as uow:
        with pytest.raises(CouponNotFound):
            redeem_coupon(uow, "spring", where, **BY)
        with pytest.raises(PromotionCodeNotFound):
            redeem_promotion_code(uow, "hello", where, **BY)
        assert create_coupon(uow, TEN_PERCENT, **BY).id != theirs.id

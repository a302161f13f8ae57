"""Reading plan versions back: what a subscription pins is what was applied, or it is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import PlanVersionId, TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import (
    ChargeKind,
    PlanNotSold,
    TamperedPlanVersion,
    TaxMode,
    Timing,
    apply_price_book,
    newest_plan_version,
    plan_versions,
    plan_versions_by_code,
    read_price_book,
)
from tenor.pricing.charges import Flat, Price, Standard
from tests.support.price_books import SMALL, small_book
from tests.support.worked_tables import DOCS

NOW = datetime(2026, 1, 10, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
DEARER = ("amount: 49.00", "amount: 59.00")
LATER = ("2026-01-01T", "2026-03-01T")


@pytest.fixture
def pro(database: Database, tenant: TenantId) -> PlanVersionId:
    """Version 1 of the plan pro, sold since January."""
    with database.transaction(tenant) as uow:
        return apply_price_book(uow, small_book(), actor="ada", now=NOW).plan_versions["pro"]


@pytest.fixture
def dearer(database: Database, tenant: TenantId, pro: PlanVersionId) -> PlanVersionId:
    """Version 2 of it, sold since March."""
    with database.transaction(tenant) as uow:
        return apply_price_book(uow, small_book(DEARER, LATER), actor="ada", now=NOW).plan_versions["pro"]


def tamper(database: Database, change: str) -> None:
    """Do what nobody may do: change applied rows, as a superuser who takes the protection off first."""
    with database.setup() as connection, connection.transaction():
        connection.execute("alter table tenor.plan_versions disable trigger append_only")
        changed = connection.execute(f"update tenor.plan_versions set {change} where plan = 'pro' and version = 1")
        assert changed.rowcount == 1
        connection.execute("alter table tenor.plan_versions enable always trigger append_only")


def test_a_plan_version_is_what_was_applied(pro: PlanVersionId, uow: UnitOfWork) -> None:
    version = plan_versions(uow, [pro])[pro]

    assert (version.plan, version.version, version.name, version.product) == ("pro", 1, "Pro", "assistant")
    assert (version.price_book, version.price_book_version) == ("acme", 1)
    assert (version.currency, version.tax_mode, version.effective_at) == ("USD", TaxMode.EXCLUSIVE, JANUARY)
    assert (version.interval, version.trial_days, version.features) == (Interval(Unit.MONTH), 0, (("sso", None),))
    base, tokens = version.charges
    assert (base.code, base.kind, base.timing) == ("base", ChargeKind.RECURRING, Timing.ADVANCE)
    assert base.price == Price(Flat(Decimal(49)))
    assert (base.metric, base.is_prorated, base.default_quantity) == (None, True, Decimal(1))
    assert (tokens.code, tokens.kind, tokens.timing) == ("tokens", ChargeKind.USAGE, Timing.ARREARS)
    assert tokens.price == Price(Standard(Decimal("0.000003")))
    assert (tokens.metric, tokens.is_prorated, tokens.interval, tokens.tier_window) == ("tokens", False, None, None)


def test_the_charges_have_the_ids_of_their_rows(pro: PlanVersionId, uow: UnitOfWork) -> None:
    rows = uow.fetch_all("select code, id from charges where plan_version_id = %s", [pro])

    assert {charge.code: charge.id for charge in plan_versions(uow, [pro])[pro].charges} == dict(rows)


def test_everything_that_the_documented_example_says_is_read_back(database: Database, tenant: TenantId) -> None:
    source = (DOCS / "price-books.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    with database.transaction(tenant) as uow:
        applied = apply_price_book(uow, read_price_book(source.encode()), actor="ada", now=NOW)
        version = plan_versions(uow, [applied.plan_versions["pro"]])[applied.plan_versions["pro"]]

    charges = {charge.code: charge for charge in version.charges}
    assert version.trial_days == 14
    assert version.features == (("projects", Decimal(20)), ("sso", None))
    assert charges["seats"].price == Price(Standard(Decimal("12.5")), free_units=Decimal(1))
    assert charges["seats"].default_quantity == 3
    assert charges["input"].tier_window == Interval(Unit.DAY)
    assert charges["requests"].dimensions == ("region", "size")
    assert (charges["support"].interval, charges["support"].timing) == (Interval(Unit.MONTH, 3), Timing.ARREARS)


def test_an_old_version_stays_as_it_was(pro: PlanVersionId, dearer: PlanVersionId, uow: UnitOfWork) -> None:
    versions = plan_versions(uow, [pro, dearer])

    prices = [versions[one].charges[0].price for one in (pro, dearer)]
    assert prices == [Price(Flat(Decimal(49))), Price(Flat(Decimal(59)))]


def test_an_id_that_is_no_plan_version_is_refused(pro: PlanVersionId, uow: UnitOfWork) -> None:
    with pytest.raises(NotFound, match="there is no plan version"):
        plan_versions(uow, [pro, PlanVersionId(uuid4())])


def test_another_tenant_cannot_read_it(database: Database, pro: PlanVersionId, other_tenant: TenantId) -> None:
    with database.transaction(other_tenant) as uow, pytest.raises(NotFound):
        plan_versions(uow, [pro])


@pytest.mark.parametrize(
    ("at", "version"),
    [
        (JANUARY, 1),  # the instant belongs to the edition that begins with it
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), 1),
        (MARCH, 2),
        (datetime(2030, 1, 1, tzinfo=UTC), 2),
    ],
)
def test_what_is_sold_at_an_instant(dearer: PlanVersionId, uow: UnitOfWork, at: datetime, version: int) -> None:
    assert newest_plan_version(uow, "pro", at).version == version


def test_nothing_is_sold_before_the_first_edition(pro: PlanVersionId, uow: UnitOfWork) -> None:
    with pytest.raises(PlanNotSold, match="no plan 'pro' is sold at 2025-12-31T23:59:59Z"):
        newest_plan_version(uow, "pro", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_an_edition_of_the_same_instant_replaces_the_one_before(pro: PlanVersionId, uow: UnitOfWork) -> None:
    apply_price_book(uow, small_book(DEARER), actor="ada", now=NOW)

    assert newest_plan_version(uow, "pro", JANUARY).version == 2


def test_a_plan_that_is_left_out_is_not_sold_from_then_on(pro: PlanVersionId, uow: UnitOfWork) -> None:
    text = small_book_without_pro()
    apply_price_book(uow, read_price_book(text.encode()), actor="ada", now=NOW)

    assert newest_plan_version(uow, "pro", JANUARY).version == 1
    with pytest.raises(PlanNotSold):
        newest_plan_version(uow, "pro", MARCH)
    assert set(plan_versions_by_code(uow, ["pro", "basic", "gold"], MARCH)) == {"basic"}
    assert set(plan_versions(uow, [pro])) == {pro}  # who has it keeps it


def small_book_without_pro() -> str:
    head, plans = SMALL.split("plans:\n")
    return head.replace(*LATER) + "plans:\n" + plans[plans.index("  - code: basic") :]


@pytest.mark.parametrize(
    "change",
    [
        "definition = jsonb_set(definition, '{charges,0,price,amount}', '\"48.99\"')",
        "definition = jsonb_set(definition, '{charges,1,metric}', '\"calls\"')",
        "definition = jsonb_set(definition, '{trial_days}', '30')",
        "definition = definition #- '{charges,1}'",
        "definition = '{}'",
        "currency = 'EUR'",
        "tax_mode = 'inclusive'",
        "name = 'Prof'",
        "effective_at = effective_at + interval '1 microsecond'",
        "content_hash = decode(repeat('00', 32), 'hex')",
    ],
)
def test_a_change_by_sql_is_found(database: Database, tenant: TenantId, pro: PlanVersionId, change: str) -> None:
    tamper(database, change)

    with database.transaction(tenant) as uow:
        with pytest.raises(TamperedPlanVersion, match="version 1 of plan 'pro'"):
            plan_versions(uow, [pro])
        with pytest.raises(TamperedPlanVersion):
            newest_plan_version(uow, "pro", MARCH)


def test_a_report_may_look_at_what_was_tampered_with(database: Database, tenant: TenantId, pro: PlanVersionId) -> None:
    tamper(database, "definition = jsonb_set(definition, '{charges,0,price,amount}', '\"48.99\"')")

    with database.transaction(tenant) as uow:
        version = plan_versions(uow, [pro], is_verified=False)[pro]

    assert version.charges[0].price == Price(Flat(Decimal("48.99")))


@pytest.mark.parametrize("table", ["plan_versions", "charges", "price_book_versions", "price_book_plans", "metrics"])
def test_the_application_cannot_change_what_is_applied(pro: PlanVersionId, uow: UnitOfWork, table: str) -> None:
    for statement in (f"update {table} set tenant_id = tenant_id", f"delete from {table}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), uow.connection.transaction():
            uow.execute(statement)

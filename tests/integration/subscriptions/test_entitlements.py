"""Entitlements in the database: what runs at the instant decides, and what a person decided over it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, OverrideId, SubscriptionId, TenantId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.price_book import apply_price_book, read_price_book
from tenor.subscriptions import (
    Access,
    Entitlement,
    FeatureNotFound,
    MalformedOverride,
    NewOverride,
    NewSubscription,
    OverrideNotFound,
    OverrideRevoked,
    Status,
    add_add_on,
    cancel,
    change_plan,
    check_entitlement,
    entitlements_of,
    override_entitlement,
    pause,
    revoke_override,
    set_access,
    subscribe,
)

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
BOOK = b"""\
price_book: euro
currency: EUR
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products: [{code: service, name: Service}]
features: [{code: sso, name: Single sign-on}, {code: projects, name: Projects}, {code: api, name: API}]
plans:
  - {code: pro, name: Pro, product: service, interval: month, features: [sso, projects: 20], charges: []}
  - {code: basic, name: Basic, product: service, interval: month, features: [projects: 3], charges: []}
  - {code: more, name: More, product: service, interval: month, features: [projects: 5.5], charges: []}
  - {code: tried, name: Tried, product: service, interval: month, trial_days: 31, features: [sso], charges: []}
"""


@pytest.fixture
def globex(database: Database, tenant: TenantId) -> CustomerId:
    """A customer where something is sold."""
    with database.transaction(tenant) as uow:
        apply_price_book(uow, read_price_book(BOOK), actor="test", now=SINCE)
        return register_customers(
            uow, [CustomerDetails(external_id="globex", name="Globex")], now=SINCE, actor="test", reason="a test"
        )["globex"]


def begin(uow: UnitOfWork, customer: CustomerId, plan: str, name: str = "g1", **terms: Any) -> SubscriptionId:
    request = NewSubscription(external_id=name, customer_id=customer, plan=plan, starts_at=MARCH, **terms)
    return subscribe(uow, [request], now=MARCH, actor="test", reason="")[0]


def how(version: int, effective: datetime, *, now: datetime = MARCH) -> dict[str, Any]:
    return {"effective": effective, "version": version, "now": now, "actor": "test", "reason": ""}


def grant(uow: UnitOfWork, customer: CustomerId, *, now: datetime = MARCH, **asked: Any) -> OverrideId:
    new = NewOverride(customer_id=customer, **{"feature": "api", **asked})
    return override_entitlement(uow, new, now=now, actor="eve", reason="promised")


def limits(uow: UnitOfWork, feature: str, *instants: datetime) -> list[Decimal | None]:
    """Return the limit of globex at each instant, 0 where it may not use the feature."""
    found = [check_entitlement(uow, "globex", feature, at) for at in instants]
    return [one.limit if one.allowed else Decimal(0) for one in found]


def test_what_a_plan_grants_is_found_by_id_and_by_name(uow: UnitOfWork, globex: CustomerId) -> None:
    begin(uow, globex, "pro")

    expected = Entitlement("projects", Access.FULL, Decimal(20), "in_plan", "pro version 1 of g1")  # type: ignore[arg-type]  # a word is its own text
    assert check_entitlement(uow, globex, "projects", MARCH) == expected
    assert check_entitlement(uow, "globex", "projects", MARCH) == expected
    assert check_entitlement(uow, "globex", "sso", MARCH).limit is None
    assert not check_entitlement(uow, "globex", "api", MARCH).allowed


def test_a_customer_without_a_subscription_has_nothing(uow: UnitOfWork, globex: CustomerId) -> None:
    assert not check_entitlement(uow, globex, "projects", MARCH).allowed
    assert entitlements_of(uow, globex, MARCH) == []


def test_nothing_before_the_start_and_from_the_end_on(uow: UnitOfWork, globex: CustomerId) -> None:
    subscription = begin(uow, globex, "pro")
    cancel(uow, subscription, **how(1, APRIL))

    assert limits(uow, "projects", MARCH - MOMENT, MARCH, APRIL - MOMENT, APRIL) == [0, 20, 20, 0]


def test_a_downgrade_that_is_planned_takes_away_at_its_instant(uow: UnitOfWork, globex: CustomerId) -> None:
    subscription = begin(uow, globex, "pro")
    change_plan(uow, subscription, plan="basic", **how(1, APRIL))

    assert limits(uow, "projects", MARCH, APRIL - MOMENT, APRIL) == [20, 20, 3]
    assert limits(uow, "sso", APRIL - MOMENT, APRIL) == [None, 0]


def test_add_ons_add_their_limits_from_their_start_on(uow: UnitOfWork, globex: CustomerId) -> None:
    """20 of the plan and 5.5 of each add-on."""
    subscription = begin(uow, globex, "pro")
    add_add_on(uow, subscription, plan="more", **how(1, APRIL))
    add_add_on(uow, subscription, plan="more", **how(2, MAY))

    assert limits(uow, "projects", MARCH, APRIL, MAY) == [Decimal(20), Decimal("25.5"), Decimal(31)]


def test_a_pause_leaves_what_is_there_to_be_seen(uow: UnitOfWork, globex: CustomerId) -> None:
    subscription = begin(uow, globex, "pro")
    pause(uow, subscription, **how(1, APRIL))

    found = check_entitlement(uow, "globex", "projects", APRIL)
    assert (found.access, found.limit, found.reason.value) == (Access.READ_ONLY, Decimal(20), "paused")
    assert check_entitlement(uow, "globex", "projects", APRIL - MOMENT).allowed


def test_a_trial_grants_and_one_that_lapses_ends(uow: UnitOfWork, globex: CustomerId) -> None:
    begin(uow, globex, "tried", trial_converts=False)

    assert limits(uow, "sso", MARCH, APRIL - MOMENT, APRIL) == [None, None, 0]


@pytest.mark.parametrize(("status", "access"), [("past_due", Access.FULL), ("suspended", Access.READ_ONLY)])
def test_a_state_that_comes_from_payments(uow: UnitOfWork, globex: CustomerId, status: str, access: Access) -> None:
    begin(uow, globex, "pro")
    uow.execute("update subscriptions set status = 'past_due'")
    uow.execute("update subscriptions set status = %s", [status])

    found = check_entitlement(uow, "globex", "projects", MARCH)

    assert (found.access, found.reason) == (access, status)


def test_a_tenant_says_what_a_state_leaves(uow: UnitOfWork, globex: CustomerId) -> None:
    begin(uow, globex, "pro")
    uow.execute("update subscriptions set status = 'past_due'")

    for access in (Access.NONE, Access.READ_ONLY):
        set_access(uow, Status.PAST_DUE, access, now=MARCH, actor="eve", reason="house rule")
        assert check_entitlement(uow, "globex", "projects", MARCH).access is access

    with pytest.raises(Malformed, match="what active leaves is fixed"):
        set_access(uow, Status.ACTIVE, Access.NONE, now=MARCH, actor="eve", reason="")


def test_a_grant_holds_from_its_start_until_its_end(uow: UnitOfWork, globex: CustomerId) -> None:
    grant(uow, globex, limit=Decimal(9), starts_at=APRIL, ends_at=MAY)

    assert limits(uow, "api", APRIL - MOMENT, APRIL, MAY - MOMENT, MAY) == [0, 9, 9, 0]


def test_the_newest_override_wins_and_gives_way_when_it_is_revoked(uow: UnitOfWork, globex: CustomerId) -> None:
    """9 since March; denied in the same second, revoked in April: 9 again."""
    grant(uow, globex, limit=Decimal(9))
    denial = grant(uow, globex, is_granted=False)
    revoke_override(uow, denial, now=APRIL, actor="eve", reason="a mistake")

    assert limits(uow, "api", MARCH, APRIL - MOMENT, APRIL) == [0, 0, 9]
    assert check_entitlement(uow, "globex", "api", APRIL).source == "override 1 by eve: promised"


def test_an_override_is_revoked_once(uow: UnitOfWork, globex: CustomerId) -> None:
    override = grant(uow, globex)
    revoke_override(uow, override, now=APRIL, actor="eve", reason="")

    with pytest.raises(OverrideRevoked):
        revoke_override(uow, override, now=MAY, actor="eve", reason="")
    with pytest.raises(OverrideNotFound):
        revoke_override(uow, OverrideId(UUID(int=5)), now=MAY, actor="eve", reason="")


def test_one_for_a_subscription_ends_with_it(uow: UnitOfWork, globex: CustomerId) -> None:
    subscription = begin(uow, globex, "pro")
    grant(uow, globex, feature="projects", limit=Decimal(100), subscription_id=subscription)
    cancel(uow, subscription, **how(1, APRIL))

    assert limits(uow, "projects", MARCH, APRIL) == [100, 0]


def test_all_features_of_a_customer(uow: UnitOfWork, globex: CustomerId) -> None:
    begin(uow, globex, "pro")
    grant(uow, globex)

    found = entitlements_of(uow, "globex", MARCH)

    assert [(one.feature, one.limit, one.source) for one in found] == [
        ("api", None, "override 1 by eve: promised"),
        ("projects", 20, "pro version 1 of g1"),
        ("sso", None, "pro version 1 of g1"),
    ]


def test_a_slip_of_the_pen_is_refused(uow: UnitOfWork, globex: CustomerId) -> None:
    with pytest.raises(NotFound, match="there is no customer 'globix'"):
        check_entitlement(uow, "globix", "sso", MARCH)
    with pytest.raises(FeatureNotFound, match="there is no feature 'soo'"):
        check_entitlement(uow, "globex", "soo", MARCH)
    with pytest.raises(NotFound, match="there is no customer cus_"):
        entitlements_of(uow, CustomerId(UUID(int=7)), MARCH)


@pytest.mark.parametrize(
    ("asked", "refusal", "words"),
    [
        ({"feature": "soo"}, FeatureNotFound, "there is no feature 'soo'"),
        ({"limit": Decimal(-1)}, Malformed, "limit: -1 is negative"),
        ({"limit": Decimal("NaN")}, Malformed, "limit"),
        ({"is_granted": False, "limit": Decimal(1)}, MalformedOverride, "what is denied has no limit"),
        ({"ends_at": MARCH}, MalformedOverride, "ends after it begins"),
        ({"starts_at": datetime(2026, 3, 1)}, Malformed, "starts_at"),  # noqa: DTZ001  an instant without a zone is refused
        ({"subscription_id": SubscriptionId(UUID(int=3))}, MalformedOverride, "has no subscription sub_"),
        ({"customer_id": CustomerId(UUID(int=7))}, NotFound, "there is no customer cus_"),
    ],
)
def test_an_override_that_makes_no_sense(
    uow: UnitOfWork, globex: CustomerId, asked: dict[str, Any], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        grant(uow, asked.pop("customer_id", globex), **asked)

    assert uow.fetch_all("select from entitlement_overrides") == []


def test_an_override_for_the_subscription_of_another(uow: UnitOfWork, globex: CustomerId) -> None:
    other = register_customers(
        uow, [CustomerDetails(external_id="initech", name="Initech")], now=SINCE, actor="test", reason="a test"
    )["initech"]
    subscription = begin(uow, other, "pro")

    with pytest.raises(MalformedOverride):
        grant(uow, globex, subscription_id=subscription)
    assert not check_entitlement(uow, globex, "projects", MARCH).allowed  # nor does it see what the other has


def test_what_was_decided_is_told(uow: UnitOfWork, globex: CustomerId) -> None:
    revoke_override(uow, grant(uow, globex), now=APRIL, actor="eve", reason="a mistake")

    deeds = uow.fetch_all(
        "select action, actor, reason, occurred_at from audit_records where object_type = 'entitlement' order by 4"
    )
    events = uow.fetch_all("select count(*) from outbox_events where type = 'entitlement.changed'")
    assert deeds == [
        ("entitlement.override", "eve", "promised", MARCH),
        ("entitlement.revoke", "eve", "a mistake", APRIL),
    ]
    assert events == [(2,)]


def test_another_tenant_decides_and_sees_nothing(
    database: Database, tenant: TenantId, other_tenant: TenantId, globex: CustomerId
) -> None:
    with database.transaction(tenant) as uow:
        begin(uow, globex, "pro")

    with database.transaction(other_tenant) as uow, pytest.raises(NotFound):
        entitlements_of(uow, globex, MARCH)


@pytest.mark.parametrize("table", ["entitlement_overrides", "entitlement_revocations"])
def test_what_was_decided_cannot_be_changed(
    database: Database, tenant: TenantId, globex: CustomerId, table: str
) -> None:
    with database.transaction(tenant) as uow:
        revoke_override(uow, grant(uow, globex), now=APRIL, actor="eve", reason="")

    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(tenant) as uow:
        uow.execute(f"update {table} set tenant_id = tenant_id")


def test_a_check_is_one_statement_that_reads_only_by_index(
    uow: UnitOfWork, globex: CustomerId, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"c{number}" for number in range(2_000)]
    details = [CustomerDetails(external_id=name, name=name) for name in names]
    ids = register_customers(uow, details, now=SINCE, actor="test", reason="a test")
    requests = [NewSubscription(external_id=name, customer_id=ids[name], plan="pro", starts_at=MARCH) for name in names]
    subscribe(uow, requests, now=MARCH, actor="test", reason="")
    uow.execute("select tenor.refresh_statistics()")
    asked: list[tuple[Any, Any]] = []
    fetch_one = UnitOfWork.fetch_one

    def noting(self: UnitOfWork, statement: Any, params: Any = None) -> Any:
        asked.append((statement, params))
        return fetch_one(self, statement, params)

    monkeypatch.setattr(UnitOfWork, "fetch_one", noting)
    for method in ("execute", "fetch_all"):
        monkeypatch.setattr(UnitOfWork, method, None)  # a second statement in another way would fail

    assert check_entitlement(uow, "c77", "projects", MARCH).allowed

    monkeypatch.undo()
    ((statement, params),) = asked
    plan = "\n".join(line for (line,) in uow.fetch_all(f"explain {statement}", params))
    assert re.findall(r"Seq Scan on (?:customers|subscriptions|subscription_items|phases)\b", plan) == []

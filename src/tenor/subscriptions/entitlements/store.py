"""Reading what decides about a customer's features in one statement of index look-ups, and writing overrides."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, NotAnId, OverrideId, SubscriptionId, from_wire, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.entitlements.errors import FeatureNotFound, OverrideNotFound
from tenor.subscriptions.entitlements.model import Access, Facts, NewOverride, Override, Running
from tenor.subscriptions.entitlements.rules import ACCESS
from tenor.subscriptions.model import PhaseState, Status


class KnownOverride(NamedTuple):
    """An override as it is stored: whose it is, and since when it is revoked."""

    customer_id: CustomerId
    feature: str
    revoked_at: datetime | None


def _facts_statement(customer: str, feature: str) -> str:
    """Return the statement for a customer who is found by `customer`; `feature` narrows it to one, of a table `x`."""
    return f"""
        select
            c.id,
            (select json_agg(json_build_array(s.id, s.external_id, s.status, i.id, p.state, v.plan, v.version,
                                              v.customer_id is not null, x.feature, x.limit_value::text)
                             order by s.starts_at, s.id, i.is_add_on, i.id)
             from subscriptions s
             join subscription_items i on i.subscription_id = s.id
             join phases p on p.item_id = i.id and p.superseded_by_version is null
                 and p.starts_at <= %(at)s and (p.ends_at is null or p.ends_at > %(at)s)
             join plan_versions v on v.id = i.plan_version_id
             left join plan_version_features x on x.plan_version_id = v.id {feature}
             where s.customer_id = c.id),
            (select json_agg(json_build_array(x.id, x.override_no, x.subscription_id, x.feature, x.is_granted,
                                              x.limit_value::text, x.actor, x.reason))
             from entitlement_overrides x
             left join entitlement_revocations r on r.override_id = x.id
             where x.customer_id = c.id and x.starts_at <= %(at)s and (x.ends_at is null or x.ends_at > %(at)s)
                 and (r.revoked_at is null or r.revoked_at > %(at)s) {feature}),
            (select json_object_agg(status, access) from entitlement_access),
            exists (select from features where code = %(feature)s)
        from customers c where {customer}
    """


_BY_ID: Final = "c.id = %(customer)s"
_BY_EXTERNAL_ID: Final = "c.external_id = %(customer)s"
_ONE: Final = "and x.feature = %(feature)s"
_STATEMENTS: Final = {
    (how, narrowed): _facts_statement(how, narrowed) for how in (_BY_ID, _BY_EXTERNAL_ID) for narrowed in (_ONE, "")
}


def access_by_state(uow: UnitOfWork) -> dict[Status, Access]:
    """Return what each state leaves of what a plan grants: what this tenant says, or else the default."""
    own = {
        Status(status): Access(left) for status, left in uow.fetch_all("select status, access from entitlement_access")
    }
    return {**ACCESS, **own}


def facts_at(uow: UnitOfWork, customer: CustomerId | str, at: datetime, *, feature: str | None = None) -> Facts:
    """Return what decides about the features of a customer (id or external id) at an instant; about one, if named.

    The states that come from payments are those of now, whatever the instant.

    Raises:
        NotFound: there is no such customer.
        FeatureNotFound: there is no such feature.
    """
    narrowed, asked = (_ONE if feature is not None else ""), {"feature": feature, "at": at}
    rows = (uow.fetch_one(_STATEMENTS[how, narrowed], {**asked, "customer": key}) for how, key in _ways_to(customer))
    row = next((row for row in rows if row is not None), None)
    if row is None:
        shown = to_wire("cus", customer) if isinstance(customer, UUID) else repr(customer)
        raise NotFound(f"there is no customer {shown}", customer=shown)
    _, running, overrides, access, is_feature = row
    if feature is not None and not is_feature:
        raise FeatureNotFound(f"there is no feature {feature!r}", feature=feature)
    own = {Status(status): Access(left) for status, left in (access or {}).items()}
    return Facts(tuple(_running(running or ())), tuple(map(_override, overrides or ())), {**ACCESS, **own})


def _ways_to(customer: CustomerId | str) -> Iterator[tuple[str, CustomerId | str]]:
    """Yield how a customer may be found by what it is called; ids go before names."""
    if isinstance(customer, UUID):
        yield _BY_ID, customer
        return
    with suppress(NotAnId):
        yield _BY_ID, CustomerId(from_wire("cus", customer))
    yield _BY_EXTERNAL_ID, customer


def _running(rows: Iterable[list[Any]]) -> Iterable[Running]:
    """Yield each plan or add-on of rows that give one for each feature that it grants, neighbours together."""
    found: dict[str, Running] = {}
    limits: dict[str, dict[str, Decimal | None]] = {}
    for subscription_id, external_id, status, item_id, state, plan, version, is_private, feature, limit in rows:
        granted = limits.setdefault(item_id, {})
        if feature is not None:
            granted[feature] = _limit(limit)
        found.setdefault(
            item_id,
            Running(
                subscription_id=SubscriptionId(UUID(subscription_id)),
                subscription=external_id,
                status=Status(status),
                state=PhaseState(state),
                plan=f"{plan} {'private version' if is_private else 'version'} {version}",
                limits=granted,
            ),
        )
    return found.values()


def _override(row: list[Any]) -> Override:
    override_id, override_no, subscription_id, feature, is_granted, limit, actor, reason = row
    return Override(
        id=OverrideId(UUID(override_id)),
        override_no=override_no,
        subscription_id=None if subscription_id is None else SubscriptionId(UUID(subscription_id)),
        feature=feature,
        is_granted=is_granted,
        limit=_limit(limit),
        actor=actor,
        reason=reason,
    )


def _limit(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def lock_customer(uow: UnitOfWork, customer_id: CustomerId) -> None:
    """Let nobody else decide about the features of this customer before this transaction ends.

    Raises:
        NotFound: there is no such customer.
    """
    if uow.fetch_one("select from customers where id = %s for no key update", [customer_id]) is None:
        raise NotFound(f"there is no customer {to_wire('cus', customer_id)}", customer_id=to_wire("cus", customer_id))


def has_feature(uow: UnitOfWork, feature: str) -> bool:
    """Return whether the tenant has this feature."""
    return uow.fetch_one("select from features where code = %s", [feature]) is not None


def owner_of(uow: UnitOfWork, subscription_id: SubscriptionId) -> CustomerId | None:
    """Return whose subscription this is; None when there is none."""
    row = uow.fetch_one("select customer_id from subscriptions where id = %s", [subscription_id])
    return None if row is None else CustomerId(row[0])


def insert_override(
    uow: UnitOfWork, override_id: OverrideId, asked: NewOverride, *, now: datetime, actor: str, reason: str
) -> None:
    """Write an override under the next number of its customer, who is locked."""
    uow.execute(
        """
        insert into entitlement_overrides
            (tenant_id, id, customer_id, override_no, subscription_id, feature, is_granted, limit_value,
             starts_at, ends_at, recorded_at, actor, reason)
        select %(tenant)s, %(id)s, %(customer)s, coalesce(max(override_no), 0) + 1, %(subscription)s, %(feature)s,
               %(granted)s, %(limit)s, %(starts)s, %(ends)s, %(now)s, %(actor)s, %(reason)s
        from entitlement_overrides where customer_id = %(customer)s
        """,
        {
            "tenant": uow.tenant_id,
            "id": override_id,
            "customer": asked.customer_id,
            "subscription": asked.subscription_id,
            "feature": asked.feature,
            "granted": asked.is_granted,
            "limit": asked.limit,
            "starts": asked.starts_at or now,
            "ends": asked.ends_at,
            "now": now,
            "actor": actor,
            "reason": reason,
        },
    )


def known_override(uow: UnitOfWork, override_id: OverrideId) -> KnownOverride:
    """Return an override that is stored.

    Raises:
        OverrideNotFound: there is none with the id.
    """
    row = uow.fetch_one(
        """
        select o.customer_id, o.feature, r.revoked_at
        from entitlement_overrides o left join entitlement_revocations r on r.override_id = o.id where o.id = %s
        """,
        [override_id],
    )
    if row is None:
        raise OverrideNotFound(
            f"there is no override {to_wire('ovr', override_id)}", override_id=to_wire("ovr", override_id)
        )
    return KnownOverride(CustomerId(row[0]), row[1], row[2])


def insert_revocation(uow: UnitOfWork, override_id: OverrideId, *, now: datetime, actor: str, reason: str) -> None:
    """Write that an override says nothing from now on."""
    uow.execute(
        """
        insert into entitlement_revocations (tenant_id, override_id, revoked_at, actor, reason)
        values (%s, %s, %s, %s, %s)
        """,
        [uow.tenant_id, override_id, now, actor, reason],
    )


def put_access(uow: UnitOfWork, status: Status, access: Access) -> None:
    """Write what a state leaves of the features of this tenant's customers."""
    uow.execute(
        """
        insert into entitlement_access (tenant_id, status, access) values (%s, %s, %s)
        on conflict (tenant_id, status) do update set access = excluded.access
        """,
        [uow.tenant_id, status.value, access.value],
    )

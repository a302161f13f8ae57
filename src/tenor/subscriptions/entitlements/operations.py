"""Check what a customer may use; grant, deny, revoke; set what a state leaves."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import CustomerId, OverrideId, new_id, to_wire
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_quantity, plain
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.entitlements.errors import FeatureNotFound, MalformedOverride, OverrideRevoked
from tenor.subscriptions.entitlements.model import Access, Entitlement, NewOverride
from tenor.subscriptions.entitlements.rules import SETTABLE, entitlement, entitlements
from tenor.subscriptions.entitlements.store import (
    facts_at,
    has_feature,
    insert_override,
    insert_revocation,
    known_override,
    lock_customer,
    owner_of,
    put_access,
)
from tenor.subscriptions.model import Status


def check_entitlement(uow: UnitOfWork, customer: CustomerId | str, feature: str, at: datetime) -> Entitlement:
    """Return what a customer, named by id or external id, may do with a feature at an instant, in one statement.

    The phases in force at `at` decide, so a downgrade that is planned takes a feature away at its instant and not
    before.

    Raises:
        NotFound: there is no such customer.
        FeatureNotFound: there is no such feature; a slip of the pen shall not pass for a plan without it.
    """
    return entitlement(feature, facts_at(uow, customer, at, feature=feature))


def entitlements_of(uow: UnitOfWork, customer: CustomerId | str, at: datetime) -> list[Entitlement]:
    """Return what a customer may do at an instant with every feature that a plan, an add-on or an override names.

    Raises:
        NotFound: there is no such customer.
    """
    return entitlements(facts_at(uow, customer, at))


def override_entitlement(uow: UnitOfWork, asked: NewOverride, *, now: datetime, actor: str, reason: str) -> OverrideId:
    """Grant a feature to a customer, or deny it, over whatever the plans say; of several overrides the newest decides.

    One for a subscription lives and pauses with it. One for all of a customer holds whatever runs, unpaid or ended.

    Raises:
        NotFound: there is no such customer.
        FeatureNotFound: there is no such feature.
        MalformedOverride, NotADecimal: as they say.
    """
    _require_sound(asked, now)
    lock_customer(uow, asked.customer_id)
    if not has_feature(uow, asked.feature):
        raise FeatureNotFound(f"there is no feature {asked.feature!r}", feature=asked.feature)
    if asked.subscription_id is not None and owner_of(uow, asked.subscription_id) != asked.customer_id:
        raise MalformedOverride(f"the customer has no subscription {to_wire('sub', asked.subscription_id)}")
    override_id = OverrideId(new_id(now))
    insert_override(uow, override_id, asked, now=now, actor=actor, reason=reason)
    body = {
        "customer_id": to_wire("cus", asked.customer_id),
        "subscription_id": None if asked.subscription_id is None else to_wire("sub", asked.subscription_id),
        "feature": asked.feature,
        "is_granted": asked.is_granted,
        "limit": None if asked.limit is None else plain(asked.limit),
        "starts_at": asked.starts_at or now,
        "ends_at": asked.ends_at,
    }
    _tell(uow, "override", override_id, body, now=now, actor=actor, reason=reason)
    return override_id


def revoke_override(uow: UnitOfWork, override_id: OverrideId, *, now: datetime, actor: str, reason: str) -> None:
    """Let an override say nothing from now on; one that it had replaced holds again.

    Raises:
        OverrideNotFound: there is none with the id.
        OverrideRevoked: it has been revoked before.
    """
    lock_customer(uow, known_override(uow, override_id).customer_id)
    known = known_override(uow, override_id)
    if known.revoked_at is not None:
        raise OverrideRevoked(
            f"{to_wire('ovr', override_id)} has been revoked before", override_id=to_wire("ovr", override_id)
        )
    insert_revocation(uow, override_id, now=now, actor=actor, reason=reason)
    body = {"customer_id": to_wire("cus", known.customer_id), "feature": known.feature}
    _tell(uow, "revoke", override_id, body, now=now, actor=actor, reason=reason)


def set_access(uow: UnitOfWork, status: Status, access: Access, *, now: datetime, actor: str, reason: str) -> None:
    """Set what a state leaves of the features of all customers of this tenant, from now on.

    Raises:
        Malformed: the state is not one of which a tenant may say so.
    """
    if status not in SETTABLE:
        raise Malformed(f"what {status} leaves is fixed; a tenant may set it for {', '.join(sorted(SETTABLE))}")
    put_access(uow, status, access)
    body = {"status": status.value, "access": access.value}
    tell(uow, "tenant.access_set", uow.tenant_id, body, now=now, actor=actor, reason=reason)


def _require_sound(asked: NewOverride, now: datetime) -> None:
    """Refuse what no customer is needed for to see that it is wrong."""
    if asked.limit is not None:
        parse_quantity(asked.limit, name="limit")
        if not asked.is_granted:
            raise MalformedOverride("what is denied has no limit")
    starts_at = now if asked.starts_at is None else parse_instant(asked.starts_at, name="starts_at")
    if asked.ends_at is not None and parse_instant(asked.ends_at, name="ends_at") <= starts_at:
        raise MalformedOverride("an override ends after it begins")


def _tell(
    uow: UnitOfWork, verb: str, object_id: UUID, body: Mapping[str, object], *, now: datetime, actor: str, reason: str
) -> None:
    deed = Deed(actor, f"entitlement.{verb}", "entitlement", object_id, reason, now, after=body)
    record(uow, [deed])
    publish(uow, [Event("entitlement.changed", object_id, body, now)])

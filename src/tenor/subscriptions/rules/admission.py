"""Admission: whether a request to subscribe can be met, and the subscription that it then becomes."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Final, NamedTuple, TypeVar

from tenor.kernel.calendar import parse_zone
from tenor.kernel.closest import did_you_mean
from tenor.kernel.errors import Malformed
from tenor.kernel.external_ids import external_id_flaw
from tenor.kernel.ids import ItemId, SubscriptionId, TenantId, derived_id, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import NotADecimal, parse_decimal, plain
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import profile
from tenor.subscriptions.errors import Flaw
from tenor.subscriptions.model import Change, NewSubscription, Recording, Status, Subscribed, Subscription
from tenor.subscriptions.rules.grid import trial_end
from tenor.subscriptions.rules.terms import agreed_terms

NOTICE_DAYS_MAX: Final = 3_650
PERCENT_MAX: Final = 100
PERCENT_FRACTION_DIGITS: Final = 6

_UTC: Final[tzinfo] = UTC

T = TypeVar("T")
U = TypeVar("U")


class Surroundings(NamedTuple):
    """What a request meets: the tenant and its profile, the edition of the plan that is sold, and the customer's zone.

    `plan` is None when no such plan is sold, and then `sold` names those that are; `customer_timezone` is None when
    there is no such customer.
    """

    tenant_id: TenantId
    tenant_profile: str
    plan: PlanVersion | None
    customer_timezone: str | None
    sold: Collection[str] = ()


class Admitted(NamedTuple):
    """A subscription that has not started yet, with the first entry of its journal."""

    subscription: Subscription
    change: Change


class _Frame(NamedTuple):
    """What a request says apart from the plan. Where it could not be read, something stands in for it."""

    starts_at: datetime
    ends_at: datetime | None
    anchor_at: datetime | None
    timezone: str
    zone: tzinfo
    profile: str
    discount_percent: Decimal


def admit(request: NewSubscription, around: Surroundings, recording: Recording) -> tuple[Admitted | None, list[Flaw]]:
    """Return the subscription that `request` becomes; None when anything is wrong, together with all that is."""
    flaws: list[Flaw] = []
    frame = _read_frame(request, around, recording.now, flaws)
    plan = around.plan
    if plan is None:
        meant = did_you_mean(request.plan, around.sold)
        flaw = Flaw("plan", f"no plan {request.plan!r} is sold at {format_instant(recording.now)}{meant}")
        return None, [*flaws, flaw]
    terms, term_flaws = agreed_terms(plan, quantities=request.quantities, prices=request.prices, held={})
    flaws += term_flaws
    trial_ends_at = _read_trial(request, plan, frame, flaws)
    if flaws:
        return None, flaws
    subscription = Subscription(
        id=subscription_id_of(around.tenant_id, request.external_id, now=recording.now),
        customer_id=request.customer_id,
        external_id=request.external_id,
        currency=plan.currency,
        timezone=frame.timezone,
        profile=frame.profile,
        status=Status.CREATED,
        version=1,
        starts_at=frame.starts_at,
        trial_ends_at=trial_ends_at,
        trial_converts=request.trial_converts,
        ends_at=frame.ends_at,
        notice_days=request.notice_days,
        renewal=request.renewal,
    )
    facts = Subscribed(
        item_id=item_id(subscription.id, version=1, now=recording.now),
        plan_version_id=plan.id,
        anchor_at=frame.anchor_at or trial_ends_at or frame.starts_at,
        terms=terms,
        discount_percent=frame.discount_percent,
        trial_ends_at=trial_ends_at,
        trial_converts=request.trial_converts,
        ends_at=frame.ends_at,
    )
    change = Change(1, frame.starts_at, recording.now, recording.actor, recording.reason, facts)
    return Admitted(subscription, change), []


def item_id(subscription_id: SubscriptionId, *, version: int, now: datetime) -> ItemId:
    """Return the id of the first item that a change opens which brings the journal to `version`."""
    return next(item_ids(subscription_id, version=version, now=now))


def item_ids(subscription_id: SubscriptionId, *, version: int, now: datetime) -> Iterator[ItemId]:
    """Yield the ids of the items that a change opens which brings the journal to `version` or beyond."""
    for place in count():
        yield ItemId(derived_id(now, subscription_id.bytes, version.to_bytes(8), place.to_bytes(4)))


def subscription_id_of(tenant_id: TenantId, external_id: str, *, now: datetime) -> SubscriptionId:
    """Return the id of the subscription that is first recorded at `now` under this external id."""
    return SubscriptionId(derived_id(now, tenant_id.bytes, external_id.encode()))


def external_id_flaws(external_id: str) -> list[Flaw]:
    """Return what is wrong with the name by which the tenant's own systems are to know a subscription."""
    flaw = external_id_flaw(external_id)
    return [] if flaw is None else [Flaw("external_id", flaw)]


def request_digest(request: NewSubscription) -> bytes:
    """Return the SHA-256 of what was asked for: equal for requests that mean the same as they are written.

    5 and 5.0 are one quantity and two zones may name one instant; what a default would fill in counts as
    unsaid, so that a plan's new edition does not make another request of it.
    """
    parts = (
        request.external_id,
        str(request.customer_id),
        request.plan,
        _canonical(request.starts_at),
        *(f"q{code}={_canonical(value)}" for code, value in sorted(request.quantities.items())),
        *(f"p{code}={_canonical(value)}" for code, value in sorted(request.prices.items())),
        str(request.timezone),
        str(request.profile),
        str(request.trial_days),
        str(request.trial_converts),
        _canonical(request.anchor_at),
        _canonical(request.ends_at),
        _canonical(request.discount_percent),
        *([f"n{request.notice_days}"] if request.notice_days else []),
        *([f"r{request.renewal}"] if request.renewal else []),
    )
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode(errors="replace")).digest()


def _canonical(value: object) -> str:
    """Return a text that is the same for equal values; what cannot be read stands as it is, to be refused later."""
    if isinstance(value, datetime):
        return format_instant(value) if value.tzinfo else value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        return plain(value)
    return str(value)


def _read_frame(request: NewSubscription, around: Surroundings, now: datetime, flaws: list[Flaw]) -> _Frame:
    """Read all that does not depend on the plan, and add what is wrong with it to `flaws`."""
    flaws += external_id_flaws(request.external_id)
    if around.customer_timezone is None:
        flaws.append(Flaw("customer_id", f"there is no customer {to_wire('cus', request.customer_id)}"))
    timezone = request.timezone or around.customer_timezone or "UTC"
    profile_name = (around.plan.profile if around.plan else None) or request.profile or around.tenant_profile
    _attempt(flaws, "profile", profile, profile_name, otherwise=None)
    starts_at = _attempt(flaws, "starts_at", parse_instant, request.starts_at, otherwise=now)
    ends_at = _attempt(flaws, "ends_at", _optional_instant, request.ends_at, otherwise=None)
    if ends_at is not None and ends_at <= starts_at:
        flaws.append(Flaw("ends_at", f"{format_instant(ends_at)} is not after the start, {format_instant(starts_at)}"))
    if isinstance(request.notice_days, bool) or not 0 <= request.notice_days <= NOTICE_DAYS_MAX:
        flaws.append(Flaw("notice_days", f"0 to {NOTICE_DAYS_MAX} days, not {request.notice_days!r}"))
    for field, is_asked in (("notice_days", bool(request.notice_days)), ("renewal", request.renewal is not None)):
        if is_asked and request.ends_at is None:
            flaws.append(Flaw(field, "there is no end of a term that it could be for"))
    zone = _attempt(flaws, "timezone", parse_zone, timezone, otherwise=_UTC)
    return _Frame(
        starts_at=starts_at,
        ends_at=ends_at,
        anchor_at=_attempt(flaws, "anchor_at", _optional_instant, request.anchor_at, otherwise=None),
        timezone=timezone,
        zone=zone,
        profile=profile_name,
        discount_percent=_attempt(
            flaws, "discount_percent", _parse_percent, request.discount_percent, otherwise=Decimal(0)
        ),
    )


def _read_trial(request: NewSubscription, plan: PlanVersion, frame: _Frame, flaws: list[Flaw]) -> datetime | None:
    """Return when the trial ends, None without one, and add what is wrong with it to `flaws`."""
    days = plan.trial_days if request.trial_days is None else request.trial_days
    if not days and not request.trial_converts:
        flaws.append(Flaw("trial_converts", "there is no trial that could lapse"))
    ends_at = _attempt(
        flaws, "trial_days", lambda days: trial_end(frame.starts_at, days, frame.zone), days, otherwise=None
    )
    if ends_at is not None and frame.ends_at is not None and frame.starts_at < frame.ends_at <= ends_at:
        flaws.append(
            Flaw(
                "ends_at",
                f"{format_instant(frame.ends_at)} is not after the trial, which ends {format_instant(ends_at)}",
            )
        )
    return ends_at


def _attempt(flaws: list[Flaw], field: str, read: Callable[[U], T], value: U, *, otherwise: T) -> T:
    """Return `read(value)`; when it refuses, add the reason to `flaws` and return what stands in for the value."""
    try:
        return read(value)
    except Malformed as refusal:
        flaws.append(Flaw(field, refusal.message))
        return otherwise


def _optional_instant(value: datetime | None) -> datetime | None:
    return None if value is None else parse_instant(value)


def _parse_percent(value: object) -> Decimal:
    percent = parse_decimal(value, name="discount", fraction_digits=PERCENT_FRACTION_DIGITS)
    if not 0 <= percent <= PERCENT_MAX:
        raise NotADecimal(f"discount: {percent} % is not between 0 and {PERCENT_MAX}")
    return percent

"""Policies: the vendor-dependent choices of billing, as values handed to the pure rules.

A policy is read from a profile (`profiles.json`: `tenor` and the vendors' named sets) and perhaps a
few keys that deviate from it. Each group below goes whole to the rules that need it. The words are
those of the public case files; docs/reference/policies.md says on which keys no document hangs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin, get_type_hints

from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode


class UnknownPolicy(Malformed):
    """A profile, a policy key or a value that the engine does not know."""

    code = "unknown_policy"


class Rounding(NamedTuple):
    """How and where amounts are rounded. `digits` None means the currency's own minor digits."""

    mode: RoundingMode
    digits: int | None = None
    place: str = "line"


@dataclass(frozen=True, slots=True)
class CalendarPolicy:
    """Where the boundaries of periods fall, and which of them a run bills."""

    alignment: Literal["anniversary", "calendar", "anchor", "account_bill_date", "sliding", "billing_cycle", "never"]
    month_end: Literal["clamp", "sticky_last_day"]
    grid: Literal["anchored", "stepped"]
    timing: Literal["advance", "arrears"]
    arrears_run: Literal["closed_periods", "greedy"]
    catch_up: bool
    zone: Literal["civil", "fixed_offset"]
    usage_zone: Literal["civil", "fixed_offset"]
    zone_change: Literal["new_zone", "continue_from_last_end"]
    boundary_time: Literal["anchor_time", "midnight"]


@dataclass(frozen=True, slots=True)
class ProrationPolicy:
    """How the share of a period is measured, and what a change gives back.

    `credit_basis` and `credit_cap` decide nothing yet: credits are of what was billed, and a case names its cap itself.
    """

    proration_unit: Literal["millisecond", "second", "minute", "day", "none"]
    day_count: Literal["actual/actual", "actual/30", "30/30_strict", "30/30_shift"]
    bounds: Literal["half_open", "inclusive_days", "end_minus_second"]
    ratio_digits: int | None
    change_day_owner: Literal["new", "old"]
    seat_change_day_owner: Literal["new", "old", "both"]
    termination_day: Literal["billed", "not_billed"]
    credit_basis: Literal["price", "billed", "paid"]
    credit_cap: Literal["billed_rest", "paid_rest"]
    credit_link: Literal["same_item", "newest_charge_first"]
    unused_time: Literal["credit", "refund", "offset", "none"]
    change_billing: Literal["gross", "difference"]
    netting: Literal["same_item", "none"]
    upgrade_test: Literal["period_total", "yearly_amount"]
    downgrade_timing: Literal["now", "period_end"]


@dataclass(frozen=True, slots=True)
class RoundingPolicy:
    """The named places where figures are rounded; there are no others."""

    rounding: Rounding
    tax_rounding: Rounding
    units_rounding: Rounding
    credit_item_rounding: Rounding
    day_rate_rounding: Rounding
    remainder: Literal["largest_remainder", "last"]


@dataclass(frozen=True, slots=True)
class RatingPolicy:
    """What a charge model leaves open."""

    flat_fee_at_zero_units: bool
    volume_progressive: bool
    unit_conversion_scope: Literal["period", "segment"]
    zero_usage_lines: Literal["show", "omit"]


@dataclass(frozen=True, slots=True)
class MeteringPolicy:
    """Which events are one, which count, and what no event means; until when late ones count, and where they stand."""

    dedup_key: tuple[str, ...]
    dedup_keep: Literal["first", "last"]
    invalid_events: Literal["ignore", "flag"]
    no_events: Literal["zero", "no_row"]
    missing_dimension: Literal["null", "empty_string"]
    empty_windows: Literal["zero", "omit"]
    partial_windows: Literal["widen", "drop"]
    time_resolution: Literal["exact", "second", "minute"]
    latest_negative: Literal["keep", "zero"]
    carry_over: bool | Literal["latest"]
    late_usage_days: int | None
    late_usage_after: Literal["report", "current_period"]
    late_usage_credit: Literal["next_invoice", "credit_note"]


@dataclass(frozen=True, slots=True)
class DiscountPolicy:
    """In which order discounts are taken, of what, how they spread over lines, and what a credit carries back."""

    reduction_order: tuple[str, ...]
    coupon_order: Literal["given", "percent_first", "limited_first"]
    coupon_stacking: Literal["compound", "full_amount"]
    coupon_spread: Literal["proportional", "each_line", "waterfall"]
    coupon_share_digits: int | None
    discount_basis: Literal["allocated_share", "whole_coupon"]


@dataclass(frozen=True, slots=True)
class StatesPolicy:
    """Where subscriptions and documents stand after a failed or missing payment, and how a document is credited.

    `collection_pause` decides nothing yet: it is about invoices that nobody collects, not about states.
    """

    missing_payment_method: Literal["cancel", "pause", "create_invoice"]
    on_first_failure: Literal["past_due", "pause"]
    when_exhausted: Literal["cancel", "pause", "mark_unpaid", "leave_past_due"]
    collection_pause: Literal["keep_as_draft", "mark_uncollectible", "void"]
    invoice_start: Literal["finalized", "draft"]
    reuse_draft: bool
    credit_note_residue: Literal["last_note", "carry"]


@dataclass(frozen=True, slots=True)
class BillingPolicy:
    """What shares an anchor and an invoice, when a change is billed, and where a credit and a tax stand."""

    anchor_scope: Literal["account", "bundle", "subscription"]
    consolidation: Literal["customer_day", "none"]
    proration_invoicing: Literal["now", "next_invoice"]
    downgrade_timing: Literal["now", "period_end"]
    upgrade_without_proration: Literal["nothing_until_renewal", "charge_full_now"]
    account_credit_lines: bool
    tax_source: Literal["inside", "outside"]
    late_usage: Literal["delta", "period_preserving"]
    late_usage_periods: int | None
    commitment_invoice: Literal["same_period", "next_invoice"]
    threshold_basis: Literal["period_usage", "lifetime_usage"]
    seat_increase: Literal["difference", "above_highest_paid"]
    seat_carry: Literal["deduct_days", "none"]


@dataclass(frozen=True, slots=True)
class CreditsPolicy:
    """In which order prepaid credits burn, what a new grant pays first, and which lines credits may pay."""

    burn_order: tuple[str, ...]
    read_at_expiry: Literal["after", "before"]
    advance_backfill: bool
    credit_eligibility: Literal["effective_at_period_end", "effective_before_service_end"]
    top_up_invoice: Literal["finalized", "held_until_paid"]
    wallet_credit_rounding: Rounding


@dataclass(frozen=True, slots=True)
class Policy:
    """All choices of one profile, in the groups in which the rules take them."""

    name: str
    calendar: CalendarPolicy
    proration: ProrationPolicy
    rounding: RoundingPolicy
    rating: RatingPolicy
    metering: MeteringPolicy
    discounts: DiscountPolicy
    states: StatesPolicy
    billing: BillingPolicy
    credits: CreditsPolicy


_GROUPS: Mapping[str, type[Any]] = {
    "calendar": CalendarPolicy,
    "proration": ProrationPolicy,
    "rounding": RoundingPolicy,
    "rating": RatingPolicy,
    "metering": MeteringPolicy,
    "discounts": DiscountPolicy,
    "states": StatesPolicy,
    "billing": BillingPolicy,
    "credits": CreditsPolicy,
}
_KEYS: frozenset[str] = frozenset(field.name for group in _GROUPS.values() for field in fields(group))


@cache
def profile(name: str) -> Policy:
    """Return the policy of a named profile.

    Raises:
        UnknownPolicy: no profile has this name.
    """
    return policy_with(name, {})


def policy_with(name: str, changes: Mapping[str, Any]) -> Policy:
    """Return the policy of profile `name` with the keys of `changes` replaced.

    Objects and lists are replaced whole. A key that the engine does not know is refused, so that a wish is
    never silently dropped.

    Raises:
        UnknownPolicy: an unknown profile or key, or a value that its key does not allow.
    """
    for key in changes:
        if key not in _KEYS:
            raise UnknownPolicy(f"policy key {key!r} is not one that this engine acts on", key=key)
    flat = {**_flat(name), **changes}
    groups = {group: _read_group(cls, flat) for group, cls in _GROUPS.items()}
    return Policy(name=name, **groups)


def profile_names() -> tuple[str, ...]:
    """Return the names of all profiles, in the order of the file."""
    return tuple(_profiles())


def lineage(name: str) -> tuple[str, ...]:
    """Return the profile `name` and those that it extends, the nearest first.

    Raises:
        UnknownPolicy: no profile has this name.
    """
    parent = _entry(name).get("extends")
    return (name, *lineage(parent)) if parent else (name,)


@cache
def _profiles() -> dict[str, dict[str, Any]]:
    text = resources.files("tenor.pricing").joinpath("profiles.json").read_text(encoding="utf-8")
    return cast(dict[str, dict[str, Any]], json.loads(text))


def _entry(name: str) -> dict[str, Any]:
    try:
        return _profiles()[name]
    except KeyError:
        raise UnknownPolicy(f"there is no profile {name!r}; known: {', '.join(_profiles())}") from None


def _flat(name: str) -> dict[str, Any]:
    entry = _entry(name)
    parent = entry.get("extends")
    return {**(_flat(parent) if parent else {}), **entry["policy"]}


def _read_group(cls: type[Any], flat: Mapping[str, Any]) -> Any:
    hints = get_type_hints(cls)
    return cls(**{field.name: _read_value(field.name, flat[field.name], hints[field.name]) for field in fields(cls)})


def _read_value(key: str, value: Any, hint: Any) -> Any:
    if hint is Rounding:
        return _read_rounding(key, value)
    if get_origin(hint) is tuple:
        return tuple(value)
    allowed = _allowed(hint)
    if (bool in allowed and isinstance(value, bool)) or (value in allowed and not isinstance(value, bool)):
        return value
    if (int in allowed and isinstance(value, int) and not isinstance(value, bool)) or (
        type(None) in allowed and value is None
    ):
        return value
    raise UnknownPolicy(f"policy key {key!r} does not allow {value!r}", key=key)


def _allowed(hint: Any) -> tuple[Any, ...]:
    """Return the literal values and the types that a field's annotation allows."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    arguments = get_args(hint)
    return tuple(value for part in arguments for value in _allowed(part)) if arguments else (hint,)


def _read_rounding(key: str, value: Mapping[str, Any]) -> Rounding:
    try:
        mode = RoundingMode(value["mode"])
    except (KeyError, ValueError, TypeError):
        raise UnknownPolicy(f"policy key {key!r} has no rounding {value!r}", key=key) from None
    digits = value.get("digits", "currency")
    if digits != "currency" and (isinstance(digits, bool) or not isinstance(digits, int)):
        raise UnknownPolicy(f"policy key {key!r} has no rounding to {digits!r} digits", key=key)
    return Rounding(mode, None if digits == "currency" else digits, value.get("place", "line"))

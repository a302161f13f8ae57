"""Answer cases of the kinds rating, rounding and allocation with the engine's own rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.kernel.money import EXACT, allocate_by_key
from tenor.kernel.period import Period
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.charges import Price, WindowedCommitment, from_json
from tenor.pricing.rules.rating import (
    RUNNING_TOTAL,
    MoneyRounding,
    QuotaWindow,
    Rated,
    Segment,
    Step,
    StepKind,
    Usage,
    UsageEvent,
    UsageWindow,
    line_amounts,
    quote_event,
    rate,
    rate_on_arrival,
    top_up,
    window_starts,
)

ZERO: Final = Decimal(0)

_MODIFIERS: Final = ("free_units", "percent_off", "max_amount", "min_amount")
_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "percentage": ("rate_percent", "fixed_amount", "free_events", "free_amount", "min_per_event", "max_per_event"),
    "stairstep": ("zero_usage_amount",),
    "standard": ("unit_amount",),
    "flat": ("amount",),
    "dynamic": ("multiplier",),
    "quota_windows": ("unit_amount", "quota_in"),
    "parallel_quota_windows": ("unit_amount", "quota_in"),
    "windowed_commitment": ("commitment_amount", "commitment_units", "overage_factor", "true_up"),
}
"""Fields that a case names as the engine does."""
_TIER_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "stairstep": ("up_to", "flat_amount"),
    "prorated_graduated": ("up_to", "unit_amount", "flat_amount"),
}
_TIER_FIELDS_DEFAULT: Final = (
    "up_to",
    "unit_amount",
    "flat_amount",
    "block_size",
    "block_amount",
    "rate_percent",
    "max_amount",
)


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures that the case can be asked for."""
    policy = case.policy()
    rounding = _rounding(case)
    if case.body["model"] == "commitment":
        return _commitment(case, rounding)
    price = from_json(read_price(case.body["model"], case.body["properties"]))
    with localcontext(EXACT):
        if case.ask == "per_event":
            aggregation = case.body["usage"].get("aggregation", "sum")
            arrivals = rate_on_arrival(price, _events(case), policy.rating, rounding, aggregation=aggregation)
            return {
                "amount": rounding.apply(sum((arrival.amount for arrival in arrivals), ZERO)),
                "event_amounts": [arrival.amount for arrival in arrivals],
                "event_units": [arrival.units for arrival in arrivals],
            }
        usage = _usage(case, price)
        if case.ask == "single_event":
            rated = quote_event(price, UsageEvent(usage.units), policy.rating, rounding)
        else:
            segment = _segment(case, policy.calendar.timing)
            rated = rate(price, usage, policy.rating, rounding, segment=segment, draws=_numbers(case, "credits"))
        return _figures(case, rated, usage, rounding)


def answer_rounding(case: Case) -> Mapping[str, Any]:
    """Return the rounded amount."""
    return {"amount": _rounding(case).apply(parse_decimal(case.body["amount"], name="amount"))}


def answer_allocation(case: Case) -> Mapping[str, Any]:
    """Return the parts of a split by key."""
    digits = _rounding(case).digits
    total = int(parse_decimal(case.body["amount"], name="amount").scaleb(digits, context=EXACT))
    weights = [parse_decimal(weight, name="weight") for weight in case.body["weights"]]
    parts = allocate_by_key(
        total,
        dict(zip(case.body["keys"], weights, strict=True)),
        remainder=case.policy().rounding.remainder,
    )
    return {"parts": {key: Decimal(part).scaleb(-digits) for key, part in parts.items()}}


def _rounding(case: Case) -> MoneyRounding:
    rounding = case.policy().rounding.rounding
    return MoneyRounding(rounding.mode, case.currency_digits if rounding.digits is None else rounding.digits)


def _commitment(case: Case, rounding: MoneyRounding) -> Mapping[str, Any]:
    properties = case.body["properties"]
    amount = rounding.apply(parse_decimal(case.body["usage"]["amount"], name="amount"))
    minimum = parse_decimal(properties["commitment_amount"], name="commitment_amount")
    missing = top_up(amount, minimum=minimum, rounding=rounding) if properties.get("true_up") else ZERO
    return {"true_up": missing, "amount": amount + missing}


def read_price(model: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of the price that a case describes."""
    price = {**_model(model, properties), **_chosen(properties, _MODIFIERS)}
    if "pricing_unit" in properties:
        price["pricing_unit_rate"] = properties["pricing_unit"]["conversion_rate"]
    if "unit_conversion" in properties:
        conversion = properties["unit_conversion"]
        rounding = conversion["rounding"]
        price["unit_conversion"] = {
            **_chosen(conversion, ("operation", "factor")),
            "rounding": rounding["mode"],
            **_chosen(rounding, ("digits",)),
        }
    return price


def _model(model: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    tier_fields = _TIER_FIELDS.get(model, _TIER_FIELDS_DEFAULT)
    match model, properties:
        case "custom", _:
            return {"model": "flat", "amount": properties["script_result"]["amount"]}
        case "package", _:
            names = {"package_size": "size", "package_amount": "amount", "round": "round"}
            return {"model": model} | {names[name]: value for name, value in properties.items() if name in names}
        case "windowed_commitment", _:
            hours = [_time_of_day(bucket) for bucket in properties.get("time_of_day", ())]
            unit_amount = properties.get("unit_amount", "0")
            body = {"model": model, "unit_amount": unit_amount, "time_of_day": hours}
            return body | _chosen(properties, _FIELDS[model])
        case _, {"metrics": metrics}:
            parts = [{"metric": part["metric"], "model": _model(model, {"tiers": part["tiers"]})} for part in metrics]
            return {"model": "metric_sum", "parts": parts}
        case _, {"combine": "highest_tier"}:
            tiers = [
                {
                    "bounds": [{"metric": metric, "up_to": up_to} for metric, up_to in tier["up_to"].items()],
                    "flat_amount": tier["flat_amount"],
                }
                for tier in properties["tiers"]
            ]
            return {"model": "capacity", "tiers": tiers, **_chosen(properties, _FIELDS["stairstep"])}
        case _:
            body = {"model": model} | _chosen(properties, _FIELDS.get(model, ()))
            if "tiers" in properties:
                body["tiers"] = [_chosen(tier, tier_fields) for tier in properties["tiers"]]
            return body


def _chosen(body: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


def _time_of_day(bucket: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in bucket.items() if name not in ("from", "to")}
    return {"from_minute": _minute(bucket["from"]), "to_minute": _minute(bucket["to"]), **own}


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _events(case: Case) -> tuple[UsageEvent, ...]:
    usage = case.body["usage"]
    units_default = "1" if usage.get("aggregation") == "count" else "0"
    return tuple(
        UsageEvent(
            units=parse_decimal(event.get("units", units_default), name="units"),
            amount=parse_decimal(event.get("amount", "0"), name="amount"),
            prorated_units=parse_decimal(event.get("prorated_units", "0"), name="prorated_units"),
            at=datetime.fromisoformat(event["at"]) if "at" in event else None,
            value=event.get("value"),
            is_removal=event.get("operation") == "remove",
        )
        for event in usage.get("events", ())
    )


def _usage(case: Case, price: Price) -> Usage:
    usage = case.body["usage"]
    events = _events(case)
    by_metric = {metric: parse_decimal(units, name=metric) for metric, units in usage.get("by_metric", {}).items()}
    summed = sum((event.units for event in events), sum(by_metric.values(), ZERO))
    return Usage(
        units=parse_decimal(usage["units"], name="units") if "units" in usage else summed,
        events=events,
        tier_units=parse_decimal(usage["tier_units"], name="tier_units") if "tier_units" in usage else None,
        buckets=tuple(_numbers(case, "buckets")) if "buckets" in usage else None,
        by_metric=by_metric,
        windows=_windows(case, price),
        quotas=tuple(_quota(window) for window in case.body["properties"].get("windows", ())),
    )


def _numbers(case: Case, name: str) -> list[Decimal]:
    return [parse_decimal(number, name=name) for number in case.body["usage"].get(name, ())]


def _windows(case: Case, price: Price) -> tuple[UsageWindow, ...]:
    """Return the windows that a case gives; with a grid (`window`, `period`) those that must exist."""
    usage, zone = case.body["usage"], case.zone()
    given = [
        UsageWindow(
            parse_decimal(window["units"], name="units"),
            datetime.fromisoformat(window["at"]).astimezone(zone) if "at" in window else None,
        )
        for window in usage.get("windows", ())
    ]
    if "window" not in usage or not isinstance(price.model, WindowedCommitment):
        return tuple(given)
    period = Period(*(datetime.fromisoformat(bound).astimezone(zone) for bound in usage["period"]))
    units = {window.at: window.units for window in given if window.at is not None}
    starts = window_starts(price.model, list(units), period=period, length=timedelta(hours=1))
    return tuple(UsageWindow(units.get(start, ZERO), start) for start in starts)


def _quota(window: Mapping[str, Any]) -> QuotaWindow:
    return QuotaWindow(
        quota=parse_decimal(window["quota"], name="quota"),
        used=parse_decimal(window.get("used", "0"), name="used"),
        exhausted_at=datetime.fromisoformat(window["exhausted_at"]) if "exhausted_at" in window else None,
        end=datetime.fromisoformat(window["to"]) if "to" in window else None,
    )


def _segment(case: Case, timing: str) -> Segment:
    usage = case.body["usage"]
    position = usage.get("segment", "only")
    if position in ("cumulative", "difference"):
        return RUNNING_TOTAL
    return Segment.at(
        position,
        timing=timing,
        units_before=parse_decimal(usage.get("units_before", "0"), name="units_before"),
        billed_before=parse_decimal(usage.get("billed_before", "0"), name="billed_before"),
    )


def _figures(case: Case, rated: Rated, usage: Usage, rounding: MoneyRounding) -> dict[str, Any]:
    body = case.body
    lines = line_amounts(rated.steps, rounding)
    amount = rated.amount
    if body["usage"].get("segment") == "difference":
        amount -= parse_decimal(body["usage"].get("billed_before", "0"), name="billed_before")
        lines = [amount] if amount else []
    tax = rounding.apply(amount * parse_decimal(body.get("tax_percent", "0"), name="tax_percent") / 100)
    reductions = (StepKind.PERCENT_OFF, StepKind.MAXIMUM, StepKind.MINIMUM, StepKind.CREDIT)
    units = _full_units(case, rated, usage)
    return {
        "amount": amount,
        "unit_amount": rated.exact / units if units else ZERO,
        "total_with_tax": amount + tax,
        "line_amounts": lines,
        "line_count": len(lines),
        "tier_amounts": _tier_amounts(rated.steps, rounding),
        "packages": sum((step.units or ZERO for step in rated.steps if step.kind is StepKind.BLOCKS), ZERO),
        "billed_units": _quota_units(rated) if usage.quotas else rated.units,
        "billed_units_before": rated.units_before,
        "discounted_units": sum((step.units or ZERO for step in rated.steps if step.kind is StepKind.FREE_UNITS), ZERO),
        "amount_before_discounts": rated.amount - _sum(rated, *reductions),
        "amount_before_minimum": rated.amount - _sum(rated, StepKind.MINIMUM, StepKind.CREDIT),
        "percent_discount": -_sum(rated, StepKind.PERCENT_OFF),
        "maximum_discount": -_sum(rated, StepKind.MAXIMUM),
        "minimum_top_up": _sum(rated, StepKind.MINIMUM),
        "credits_applied": -_sum(rated, StepKind.CREDIT),
        "pricing_unit_amount": sum(
            (step.of or ZERO for step in rated.steps if step.kind is StepKind.PRICING_UNIT), ZERO
        ),
        "utilized": rounding.apply(_sum(rated, StepKind.COMMITTED)),
        "overage": rounding.apply(_sum(rated, StepKind.OVERAGE)),
        "true_up": rounding.apply(_sum(rated, StepKind.TRUE_UP)),
        "window_hours": [window.at.hour for window in usage.windows if window.at],
    }


def _sum(rated: Rated, *kinds: StepKind) -> Decimal:
    return sum((step.amount for step in rated.steps if step.kind in kinds), ZERO)


def _full_units(case: Case, rated: Rated, usage: Usage) -> Decimal:
    """Return the units that a unit amount is over: the full ones where prorated ones were priced."""
    script: Mapping[str, Any] = case.body["properties"].get("script_result", {})
    if "units" in script:
        return parse_decimal(script["units"], name="units")
    return rated.units if usage.tier_units is None else usage.tier_units


def _quota_units(rated: Rated) -> Decimal:
    return sum((step.units or ZERO for step in rated.steps if step.kind is StepKind.UNITS), ZERO)


def _tier_amounts(steps: Sequence[Step], rounding: MoneyRounding) -> list[Decimal]:
    amounts: dict[Decimal | None, Decimal] = {}
    for step in steps:
        if step.above is not None:
            amounts[step.up_to] = amounts.get(step.up_to, ZERO) + step.amount
    return [rounding.apply(amount) for amount in amounts.values()]

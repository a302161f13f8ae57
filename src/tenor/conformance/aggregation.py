"""Answer cases of kind aggregation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tenor.catalog.model import Aggregation
from tenor.conformance.cases import Case, read_when
from tenor.kernel.calendar import local_date
from tenor.kernel.money import RoundingMode
from tenor.kernel.period import Period, parse_instant
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.rules.advance import AdvanceState, current_usage, increment
from tenor.metering.rules.aggregate import (
    Aggregate,
    Terms,
    aggregate,
    aggregate_groups,
    aggregate_windows,
    per_event,
    used_span,
)
from tenor.metering.rules.folds import active_keys
from tenor.metering.rules.readings import is_readable, valid_readings
from tenor.metering.rules.selection import Bounds, EventFilter, deduplicate
from tenor.pricing.policy import Rounding


@dataclass(frozen=True, slots=True)
class _Question:
    """A case in the engine's own terms: `stored` are all events, `events` those that the filter lets pass."""

    body: Mapping[str, Any]
    metric: Metric
    span: Span
    terms: Terms
    stored: Sequence[UsageEvent]
    events: Sequence[UsageEvent]


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures that the case can be asked for."""
    question = _read_question(case)
    got = {**_total(question), **_facts(question)}
    if "group_by" in case.body:
        got |= _groups(question)
    if "window" in case.body:
        got |= _windows(question, listed=case.expect.get("windows", ()))
    return got


def _total(question: _Question) -> dict[str, Any]:
    """Return value, count and full units for what the case asks."""
    arguments = (question.events, question.metric, question.span, question.terms)
    whole = aggregate(question.events, replace(question.metric, prorated=False), question.span, question.terms)
    match question.body.get("ask"):
        case "increment":
            return _figures(increment(*arguments, state=_read_state(question.body)))
        case "current_usage":
            usage = current_usage(*arguments, state=_read_state(question.body))
            return _figures(Aggregate(usage.value, usage.event_count), full_units=usage.full_units)
        case "renewal":
            return _figures(whole)
        case "per_event":
            return {"per_event": per_event(*arguments)}
        case _:
            return _figures(aggregate(*arguments), full_units=whole.value)


def _figures(found: Aggregate, **others: Any) -> dict[str, Any]:
    return {"value": found.value, "count": found.event_count, **others}


def _facts(question: _Question) -> dict[str, Any]:
    """Return what is to be known of the events and the bounds."""
    period = used_span(question.span, question.terms.policy, window=question.body.get("window")).period
    inside = [event for event in question.events if period.holds(event.occurred_at)]
    facts: dict[str, Any] = {
        "stored_events": len(question.stored),
        "period": [
            _like(given, bound, question.span.zone)
            for given, bound in zip(question.body["period"], period, strict=True)
        ],
    }
    if question.terms.policy.invalid_events == "flag":
        facts["invalid_events"] = [event.event_id for event in inside if not is_readable(event, question.metric)]
    if question.metric.aggregation is Aggregation.UNIQUE_COUNT:
        keys = active_keys(valid_readings(inside, question.metric))
        facts["key"] = keys.pop() if len(keys) == 1 else None
    return facts


def _groups(question: _Question) -> dict[str, Any]:
    groups = aggregate_groups(
        question.events, question.metric, question.span, question.terms, group_by=question.body["group_by"]
    )
    rows = [_figures(group, group=dict(key)) for key, group in groups.items()]
    return {"groups": rows, "group": rows[0]["group"] if len(rows) == 1 else None}


def _windows(question: _Question, *, listed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the windows; where the case lists some by their index, those alone."""
    found = aggregate_windows(
        question.events, question.metric, question.span, question.terms, window=question.body["window"]
    )
    rows = [
        {"index": index, "from": period.start, "to": period.end, "value": window.value}
        for index, (period, window) in enumerate(found)
    ]
    wanted = [row["index"] for row in listed if "index" in row]
    periods = [period for period, _ in found]
    return {
        "windows": [rows[index] for index in wanted if index < len(rows)] if wanted else rows,
        "window_count": len(rows),
        "continuous": all(before.end == after.start for before, after in pairwise(periods)),
        "starts_at_local_midnight": all(
            period.start.astimezone(question.span.zone).time() == time.min for period in periods
        ),
    }


def _read_question(case: Case) -> _Question:
    body, policy, zone = case.body, case.policy(), case.zone()
    metric = Metric(
        code=body["metric"].get("id", ""),
        aggregation=Aggregation(body["metric"]["aggregation"]),
        field=body["metric"].get("field"),
        recurring=body["metric"].get("recurring", False),
        prorated=body["metric"].get("prorated", False),
        rounding=read_rounding(body["metric"].get("rounding"), case.currency_digits),
    )
    events = [_read_event(entry) for entry in body["events"]]
    if all(event.recorded_at for event in events):
        events.sort(key=lambda event: event.recorded_at or event.occurred_at)
    stored = deduplicate(events, key=policy.metering.dedup_key, keep=policy.metering.dedup_keep)
    event_filter = _read_filter(body.get("filter", {}))
    return _Question(
        body=body,
        metric=metric,
        span=Span(Period(*(read_when(bound, zone) for bound in body["period"])), zone, body.get("period_days")),
        terms=Terms(
            policy.metering,
            units_rounding=policy.rounding.units_rounding,
            opening_level=Decimal(body.get("state", {}).get("level", 0)),
        ),
        stored=stored,
        events=[event for event in stored if event_filter.passes(event)],
    )


def _read_event(entry: Mapping[str, Any]) -> UsageEvent:
    return UsageEvent(
        event_id=entry["id"],
        occurred_at=parse_instant(entry["at"]),
        properties=entry["properties"] or {},
        source=entry.get("source", ""),
        metric_code=entry.get("code"),
        customer=entry.get("customer"),
        subject=entry.get("subject"),
        recorded_at=parse_instant(entry["stored_at"]) if "stored_at" in entry else None,
    )


def _read_filter(entry: Mapping[str, Any]) -> EventFilter:
    return EventFilter(
        metric_code=entry.get("code"),
        customer=entry.get("customer"),
        subjects=frozenset(entry["subject"]) if "subject" in entry else None,
        match={name: frozenset(texts) for name, texts in entry.get("match", {}).items()},
        exclude=[{name: frozenset(texts) for name, texts in excluded.items()} for excluded in entry.get("exclude", ())],
        recorded=Bounds(**{name: parse_instant(bound) for name, bound in entry.get("stored_at", {}).items()}),
        any_of=[_read_filter(alternative) for alternative in entry.get("any", ())],
    )


def _read_state(body: Mapping[str, Any]) -> AdvanceState:
    state = body.get("state", {})
    amounts = {name: Decimal(state[name]) for name in state if name not in {"active", "level"}}
    return AdvanceState(**amounts, active=frozenset(state.get("active", ())))


def read_rounding(entry: Mapping[str, Any] | None, currency_digits: int) -> Rounding | None:
    """Return a rounding as a case writes it; None where it writes none."""
    if entry is None:
        return None
    digits = entry.get("digits", 0)
    return Rounding(RoundingMode(entry["mode"]), currency_digits if digits == "currency" else digits)


def _like(given: str, bound: datetime, zone: tzinfo) -> datetime | date:
    """Return a bound in the form in which the case gave it."""
    return bound if "T" in given else local_date(bound, zone)

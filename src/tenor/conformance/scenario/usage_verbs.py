"""Verbs of usage: events that arrive, and events that are removed."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tenor.conformance.scenario import thresholds
from tenor.conformance.scenario.arrivals import bill_arrival
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.world import Arrival, World
from tenor.kernel.calendar import local_date
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.metering.model import UsageEvent


def usage(world: World, step: Step) -> None:
    """Take in events: `count` equal ones, with `units` or `properties`, at the time of their use."""
    body = step.body
    if "cumulative_units" in body or "unit_amount" in body:
        raise NotRunnable(f"step {step.number}: usage by running totals or with its own price")
    subscription = world.subscription(body.get("subscription"))
    for number, (at, properties) in enumerate(_events(world, body)):
        event = UsageEvent(
            event_id=f"{step.number}-{number}",
            occurred_at=at,
            properties=properties,
            metric_code=body.get("metric"),
            recorded_at=world.now,
        )
        arrival = Arrival(subscription.id, body.get("metric", ""), event)
        world.usage.append(arrival)
        bill_arrival(world, subscription, arrival)
        thresholds.check(world, subscription, arrival)


def remove_usage(world: World, step: Step) -> None:
    """Remove the events of one local day; what was billed for them stays billed."""
    subscription = world.subscription(step.body["subscription"])
    zone = world.usage_zone(subscription.customer)
    world.usage = [
        arrival
        for arrival in world.usage
        if arrival.subscription != subscription.id
        or arrival.metric != step.body["metric"]
        or local_date(arrival.event.occurred_at, zone).isoformat() != step.body["usage_at"]
    ]


def _events(world: World, body: Mapping[str, Any]) -> Iterator[tuple[datetime, dict[str, Any]]]:
    if "spread" in body:
        spread = body["spread"]
        first, last, count = parse_instant(spread["from"]), parse_instant(spread["to"]), spread["count"]
        for number in range(count):
            yield first + (last - first) * number / count, {"units": parse_decimal(spread["each"], name="each")}
        return
    at = parse_instant(body["event_at"]) if "event_at" in body else world.now
    properties = dict(body.get("properties", {}))
    if "units" in body:
        properties["units"] = parse_decimal(body["units"], name="units")
    for _ in range(body.get("count", 1)):
        yield at, properties

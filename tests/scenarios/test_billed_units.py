"""For each window, the units that were billed are those of the events that were taken, each of them once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from tenor.metering import UsageEvent
from tests.scenarios.test_corrected_usage import BOOK
from tests.support.company import Company, instant, take_usage

MONTHS: Final = ("2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01")
STEP: Final = timedelta(hours=17, minutes=53)


def event(n: int) -> UsageEvent:
    """Return event `n` of 117: `n` calls, in the order of time from the first instant of January to late March."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + n * STEP
    return UsageEvent(f"e{n}", at, {"value": n}, "test", "calls", "ann")


def edges() -> list[UsageEvent]:
    """Return events of the last and the first microsecond of each month: 1,000 and 2,000 calls."""
    found = []
    for month in MONTHS[1:3]:
        for name, at, value in (("last", -timedelta.resolution, 1_000), ("first", timedelta(0), 2_000)):
            found.append(UsageEvent(f"{name}-{month}", instant(month) + at, {"value": value}, "test", "calls", "ann"))
    return found


def test_billed_units_are_those_of_the_deduplicated_events(acme: Company) -> None:
    acme.sell(BOOK)
    acme.subscribe("ann", "metered", MONTHS[0])
    acme.bill(MONTHS[0])
    events = [event(n) for n in range(117)] + edges()
    for number, month in enumerate(MONTHS[1:], start=1):
        until = instant(month)
        known = [used for used in events if used.occurred_at < until]
        for batch in (known[0::5], known[::2], known[1::2]):  # a fifth of them twice
            if number == 1:
                batch = [used for place, used in enumerate(batch) if place % 4]  # the rest of January comes late
            with acme.work() as uow:
                take_usage(uow, batch, now=until)
        acme.bill(month)
    acme.bill("2026-05-01")

    taken = Counter[datetime]()
    for used in events:
        taken[used.occurred_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)] += int(
            str(used.properties["value"])
        )
    billed = acme.rows(  # a call costs a cent
        "select l.period_start, sum(l.amount_minor) from invoice_lines l join charges c on c.id = l.charge_id"
        " where c.code = 'calls' group by 1 order by 1"
    )
    assert billed == sorted(taken.items())
    # January holds e0 to e41 (31 days are 744 h, 41.6 steps) and the 1,000 calls before midnight: 41 x 42 / 2 + 1,000
    assert billed[0] == (instant("2026-01-01"), 1_861)
    # e42 to e79 (59 days are 1,416 h, 79.2 steps): (42 + 79) x 38 / 2, and 2,000 after midnight and 1,000 before
    assert billed[1] == (instant("2026-02-01"), 5_299)
    # e80 to e116: (80 + 116) x 37 / 2, and 2,000
    assert billed[2] == (instant("2026-03-01"), 5_626)

"""Answer cases of kind periods: translate the case, ask the billing calendar, translate back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import islice, takewhile
from typing import Any

from tenor.conformance.cases import Case, read_when
from tenor.kernel.calendar import (
    Grid,
    Interval,
    Unit,
    aligned_date,
    anchor_day_grid,
    bill_date_grid,
    boundary,
    boundary_from,
    continued,
    cut,
    days_between,
    due_boundaries,
    fixed_offset_at,
    full_period,
    half_years,
    instant_of,
    local_date,
    midnight_of,
    one_interval_before,
    parse_zone,
    period_at,
    period_index,
    periods_between,
    periods_over,
    quarters,
    run_bounds,
    service_period_at,
    service_periods,
)
from tenor.kernel.errors import Malformed
from tenor.kernel.period import Period, parse_instant
from tenor.pricing.policy import CalendarPolicy, Policy
from tenor.pricing.rules.proration import share_of

_CALENDAR_BLOCKS = {"quarter": quarters(), "half_year": half_years()}
_USAGE_AND_SEATS = {"usage", "seat"}


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures that the case can be asked for.

    Where a case speaks in dates, its days are taken as their local midnights, and the answer is in dates.
    """
    policy = case.policy()
    return _ANSWERS[str(case.ask)](_Question(case, policy, _zone(case, policy.calendar)))


@dataclass(frozen=True, slots=True)
class _Question:
    """A case with its policy and zone."""

    case: Case
    policies: Policy
    zone: tzinfo

    @property
    def body(self) -> Mapping[str, Any]:
        return self.case.body

    @property
    def policy(self) -> CalendarPolicy:
        return self.policies.calendar

    @property
    def interval(self) -> Interval:
        return _interval(self.body)

    def when(self, name: str) -> datetime | None:
        value = self.body.get(name)
        return None if value is None else read_when(value, self.zone)

    def given(self, *names: str) -> datetime:
        """Return the first of `names` that the case gives."""
        found = next((instant for name in names if (instant := self.when(name)) is not None), None)
        if found is None:
            raise Malformed(f"case {self.case.id}: one of {', '.join(names)} is needed")
        return found

    def day(self, *names: str) -> datetime:
        """Return the local midnight of the day of the first of `names` that the case gives."""
        return self.midnight(self.given(*names))

    @property
    def start(self) -> datetime | None:
        """The start that bounds the periods: the one given, else the anchor where the grid counts from nothing else."""
        return self._opening("start") or (self._opening("anchor") if self.policy.alignment == "anniversary" else None)

    @property
    def opening(self) -> datetime:
        """Where the first period opens."""
        opening = self._opening("start") or self._opening("anchor")
        if opening is None:
            raise Malformed(f"case {self.case.id} names neither a start nor an anchor")
        return opening

    def _opening(self, name: str) -> datetime | None:
        """Return where service opens: boundaries at midnight take its whole day, except for usage and seats."""
        instant = self.when(name)
        if instant is None or self.policy.boundary_time == "anchor_time":
            return instant
        return instant if self.body.get("charge_kind") in _USAGE_AND_SEATS else self.midnight(instant)

    def midnight(self, instant: datetime) -> datetime:
        """Return the local midnight at which the day of `instant` began."""
        return midnight_of(local_date(instant, self.zone), self.zone)

    def grid(self, start: datetime | None, interval: Interval | None = None) -> Grid | None:
        """Return the grid of a subscription that starts at `start`; None when there is nothing to count from."""
        interval = interval or self.interval
        policy, zone, anchor = self.policy, self.zone, self.when("anchor")
        if policy.alignment in {"never", "billing_cycle", "sliding"}:
            return None
        if interval.unit is Unit.HOUR:
            return Grid(interval, anchor or start or midnight_of(local_date(self.given("at"), UTC), UTC), zone)
        if policy.alignment == "account_bill_date" and start is not None:
            day = self.body.get("anchor_day") or local_date(self.given("anchor"), zone).day
            return bill_date_grid(interval, start=start, anchor_day=day, zone=zone, boundary_time=policy.boundary_time)
        if policy.alignment == "calendar":
            near = anchor or start or self.when("at") or self.when("from")
            block = _CALENDAR_BLOCKS.get(self.body.get("calendar_unit", ""), interval)
            return Grid(block, anchor=near, zone=zone, alignment="calendar")
        if anchor is None and "anchor_day" in self.body and start is not None:
            return anchor_day_grid(interval, start=start, anchor_day=self.body["anchor_day"], zone=zone)
        origin = anchor or start
        if origin is None:
            return None
        return Grid(interval, origin, zone, month_end=policy.month_end, boundary_time=policy.boundary_time)

    def grid_from(self, start: datetime | None) -> Grid:
        grid = self.grid(start)
        if grid is None:
            raise Malformed(f"case {self.case.id}: alignment {self.policy.alignment!r} has no grid")
        return grid

    def periods(self, grid: Grid, start: datetime, *, end: datetime | None = None) -> Iterator[Period]:
        # The blocks of a calendar unit are themselves the steps, so they need no stepping of their own.
        stepping = "anchored" if "calendar_unit" in self.body else self.policy.grid
        return service_periods(grid, start, end, stepping=stepping)

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        """The periods that the case lists: how many are asked for, and in which form."""
        expect = self.case.expect
        listed: list[Mapping[str, Any]] = expect.get("periods", [])
        return listed

    @property
    def in_dates(self) -> bool:
        """Whether the case speaks in dates."""
        said = [str(period[key]) for period in self.asked for key in ("from", "to") if period.get(key)]
        said = said or [str(self.body[key]) for key in ("start", "at", "from", "anchor") if key in self.body]
        return bool(said) and all("T" not in value for value in said)

    def told(self, instant: datetime | None) -> datetime | date | None:
        """Return `instant` in the form in which the case speaks."""
        return local_date(instant, self.zone) if instant is not None and self.in_dates else instant

    def row(self, start: datetime, end: datetime | None, **more: Any) -> dict[str, Any]:
        """Return one period with all that a case may ask about it."""
        invoice_at = start if self.policy.timing == "advance" else end
        row = {"from": self.told(start), "to": self.told(end), "invoice_at": self.told(invoice_at)}
        if invoice_at is not None:
            row["invoice_on"] = local_date(invoice_at, self.zone)
        return row | more


def _zone(case: Case, policy: CalendarPolicy) -> tzinfo:
    """Return the customer's zone; one offset all year where the policy fixes it when the account is made."""
    rule = policy.usage_zone if case.body.get("charge_kind") == "usage" else policy.zone
    if rule == "civil":
        return case.zone()
    if "offset" in case.body:
        return parse_zone(case.body["offset"])
    made_at = next((case.body[key] for key in ("reference_instant", "anchor", "start") if key in case.body), "")
    return fixed_offset_at(case.zone(), parse_instant(made_at)) if "T" in made_at else case.zone()


def _interval(every: Mapping[str, Any]) -> Interval:
    return Interval(Unit(every.get("interval", "month")), every.get("interval_count", 1))


def _listed(question: _Question, grid: Grid, periods: Iterable[Period]) -> Mapping[str, Any]:
    rows = []
    for period in periods:
        whole = period_at(grid, period.start)
        days = days_between(whole, question.zone)
        rows.append(question.row(*period, partial=period != whole, days=days))
    return {"periods": rows}


def _first(question: _Question) -> Mapping[str, Any]:
    start = question.when("changed_at") or question.opening
    start = _days_later(start, question.body.get("trial_days", 0), question.zone)
    count = len(question.asked)
    postponed_to = question.when("postponed_to")
    if postponed_to is None:
        grid = question.grid_from(start)
        return _listed(question, grid, islice(question.periods(grid, start), count))
    moved = Grid(question.interval, postponed_to, question.zone, month_end=question.policy.month_end)
    later = islice(service_periods(moved, postponed_to), count - 1)
    return {"periods": [question.row(start, postponed_to), *(question.row(*period) for period in later)]}


def _from_opening(question: _Question) -> Mapping[str, Any]:
    opens = question.given("from", "start", "anchor")
    grid = question.grid_from(question.given("start", "from", "anchor"))
    count = {"list": None, "starting_at": 1}.get(str(question.case.ask), len(question.asked))
    return _listed(question, grid, islice(question.periods(grid, opens, end=question.when("end")), count))


def _at(question: _Question) -> Mapping[str, Any]:
    """Answer `containing` and `before`."""
    at, start, end = question.given("at"), question.start, question.when("end")
    if "billing_period_inclusive" in question.body:
        first, last = (date.fromisoformat(day) for day in question.body["billing_period_inclusive"])
        last += timedelta(days=1)
        return {"periods": [question.row(midnight_of(first, question.zone), midnight_of(last, question.zone))]}
    if question.policy.alignment == "sliding":
        opens = one_interval_before(question.interval, at=at, zone=question.zone)
        return {"periods": [question.row(opens, at)]}
    grid = question.grid(start)
    if grid is None:
        return {"periods": [question.row(start or at, None)]}
    period = service_period_at(grid, at, start=start, end=end)
    if question.case.ask == "before" and (start is None or start < period.start):
        whole = period_at(grid, period.start - timedelta(microseconds=1))
        period = cut(whole, start=start, end=end)
    whole = period_at(grid, period.start)
    if question.policy.zone_change == "continue_from_last_end" and "last_billed_to" in question.body:
        period = continued(period, question.given("last_billed_to"))
    days = days_between(whole, question.zone)
    return {"periods": [question.row(*period, partial=period != whole, days=days)]}


def _elapsed(question: _Question) -> Mapping[str, Any]:
    start = question.opening
    return {"elapsed": periods_over(question.grid_from(start), question.given("at"), start=start)}


def _windows_touching(question: _Question) -> Mapping[str, Any]:
    start = question.given("from", "start")
    windows = periods_between(question.grid_from(start), start, question.given("end"))
    return {"periods": [question.row(*window) for window in windows]}


def _includes(question: _Question) -> Mapping[str, Any]:
    grid = question.grid_from(question.opening)
    listed = [read_when(period["from"], question.zone) for period in question.asked]
    periods = question.periods(grid, question.opening, end=question.when("end"))
    reached = takewhile(lambda period: period.start <= max(listed), periods)
    return _listed(question, grid, [period for period in reached if period.start in listed])


def _billing_days(question: _Question) -> Mapping[str, Any]:
    grid = question.grid(question.start, _interval(question.body.get("usage_interval", question.body)))
    if grid is None:
        raise Malformed(f"case {question.case.id}: nothing to count billing days from")
    ticks = question.body.get("ticks")
    if ticks is None:
        listed = [date.fromisoformat(day) for day in question.case.expect["billing_days"]]
        on_grid = [local_date(_boundary_on(grid, day), question.zone) for day in listed]
        return {"billing_days": [day for day in on_grid if day in listed]}
    days: list[date] = []
    billed_to: datetime | None = None
    for tick in sorted(parse_instant(tick) for group in ticks.values() for tick in group):
        due = due_boundaries(grid, after=billed_to, at=tick, catch_up=question.policy.catch_up)
        days += [local_date(instant, question.zone) for instant in due]
        billed_to = due[-1] if due else billed_to
    return {"billing_days": days}


def _run(question: _Question) -> Mapping[str, Any]:
    start, zone = question.day("start"), question.zone
    end = question.day("end") if "end" in question.body else None
    anchor_day = question.body.get("anchor_day") or local_date(start, zone).day
    grid = anchor_day_grid(question.interval, start=start, anchor_day=anchor_day, zone=zone)
    policy = question.policy
    bounds = run_bounds(
        grid,
        start=start,
        end=end,
        target=question.day("target"),
        timing=policy.timing,
        arrears_run=policy.arrears_run,
    )
    through = start if bounds.billed_through is None else bounds.billed_through
    by_days = replace(question.policies.proration, proration_unit="day")
    rows, cycles = [], Fraction(0)
    for period in service_periods(grid, start, through):
        full = full_period(grid, period)
        share = share_of(period=full, used=period, policy=by_days, zone=zone)
        ratio = Fraction(0) if share is None else share.fraction
        cycles += ratio
        rows.append(question.row(*period, partial=period != full, ratio=ratio, days=days_between(full, zone)))
    named = {name: None if bound is None else local_date(bound, zone) for name, bound in bounds._asdict().items()}
    return {"periods": rows, "boundaries": named, "cycles": cycles}


def _whole(question: _Question) -> Mapping[str, Any]:
    start, end = question.given("start", "anchor"), question.given("end")
    endless = question.periods(question.grid_from(start), start)
    periods = list(takewhile(lambda period: period.end <= end, endless))
    return {"periods": [question.row(*period) for period in periods], "count": len(periods)}


def _anchor_day(question: _Question) -> Mapping[str, Any]:
    return {"anchor_day": local_date(question.given("start"), question.zone).day}


def _aligned_date(question: _Question) -> Mapping[str, Any]:
    return {"date": aligned_date(local_date(question.given("start"), question.zone), question.body["anchor_day"])}


def _next_boundary(question: _Question) -> Mapping[str, Any]:
    start = question.day("start")
    grid = anchor_day_grid(
        question.interval,
        start=start,
        anchor_day=question.body.get("anchor_day", 1),
        zone=question.zone,
    )
    from_day = start if question.interval.months else question.day("target", "start")
    return {"date": local_date(boundary_from(grid, from_day), question.zone)}


def _anchor_change(question: _Question) -> Mapping[str, Any]:
    wanted = question.day("wanted", "at")
    if "start" in question.body:
        wanted = max(wanted, question.day("start"))
    monthly = anchor_day_grid(
        Interval(Unit.MONTH), start=wanted, anchor_day=question.body["anchor_day"], zone=question.zone
    )
    return {"date": local_date(boundary(monthly, 0), question.zone)}


def _instant_of_date(question: _Question) -> Mapping[str, Any]:
    clock = question.given("reference_instant").astimezone(question.zone).time()
    return {"instant": instant_of(date.fromisoformat(question.body["local_date"]), clock, question.zone)}


def _local_dates(question: _Question) -> Mapping[str, Any]:
    named = question.case.expect["local_dates"]
    dates = {name: local_date(question.when(name) or parse_instant(name), question.zone) for name in named}
    return {"local_dates": dates}


def _days_later(instant: datetime, days: int, zone: tzinfo) -> datetime:
    return boundary(Grid(Interval(Unit.DAY), instant, zone), days)


def _boundary_on(grid: Grid, day: date) -> datetime:
    """Return the boundary nearest before the end of `day`: on that day, if the grid has one there."""
    next_day = midnight_of(day + timedelta(days=1), grid.zone)
    return boundary(grid, period_index(grid, next_day - timedelta(microseconds=1)))


_ANSWERS: Mapping[str, Callable[[_Question], Mapping[str, Any]]] = {
    "first": _first,
    "starting_at": _from_opening,
    "first_from": _from_opening,
    "list": _from_opening,
    "containing": _at,
    "before": _at,
    "elapsed": _elapsed,
    "windows_touching": _windows_touching,
    "includes": _includes,
    "billing_days": _billing_days,
    "run": _run,
    "whole": _whole,
    "anchor_day": _anchor_day,
    "aligned_date": _aligned_date,
    "next_boundary": _next_boundary,
    "anchor_change": _anchor_change,
    "instant_of_date": _instant_of_date,
    "local_dates": _local_dates,
}

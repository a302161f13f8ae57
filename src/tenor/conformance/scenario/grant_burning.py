"""A wallet of units that metered usage burns down by itself, as the steps of a case make it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tenor.conformance.scenario.grant_reading import GRANT_WORDS, Setting, instant_of, read_grants
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.strict import NotRunnable
from tenor.kernel.calendar import Grid, Interval, Unit, periods_between
from tenor.kernel.errors import NotFound, Refusal
from tenor.kernel.period import Period, parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.wallets.model import ZERO, Grant, Reset
from tenor.wallets.rules.burn_down import BurnDown, BurnTerms, Standing, burn_down, opened

_VERBS: Final = {
    "grant_credits": GRANT_WORDS,
    "void_grant": "grant mode",
    "usage": "units event_at count metric",
    "reset_usage": "preserve_overage retain_anchor",
    "set_opening_balance": "grant_balances overage usage_in_period grant_usage_in_period period_start",
}
"""The steps that a wallet of units takes, with their arguments."""


class OutsideUsagePeriod(Refusal):
    """A grant or a reset that is dated before the usage period which is running, or in the future."""

    code = "outside_usage_period"


class _Usage(NamedTuple):
    at: datetime
    units: Decimal


class _Anchoring(NamedTuple):
    """From `since` on usage is reset by itself at the boundaries of `grid`."""

    since: datetime
    grid: Grid


@dataclass(slots=True)
class BurningBook:
    """What is known of a wallet of units: its grants, usage, resets and stated balances."""

    setting: Setting
    grants: list[Grant] = field(default_factory=list)
    usage: list[_Usage] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)
    openings: list[Standing] = field(default_factory=list)
    anchorings: list[_Anchoring] = field(default_factory=list)
    latest_at: datetime | None = None

    def can_do(self, verb: str) -> str | None:
        """Return the arguments that a verb takes; None for a verb that is not built."""
        return _VERBS.get(verb)

    def do(self, step: Step) -> None:
        """Do one step."""
        at = instant_of(step)
        self.latest_at = at if self.latest_at is None else max(self.latest_at, at)
        match step.verb:
            case "grant_credits":
                self._grant(step)
            case "void_grant":
                self._void(step.body["grant"], self.setting.down(at))
            case "usage":
                self._use(step, at)
            case "reset_usage":
                self._reset(step, at)
            case _:
                self._open(step, self.setting.down(at))

    def read(self, key: str, fact: Mapping[str, Any], at: datetime) -> Any:
        """Return a figure that only a wallet of units has, as of an instant."""
        if key not in _READERS:
            raise NotRunnable(f"nothing here can read {key} yet")
        return _READERS[key](self, fact, at)

    def balances(self, at: datetime) -> Mapping[str, Decimal]:
        """Return what each grant has left at an instant."""
        return self.run(at).end.balances

    def run(self, until: datetime) -> BurnDown:
        """Burn the wallet down to an instant, from the last balance that was stated or from where measuring began."""
        policy = self.setting.policy.credits
        terms = BurnTerms(policy.burn_order, policy.read_at_expiry, is_level=self.setting.aggregation == "latest")
        stated = [opening for opening in self.openings if opening.at <= until]
        opening = stated[-1] if stated else opened(self.grants, self._start(until))
        resets = {reset.at: reset for reset in (*self._automatic_resets(until), *self.resets)}
        return burn_down(self.grants, self.used_in, resets.values(), opening=opening, until=until, terms=terms)

    def used_in(self, span: Period) -> Decimal:
        """Return the units that were used inside a span, as the metric adds them up."""
        units = [entry.units for entry in sorted(self.usage, key=lambda entry: entry.at) if span.holds(entry.at)]
        match self.setting.aggregation:
            case "sum":
                return sum(units, ZERO)
            case "count":
                return Decimal(len(units))
            case "latest":
                return units[-1] if units else ZERO
            case other:
                raise NotRunnable(f"usage that is aggregated by {other} does not burn credit yet")

    def _start(self, until: datetime) -> datetime:
        """Return when measuring began: as the case says, else with the first thing that happened."""
        if self.setting.measure_from is not None:
            return min(until, self.setting.down(self.setting.measure_from))
        known = [grant.effective_at for grant in self.grants] + [entry.at for entry in self.usage]
        return min([*known, until])

    def _grant(self, step: Step) -> None:
        for grant in read_grants(self.setting, step):
            if self.setting.usage_period is not None and grant.effective_at < self._period_start(instant_of(step)):
                raise OutsideUsagePeriod(f"grant {grant.id} takes effect before the usage period that is running")
            self.grants.append(grant)

    def _void(self, grant_id: str, at: datetime) -> None:
        if not any(grant.id == grant_id for grant in self.grants):
            raise NotFound(f"there is no grant {grant_id!r}")
        self.grants = [
            replace(grant, voided_at=at) if grant.id == grant_id and grant.voided_at is None else grant
            for grant in self.grants
        ]

    def _use(self, step: Step, at: datetime) -> None:
        units = parse_decimal(step.body["units"], name="units") * step.body.get("count", 1)
        used_at = parse_instant(step.body["event_at"]) if "event_at" in step.body else at
        self.usage.append(_Usage(self.setting.down(used_at), units))

    def _reset(self, step: Step, at: datetime) -> None:
        if self.setting.now is not None and at > self.setting.now:
            raise OutsideUsagePeriod("usage cannot be reset in the future")
        reset = Reset(self.setting.down(at), step.body["preserve_overage"])
        if reset.at <= self._period_start(self.latest_at or at):
            raise OutsideUsagePeriod("usage cannot be reset before its usage period, or twice at one time")
        self.resets.append(reset)
        grid = self.setting.usage_period
        if grid is not None and not step.body.get("retain_anchor", True):
            self.anchorings.append(_Anchoring(reset.at, replace(grid, anchor=reset.at)))

    def _open(self, step: Step, at: datetime) -> None:
        body = step.body
        balances = {name: parse_decimal(amount, name=name) for name, amount in body["grant_balances"].items()}
        figures = [
            parse_decimal(body.get(key, "0"), name=key)
            for key in ("overage", "usage_in_period", "grant_usage_in_period")
        ]
        self.openings.append(Standing(at, balances, *figures))

    def _automatic_resets(self, until: datetime) -> Iterator[Reset]:
        """Yield the ends of the usage periods up to an instant, as the anchor stood at each time."""
        if self.setting.usage_period is None:
            return
        regimes = [_Anchoring(self._start(until), self.setting.usage_period), *self.anchorings]
        ends = [regime.since for regime in regimes[1:]] + [until]
        for regime, end in zip(regimes, ends, strict=True):
            for period in periods_between(regime.grid, regime.since, min(end, until)):
                if period.end <= min(end, until):
                    yield Reset(period.end)

    def _period_start(self, at: datetime) -> datetime:
        """Return when the usage period that runs at an instant began."""
        resets = [*self._automatic_resets(at), *self.resets]
        return max((reset.at for reset in resets if reset.at <= at), default=self._start(at))


def _windows(book: BurningBook, fact: Mapping[str, Any], _at: datetime) -> list[dict[str, Any]]:
    """Return what was used in each whole window of a span, and how the wallet stood at its start."""
    start, end = parse_instant(fact["from"]), parse_instant(fact["to"])
    if book.setting.measure_from is not None and start < book.setting.measure_from:
        raise OutsideUsagePeriod("there is no history before usage was measured")
    grid = Grid(Interval(Unit(fact["window"])), None, book.setting.zone, alignment="calendar")
    whole = [window for window in periods_between(grid, start, end) if window.start >= start]
    figures = [
        {"index": index, "usage": book.used_in(window), "balance_at_start": book.run(window.start).end.balance}
        for index, window in enumerate(whole)
    ]
    asked = {window["index"] for window in fact.get("windows", ())}
    return [window for window in figures if window["index"] in asked]


def _opening(book: BurningBook, at: datetime) -> Standing:
    return book.run(at).segments[-1].opening


_READERS: Final[Mapping[str, Callable[[BurningBook, Mapping[str, Any], datetime], Any]]] = {
    "overage": lambda book, _fact, at: book.run(at).end.overage,
    "usage_in_period": lambda book, _fact, at: book.run(at).end.usage,
    "grant_usage_in_period": lambda book, _fact, at: book.run(at).end.granted,
    "segment_start": lambda book, _fact, at: {
        "grant_balances": _opening(book, at).balances,
        "overage": _opening(book, at).overage,
    },
    "segment_start_total": lambda book, _fact, at: _opening(book, at).balance,
    "windows": _windows,
}
"""How each fact about a wallet of units is read."""

"""Burn-down: what grants are left at any instant, when usage draws on them as time passes.

The life of a wallet is cut wherever a grant starts, ends or recurs, and at each reset of usage. Between two cuts
nothing but usage happens, so one span of usage is drawn at once. Worked tables: docs/algorithms/credits.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from tenor.kernel.calendar import boundary_from, periods_between
from tenor.kernel.errors import Malformed
from tenor.kernel.period import Period
from tenor.wallets.model import ZERO, Draw, Grant, Reset, UsageOf
from tenor.wallets.rules.burning import after, draw, in_burn_order


class BurnDownRunsBackwards(Malformed):
    """A burn-down that is to end before it starts."""

    code = "burn_down_runs_backwards"


@dataclass(frozen=True, slots=True)
class Standing:
    """A wallet at an instant: what each grant has left, and what its usage period has used so far.

    `overage` is usage that no grant covered and that a later grant would; `granted` is the part of `usage` that
    grants covered. Units of the wallet. It holds all that is needed to go on from here.
    """

    at: datetime
    balances: Mapping[str, Decimal]
    overage: Decimal = ZERO
    usage: Decimal = ZERO
    granted: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """What all grants together have left."""
        return sum(self.balances.values(), ZERO)


class Segment(NamedTuple):
    """A span between two cuts: how the wallet stood at its start, what was used in it and what that drew.

    `draws` cover the usage and the overage that was brought in.
    """

    span: Period
    opening: Standing
    usage: Decimal
    draws: tuple[Draw, ...]


class BurnDown(NamedTuple):
    """How a wallet came from its opening to its end, in contiguous segments."""

    segments: tuple[Segment, ...]
    end: Standing


@dataclass(frozen=True, slots=True)
class BurnTerms:
    """The choices of a burn-down.

    `order`: see `in_burn_order`. `read_at_expiry`: whether a burn-down that ends when a grant expires shows it before
    or after. `is_level`: usage is the latest reading of a level, not a quantity; grants are then ceilings, whole again
    in each segment, and what was above them at one time is not owed at another.
    """

    order: Sequence[str]
    read_at_expiry: Literal["after", "before"] = "after"
    is_level: bool = False


def opened(grants: Iterable[Grant], at: datetime) -> Standing:
    """Return how a wallet stands when measuring begins: grants in force are whole."""
    return Standing(at, {grant.id: grant.amount if grant.is_active(at) else ZERO for grant in grants})


def burn_down(
    grants: Sequence[Grant],
    usage_of: UsageOf,
    resets: Iterable[Reset],
    *,
    opening: Standing,
    until: datetime,
    terms: BurnTerms,
) -> BurnDown:
    """Draw all usage from the opening until an instant on the grants in force, cut by cut.

    At one instant: what ends is worth nothing; then a reset rolls over what is left; then a recurrence makes a grant
    whole; then new grants start. So an expiry beats a recurrence, and that a reset. Usage at `until` is not counted,
    everything else of that instant is. Resets up to the opening are part of it. The caller has entered the exact
    context. The same result comes out when it is stopped at any instant and taken up from there (but for levels).

    Raises:
        BurnDownRunsBackwards: `until` lies before the opening.
    """
    if until < opening.at:
        raise BurnDownRunsBackwards(f"a burn-down from {opening.at} cannot end at {until}")
    coming = {reset.at: reset for reset in resets if opening.at < reset.at <= until}
    ordered = in_burn_order(grants, terms.order)
    if terms.read_at_expiry == "before":
        ordered = [_shown_whole_at(grant, until) for grant in ordered]
    standing = _with_all(opening, ordered)
    segments: list[Segment] = []
    for at in sorted({*coming, *_cuts(ordered, Period(opening.at, until))}):
        segment = _burn(standing, ordered, usage_of, until=at, terms=terms)
        segments.append(segment)
        standing = _turned(_after(segment), ordered, coming.get(at))
    segments.append(_burn(standing, ordered, usage_of, until=until, terms=terms))
    return BurnDown(tuple(segments), _after(segments[-1]))


def _shown_whole_at(grant: Grant, until: datetime) -> Grant:
    """Return `grant` as one that is still in force at `until`, if only its expiry ends it there."""
    return replace(grant, expires_at=None) if grant.expires_at == until else grant


def _with_all(standing: Standing, grants: Iterable[Grant]) -> Standing:
    """Return `standing` with a balance for every grant; one that it does not know yet is whole while in force."""
    return replace(standing, balances={**opened(grants, standing.at).balances, **standing.balances})


def _cuts(grants: Iterable[Grant], within: Period) -> Iterator[datetime]:
    """Yield the instants after the start and up to the end at which a grant starts, ends or recurs."""
    for grant in grants:
        for at in (grant.effective_at, grant.ends_at):
            if at is not None and within.start < at <= within.end:
                yield at
        yield from _recurrences(grant, within)


def _recurrences(grant: Grant, within: Period) -> Iterator[datetime]:
    """Yield when a grant becomes whole again inside (start, end], while it is in force."""
    if grant.recurrence is None:
        return
    start = max(within.start, grant.effective_at)
    for period in periods_between(grant.recurrence, start, within.end):
        if period.start > start and grant.is_active(period.start):
            yield period.start
    if within.end > start and boundary_from(grant.recurrence, within.end) == within.end and grant.is_active(within.end):
        yield within.end


def _burn(
    standing: Standing, ordered: Sequence[Grant], usage_of: UsageOf, *, until: datetime, terms: BurnTerms
) -> Segment:
    """Draw what is used from `standing` until the next cut, and the overage brought in."""
    active = [grant for grant in ordered if grant.is_active(standing.at)]
    if terms.is_level:
        whole = {grant.id: grant.amount for grant in active}
        standing = replace(standing, balances={**standing.balances, **whole}, overage=ZERO)
    span = Period(standing.at, until)
    usage = ZERO if span.is_empty else usage_of(span)
    draws, _ = draw(usage + standing.overage, active, standing.balances)
    return Segment(span, standing, usage, tuple(draws))


def _after(segment: Segment) -> Standing:
    """Return how the wallet stands at the end of a segment."""
    opening, drawn = segment.opening, sum((part.amount for part in segment.draws), ZERO)
    return Standing(
        at=segment.span.end,
        balances=after(opening.balances, segment.draws),
        overage=opening.overage + segment.usage - drawn,
        usage=opening.usage + segment.usage,
        granted=opening.granted + drawn,
    )


def _turned(standing: Standing, ordered: Sequence[Grant], reset: Reset | None) -> Standing:
    """Return how the wallet stands once everything of this instant has happened."""
    at = standing.at
    active = [grant for grant in ordered if grant.is_active(at)]
    ended = {grant.id: ZERO for grant in ordered if not grant.is_active(at)}
    standing = replace(standing, balances={**standing.balances, **ended})
    if reset is not None:
        standing = _rolled_over(standing, [grant for grant in active if grant.effective_at < at], reset)
    whole = {grant.id: grant.amount for grant in active if grant.effective_at == at or _recurs(grant, at)}
    return replace(standing, balances={**standing.balances, **whole})


def _recurs(grant: Grant, at: datetime) -> bool:
    return grant.recurrence is not None and boundary_from(grant.recurrence, at) == at


def _rolled_over(standing: Standing, continuing: Sequence[Grant], reset: Reset) -> Standing:
    """Return the start of the next usage period; overage that is preserved is drawn on what rolled over."""
    kept = {
        grant.id: min(grant.rollover_max, max(grant.rollover_min, standing.balances[grant.id])) for grant in continuing
    }
    balances = {**standing.balances, **kept}
    draws, overage = draw(standing.overage if reset.preserves_overage else ZERO, continuing, balances)
    return Standing(at=standing.at, balances=after(balances, draws), overage=overage)

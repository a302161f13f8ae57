"""The gross form of owed − billed: a line billed stands whole, and what changed is given back or charged by spans.

Where lines are settled net, a correction is a difference of amounts (`settle`). Where a line once issued is
kept as it is, the difference is taken over time: the part of a billed line that is no longer owed is given
back as a share of that line, and the part of what is owed that no line covers is charged.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from tenor.kernel.money import divide_rounded
from tenor.kernel.period import Period
from tenor.pricing.rules.proration import Share, share_minor

ShareOf = Callable[[Period, Period], Share | None]
"""Returns which share of the first period the second is; None where nothing is prorated."""


class GivenBack(NamedTuple):
    """A credit that stands on a billed line: for which span, and how much (positive, minor units)."""

    span: Period
    amount_minor: int


class BilledSpan(NamedTuple):
    """A line as it was billed: `price_minor` for the whole period, `amount_minor` for the `span` of it.

    `key` is the stream of service (one charge of one subscription), `item` what of it was bought. `given_back`
    are credits for spans; `adjusted_minor` was taken off the line without a span.
    """

    line: Hashable
    key: Hashable
    item: Hashable
    span: Period
    whole: Period
    price_minor: int
    amount_minor: int
    given_back: tuple[GivenBack, ...] = ()
    adjusted_minor: int = 0

    @property
    def rest_minor(self) -> int:
        """What is left of the amount; never below zero."""
        return max(self.amount_minor - self.adjusted_minor - sum(credit.amount_minor for credit in self.given_back), 0)


class OwedSpan(NamedTuple):
    """What is owed for `span`, at `price_minor` for the `whole` period. Owed spans of one key do not overlap."""

    key: Hashable
    item: Hashable
    span: Period
    whole: Period
    price_minor: int


class SpanCredit(NamedTuple):
    """`amount_minor` (positive) given back on a billed line for the `span` of it that is no longer owed."""

    billed: BilledSpan
    span: Period
    amount_minor: int


class SpanCharge(NamedTuple):
    """`amount_minor` charged for the `span` of what is owed that no line covers."""

    owed: OwedSpan
    span: Period
    amount_minor: int


class SpanLines(NamedTuple):
    """The lines that make billed equal to owed; both empty when it already is."""

    credits: list[SpanCredit]
    charges: list[SpanCharge]


def settle_spans(billed: Iterable[BilledSpan], owed: Iterable[OwedSpan], *, share: ShareOf) -> SpanLines:
    """Return the credits and charges after which the billed spans say what is owed.

    Of a billed line stands what is owed for the same item at the same price; the rest of it is given back, one
    credit for each gapless part: that part's share of the line, at most what is left of the line (a credit
    of zero is written too, so that the span is known to be given back). Charged is each gapless part of
    what is owed that no standing line covers: its share of the price, rounded once, half away from zero.

    A line of zero has nothing to give back and covers only an owed span equal to it. Where there is no share
    a billed line stands to its end whatever is owed, and a part is charged at the whole price.

    Applying the lines and asking again gives none; credits never exceed what their line billed.
    """
    charged: dict[Hashable, list[BilledSpan]] = {}
    for line in billed:
        charged.setdefault(line.key, []).append(line)
    wanted: dict[Hashable, list[OwedSpan]] = {}
    for slice_ in owed:
        wanted.setdefault(slice_.key, []).append(slice_)
    found = SpanLines([], [])
    for key in dict.fromkeys([*charged, *wanted]):
        _settle_key(charged.get(key, []), wanted.get(key, []), share, found)
    return found


def _settle_key(billed: Sequence[BilledSpan], owed: Sequence[OwedSpan], share: ShareOf, found: SpanLines) -> None:
    uncovered = {position: [slice_.span] for position, slice_ in enumerate(owed)}
    for line in billed:
        standing = without([line.span], [credit.span for credit in line.given_back])
        is_prorated = share(line.whole, line.span) is not None
        refused = list(standing)
        for position, slice_ in enumerate(owed):
            if not _stands_for(line, slice_, is_prorated=is_prorated):
                continue
            kept = [part for span in uncovered[position] for part in _overlaps(span, standing)]
            uncovered[position] = without(uncovered[position], kept)
            refused = without(refused, kept)
        if line.price_minor and is_prorated:
            found.credits.extend(_credits(line, refused, share))
    for position, slice_ in enumerate(owed):
        found.charges.extend(_charge(slice_, part, share) for part in uncovered[position])


def _stands_for(line: BilledSpan, slice_: OwedSpan, *, is_prorated: bool) -> bool:
    if not line.price_minor or not slice_.price_minor:
        return (line.item, line.price_minor, line.span) == (slice_.item, slice_.price_minor, slice_.span)
    return not is_prorated or (line.item, line.price_minor) == (slice_.item, slice_.price_minor)


def _credits(line: BilledSpan, refused: Sequence[Period], share: ShareOf) -> Iterable[SpanCredit]:
    rest = line.rest_minor
    for part in refused:
        amount = min(_share_of_line(line, part, share), rest)
        rest -= amount
        yield SpanCredit(line, part, amount)


def _share_of_line(line: BilledSpan, part: Period, share: ShareOf) -> int:
    """Return the part's share of what was billed; all of it for the whole line."""
    of_part, of_line = share(line.whole, part), share(line.whole, line.span)
    if part == line.span or of_part is None or of_line is None or not of_line.used:
        return line.amount_minor
    return divide_rounded(line.amount_minor * of_part.used * of_line.whole, of_part.whole * of_line.used)


def _charge(slice_: OwedSpan, part: Period, share: ShareOf) -> SpanCharge:
    of_whole = share(slice_.whole, part)
    amount = slice_.price_minor if of_whole is None else share_minor(slice_.price_minor, of_whole)
    return SpanCharge(slice_, part, amount)


def without(spans: Iterable[Period], taken: Iterable[Period]) -> list[Period]:
    """Return the parts of `spans` that lie in none of `taken`, in order."""
    left = [span for span in spans if not span.is_empty]
    for cut in taken:
        left = (
            [
                part
                for span in left
                for part in (Period(span.start, min(span.end, cut.start)), Period(max(span.start, cut.end), span.end))
                if not part.is_empty
            ]
            if not cut.is_empty
            else left
        )
    return left


def _overlaps(span: Period, others: Iterable[Period]) -> list[Period]:
    found = (span.overlap(other) for other in others)
    return [part for part in found if not part.is_empty]

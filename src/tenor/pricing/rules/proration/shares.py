"""Shares: which part of a period was used, measured as the policy says, and what that part costs."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from tenor.kernel.calendar import clock_days, days_between, days_in_month, is_last_of_month, local_date
from tenor.kernel.errors import Malformed
from tenor.kernel.money import EXACT, RoundingMode, divide_rounded
from tenor.kernel.period import Period
from tenor.pricing.policy import ProrationPolicy, Rounding

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT: Final[Mapping[str, timedelta]] = {
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
}
_ONE_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_COMMERCIAL_MONTH: Final = 30
_DAYS_IN_YEAR: Final = 365


class PeriodWithoutLength(Malformed):
    """A period that is empty or runs backwards where a share of it is needed."""

    code = "period_without_length"


class Share(NamedTuple):
    """`used` of `whole` units of a period, both whole numbers; `whole` is positive."""

    used: int
    whole: int

    @property
    def fraction(self) -> Fraction:
        """The share as a number."""
        return Fraction(self.used, self.whole)


def share_of(*, period: Period, used: Period, policy: ProrationPolicy, zone: tzinfo) -> Share | None:
    """Return the share of `period` that the span `used` is, or None where there is none.

    Units: whole milliseconds, seconds or minutes of UTC time, both ends of a span cut to the unit, so
    that two spans that meet add up; or whole local days of `zone`, by the day count of the policy.

    There is no share when nothing is prorated (unit `none`), when the period has no length, and
    when the span is longer than the period, unless the policy rounds shares (`ratio_digits`): who
    rounds a share multiplies by whatever comes out. An empty span is a share of 0.

    Source: docs/algorithms/proration.md; ADR 4 (seconds by default, days by policy).
    """
    if policy.proration_unit == "none" or period.is_empty:
        return None
    if policy.proration_unit == "day":
        extra = 1 if policy.bounds == "inclusive_days" else 0
        part, whole = _DAY_COUNTS[policy.day_count](period, used, zone, extra)
    else:
        unit = _UNIT[policy.proration_unit]
        off = _ONE_SECOND // unit if policy.bounds == "end_minus_second" else 0
        part, whole = _units(used, unit) - off, _units(period, unit) - off
    if used.is_empty:
        part = 0
    if whole <= 0 or (part > whole and policy.ratio_digits is None):
        return None
    if policy.ratio_digits is None:
        return Share(part, whole)
    scale: int = 10**policy.ratio_digits
    return Share(divide_rounded(part * scale, whole), scale)


def share_of_year(*, used: Period, years: int, zone: tzinfo) -> Share:
    """Return the share that `used` is of a yearly price billed inside a shorter period: local days of 365."""
    return Share(min(days_between(used, zone), _DAYS_IN_YEAR * years), _DAYS_IN_YEAR * years)


def share_of_grant(*, period: Period, used: Period, policy: ProrationPolicy, zone: tzinfo) -> Share:
    """Return the share of `period` for which credits are granted, kept within 0 and 1.

    Raises:
        PeriodWithoutLength: the period is empty or runs backwards.
    """
    if period.is_empty:
        raise PeriodWithoutLength("credits are granted for a period that ends after it starts")
    return share_of(period=period, used=used, policy=policy, zone=zone) or Share(1, 1)


def share_minor(amount_minor: int, share: Share, mode: RoundingMode = RoundingMode.HALF_UP) -> int:
    """Return the part of `amount_minor` that `share` is, in whole minor units, rounded once by `mode`.

    Integers only: the form for the bill run, which asks it for every prorated line.
    """
    return divide_rounded(amount_minor * share.used, share.whole, mode)


def exact_part(amount: Decimal, share: Share | None, *, day_rate: Rounding, currency_digits: int) -> Fraction:
    """Return `amount` × `share`, unrounded; the whole amount where there is no share.

    With a `day_rate` rounding the price of one unit of the period is rounded first, then multiplied
    (99.00 / 30 = 3.30 a day).
    """
    if share is None:
        return Fraction(amount)
    if day_rate.mode is RoundingMode.NONE:
        return Fraction(amount) * share.fraction
    return Fraction(round_part(Fraction(amount) / share.whole, day_rate, currency_digits=currency_digits)) * share.used


def round_part(value: Fraction, rounding: Rounding, *, currency_digits: int) -> Decimal:
    """Return `value` as a decimal, rounded once by `rounding`; its digits are the currency's where it names none.

    Mode `none` keeps 120 digits: as good as exact for what is only shown.
    """
    if rounding.mode is RoundingMode.NONE:
        return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    places = currency_digits if rounding.digits is None else rounding.digits
    scaled = value * Fraction(10) ** places
    return EXACT.scaleb(Decimal(divide_rounded(scaled.numerator, scaled.denominator, rounding.mode)), -places)


def billed_days(span: Period, policy: ProrationPolicy, zone: tzinfo) -> int:
    """Return how many days `span` counts as: the difference of its local dates.

    With `inclusive_days` both end days count: the whole days that pass on the local clock, plus one.
    """
    return clock_days(span, zone) + 1 if policy.bounds == "inclusive_days" else days_between(span, zone)


def _units(span: Period, unit: timedelta) -> int:
    return (span.end - _EPOCH) // unit - (span.start - _EPOCH) // unit


def _actual(period: Period, used: Period, zone: tzinfo, extra: int) -> tuple[int, int]:
    return days_between(used, zone) + extra, days_between(period, zone) + extra


def _actual_of_30(_period: Period, used: Period, zone: tzinfo, extra: int) -> tuple[int, int]:
    return days_between(used, zone) + extra, _COMMERCIAL_MONTH


def _strict_30(period: Period, used: Period, zone: tzinfo, _extra: int) -> tuple[int, int]:
    return _commercial_days(used, zone), _commercial_days(period, zone)


def _shifted_30(_period: Period, used: Period, zone: tzinfo, extra: int) -> tuple[int, int]:
    first, last = local_date(used.start, zone), local_date(used.end, zone)
    days = (last - first).days + extra
    if (first.year, first.month) != (last.year, last.month):
        days -= days_in_month(first.year, first.month) - _COMMERCIAL_MONTH
    return days, _COMMERCIAL_MONTH


def _commercial_days(span: Period, zone: tzinfo) -> int:
    """Return the days of `span` as if every month had 30, the last day of a month being the 30th."""
    first, last = local_date(span.start, zone), local_date(span.end, zone) - _DAY
    months = (last.year - first.year) * 12 + last.month - first.month
    return months * _COMMERCIAL_MONTH + _commercial_day(last) - _commercial_day(first) + 1


def _commercial_day(day: date) -> int:
    return _COMMERCIAL_MONTH if is_last_of_month(day) else day.day


_DAY_COUNTS: Final[Mapping[str, Callable[[Period, Period, tzinfo, int], tuple[int, int]]]] = {
    "actual/actual": _actual,
    "actual/30": _actual_of_30,
    "30/30_strict": _strict_30,
    "30/30_shift": _shifted_30,
}

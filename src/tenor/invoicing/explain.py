"""Explain: the trace of a line as words and arithmetic."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from tenor.invoicing.queries import IssuedLine, PaidByWallet
from tenor.kernel.money import exponent, format_minor
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import plain
from tenor.pricing.rules.rating import explain

_UNITS_OF_A_DAY: Final[Mapping[str, int]] = {"day": 1, "minute": 1_440, "second": 86_400, "millisecond": 86_400_000}

_DECISIONS: Final[Mapping[str, str]] = {
    "one_off": "one-off charge",
    "manual_credit": "credit",
    "sla_credit": "service level credit",
    "credit_purchase": "sale of prepaid credit",
}


def explain_line(line: IssuedLine, *, currency: str, zone: tzinfo) -> list[str]:
    """Return the derivation of a line, one step a line, to its amount and who paid it. Dates are those of `zone`."""
    return [*_sentences(line, line.trace, currency, zone), *(_paid(part, currency) for part in line.paid_by)]


def _paid(part: PaidByWallet, currency: str) -> str:
    verb, direction = ("paid with", "of") if part.paid_minor > 0 else ("given back", "to")
    money = format_minor(abs(part.paid_minor), currency)
    return f"{verb} {plain(abs(part.amount))} {part.unit} {direction} wallet {part.wallet}: {money} {currency}"


def _sentences(line: IssuedLine, trace: Mapping[str, Any], currency: str, zone: tzinfo) -> Iterator[str]:
    if "adjustment" in trace:
        yield from _decided(line, trace, currency)
        return
    if "credits" in trace:
        yield from _given_back(line, trace, currency)
        return
    if reason := trace.get("reason"):
        yield f"{reason}: {format_minor(trace['billed_minor'], currency)} was billed, nothing is owed"
        yield f"difference {format_minor(line.amount_minor, currency)}"
        return
    yield from explain(trace.get("steps", []), currency=currency)
    if through := trace.get("through"):
        so_far = f"used through {_day(through, zone)}, while the period runs"
        reached = trace.get("threshold_minor")
        yield so_far if reached is None else f"{so_far}: {format_minor(reached, currency)} has been reached"
    for part in trace.get("slices", []):
        yield from (f"  {sentence}" for sentence in explain(part["steps"], currency=currency))
        yield (
            f"{_number(part['price'], currency)} × {_share(part['share'], part['unit'])} = "
            f"{_number(part['amount'], currency)} "
            f"({_day(part['from'], zone)} to {_day(part['to'], zone)})"
        )
    if len(trace.get("slices", [])) > 1:
        yield f"together {_number(trace['exact'], currency)}"
    if percent := trace.get("discount_percent"):
        before = trace["before_discount"]
        kept = Fraction(before) * (1 - Fraction(percent) / 100)
        yield f"{_number(before, currency)} less {percent} % = {_number(str(kept), currency)}"
    if "committed_minor" in trace:
        committed, counted = trace["committed_minor"], trace["counted_minor"]
        yield (
            f"at least {format_minor(committed, currency)} is committed for the period, the other charges come to "
            f"{format_minor(counted, currency)}"
        )
    if (billed := trace.get("billed_minor")) is not None:
        owed = billed + line.amount_minor
        yield (
            f"owed {format_minor(owed, currency)}, billed before {format_minor(billed, currency)}: "
            f"difference {format_minor(line.amount_minor, currency)}"
        )
    else:
        yield f"rounded once to {format_minor(line.amount_minor, currency)} {currency}"


def _decided(line: IssuedLine, trace: Mapping[str, Any], currency: str) -> Iterator[str]:
    clause = f" under {trace['clause']}" if "clause" in trace else ""
    yield f"{_DECISIONS[trace['adjustment']]}{clause}: {trace['reason']}"
    yield f"decided as {format_minor(line.amount_minor, currency)} {currency}"


def _given_back(line: IssuedLine, trace: Mapping[str, Any], currency: str) -> Iterator[str]:
    yield f"credit for line {trace['line']} of {trace['credits']}: {trace['note']}"
    billed, left = (format_minor(trace[name], currency) for name in ("billed_minor", "left_minor"))
    yield f"billed {billed}, of which {left} were left; given back {format_minor(-line.amount_minor, currency)}"


def _share(text: str, unit: str | None) -> str:
    """Return a share in words: of whole days where it is one, else of the unit counted; a rounded share has none."""
    if unit is None:
        return text
    used, whole = map(int, text.split("/"))
    per_day = _UNITS_OF_A_DAY[unit]
    if used % per_day == 0 and whole % per_day == 0:
        return f"{used // per_day}/{whole // per_day} days"
    return f"{text} {unit}s"


def _number(text: str, currency: str) -> str:
    """Return an exact number for reading: four digits beyond the currency's, an ellipsis where it goes on."""
    value = Fraction(text)
    digits = exponent(currency) + 4
    scaled = value * 10**digits
    whole = int(scaled)
    shown = Decimal(whole).scaleb(-digits).normalize()
    if shown.as_tuple().exponent > -exponent(currency):  # type: ignore[operator]  # a finite decimal's is an int
        shown = shown.quantize(Decimal(1).scaleb(-exponent(currency)))
    return f"{shown:f}" if whole == scaled else f"{shown:f}…"


def _day(text: str, zone: tzinfo) -> str:
    instant: datetime = parse_instant(text).astimezone(zone)
    is_midnight = instant.hour == instant.minute == instant.second == 0
    return instant.strftime("%Y-%m-%d" if is_midnight else "%Y-%m-%d %H:%M:%S")

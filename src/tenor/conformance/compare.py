"""Compare an answer with what a case expects, by value and without tolerance."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any

from tenor.conformance.cases import Case
from tenor.kernel.money import EXACT, RoundingMode, round_decimal

_TWELVE_DIGITS = {"precise", "item_precise", "ratio"}
_UNORDERED = {"groups", "run_lines"}


def differences(case: Case, got: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each asked key that is not met; an empty list when all are.

    Rules of the case files: only what `expect` lists is asked; amounts, quantities and dates are
    equal by value; `unit_amount` is rounded half up to the digits printed; `precise` and decimal
    ratios are compared at 12 digits or at the digits printed where fewer; `compare_digits` rounds both.
    The facts of a scenario are compared where they are read, so that its answer already says what is `unmet`.
    """
    expect = case.expect
    if isinstance(expect, list):
        return list(got.get("unmet", [got.get("refusal", "the scenario gave no answer")]))
    digits = expect.get("compare_digits")
    found = []
    with localcontext(EXACT):
        for key, wanted in expect.items():
            if key in {"compare_digits", "periods_derived"}:
                continue
            if key not in got:
                reason = got.get("refusal", "the engine gave no such figure")
                found.append(f"{key}: expected {_text(wanted)}, but {reason}")
            elif not equals(key, wanted, got[key], digits):
                found.append(f"{key}: expected {_text(wanted)}, got {_text(got[key])}")
    return found


def equals(key: str, wanted: Any, got: Any, digits: int | None = None) -> bool:
    """Whether `got` is what is wanted of `key`, by value; `digits`: both are rounded to so many first."""
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(
            part in got and equals(part if not _is_number(part) else key, value, got[part], digits)
            for part, value in wanted.items()
        )
    if isinstance(wanted, list):
        if not isinstance(got, list | tuple) or len(wanted) != len(got):
            return False
        if key in _UNORDERED:
            rest = list(got)
            for value in wanted:
                match = next((part for part in rest if equals(key, value, part, digits)), None)
                if match is None:
                    return False
                rest.remove(match)
            return True
        return all(equals(key, value, part, digits) for value, part in zip(wanted, got, strict=True))
    if any(value is None or isinstance(value, bool) for value in (wanted, got)):
        return wanted is got
    if isinstance(got, datetime):
        return datetime.fromisoformat(str(wanted)) == got if "T" in str(wanted) else False
    if isinstance(got, date):
        return str(wanted) == got.isoformat()
    if key == "ratio" and "/" in str(wanted):
        return Fraction(str(wanted)) == Fraction(got)
    wanted_number, got_number = _number(wanted), _number(got)
    if wanted_number is None or got_number is None:
        return str(wanted) == str(got)
    printed = max(0, -int(wanted_number.as_tuple().exponent))
    if key == "unit_amount":
        return wanted_number == round_decimal(got_number, digits=printed, mode=RoundingMode.HALF_UP)
    if digits is None and key in _TWELVE_DIGITS:
        digits = min(12, printed)
    if digits is not None:
        wanted_number = round_decimal(wanted_number, digits=digits, mode=RoundingMode.HALF_UP)
        got_number = round_decimal(got_number, digits=digits, mode=RoundingMode.HALF_UP)
    return wanted_number == got_number


def _number(value: Any) -> Decimal | None:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _is_number(text: str) -> bool:
    return _number(text) is not None


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) < 300 else f"{text[:300]}…"

"""The notation of docs/algorithms/tax.md, read into the values of the rules."""

from datetime import UTC, datetime
from decimal import Decimal

from tenor.taxes.model import AppliedRate, Jurisdiction, TaxRate, TaxTreatment


def minor(text: str) -> int:
    """Read '4.50' as cents."""
    return int(Decimal(text) * 100)


def minors(text: str) -> list[int]:
    """Read '0.50, 1.00' as cents; nothing as no amounts."""
    return [minor(part) for part in text.split(", ")] if text else []


def treatment(text: str) -> TaxTreatment:
    """Read '5 incl, 7 excl', with 'exempt' behind each rate of a line that is not charged; 'none' is no rate."""
    rates = [] if text == "none" else text.split(", ")
    return TaxTreatment(
        tuple(AppliedRate("tax", Decimal(rate.split()[0]), is_inclusive=rate.split()[1] == "incl") for rate in rates),
        "table",
        is_charged="exempt" not in text,
    )


def place(text: str) -> Jurisdiction:
    """Read 'CA-QC' or 'CA'."""
    country, _, region = text.partition("-")
    return Jurisdiction(country, region)


def at(text: str) -> datetime:
    """Read a date as midnight UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rate(text: str) -> TaxRate:
    """Read 'GST CA 5' or 'VAT DE books 7': a rate in force since 2000."""
    name, where, *category, percent = text.split()
    return TaxRate(
        name=name,
        jurisdiction=place(where),
        percent=Decimal(percent),
        valid_from=at("2000-01-01"),
        category=category[0] if category else "standard",
    )


def row(text: str) -> TaxRate:
    """Read '19 from 2007-01-01' or '16 2020-07-01..2021-01-01': a row of one tax."""
    percent, _, span = text.partition(" ")
    start, _, end = span.removeprefix("from ").partition("..")
    return TaxRate(
        name="VAT",
        jurisdiction=Jurisdiction("DE"),
        percent=Decimal(percent),
        valid_from=at(start),
        valid_to=at(end) if end else None,
    )

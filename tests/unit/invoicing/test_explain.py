"""Explain: lines as a customer reads them, held against a page of them."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path

from tenor.invoicing.explain import explain_line
from tenor.invoicing.model import Billed, Line
from tenor.invoicing.queries import IssuedLine
from tenor.invoicing.rules.owed import UsageTotals
from tenor.invoicing.rules.settle import settle
from tenor.kernel.calendar import parse_zone
from tenor.pricing.charges import Matrix, MatrixCell, Price, Standard
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import Policy, profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions.model import Item
from tests.support.invoicing import (
    TEN_AT_FIVE_THEN_TWO,
    TENOR,
    at,
    base,
    calls,
    commitment,
    item,
    key,
    key_of,
    owed_of,
    phase,
    plan,
    seats,
    setup,
    used,
)

PAGE = Path(__file__).parents[2] / "golden" / "explained_lines.txt"
JUNE = ("2026-06-01", "2026-07-01")
ALL_JUNE = item(phase(*JUNE, seats=5))
BY_MODEL = Matrix(("model",), (MatrixCell(("large",), Standard(Decimal("0.50"))),), default=Standard(Decimal("0.10")))


def lines_of(
    life: Item,
    version: PlanVersion,
    *,
    usage: UsageTotals | None = None,
    billed: Sequence[Billed] = (),
    zone: tzinfo = UTC,
    policy: Policy = TENOR,
) -> list[Line]:
    """Return the lines of a run as of 1 July."""
    owed = owed_of(life, version, through="2026-07-01", usage=usage, zone=zone, policy=policy)
    return settle(owed, billed, now=at("2026-07-01"))


def billed(code: str, amount_minor: int) -> list[Billed]:
    return [Billed(key(code, *JUNE), amount_minor, 1, is_deferred=True, description=code.capitalize())]


def explained(lines: Sequence[Line], *, currency: str = "USD", zone: tzinfo = UTC) -> Iterator[str]:
    """Yield the words for lines, each read back from the JSON in which its trace is stored."""
    for number, line in enumerate(lines, start=1):
        issued = IssuedLine(
            number=number,
            description=line.description,
            charge_code="",
            dimension=key_of(line).dimension,
            period=line.key.period,
            amount_minor=line.amount_minor,
            tax_minor=0,
            trace=json.loads(json.dumps(line.trace)),
        )
        yield line.description
        yield from (f"    {sentence}" for sentence in explain_line(issued, currency=currency, zone=zone))


def page() -> str:
    """Return every kind of line, each under the words that say what it is."""
    changed = item(phase("2026-06-01", "2026-06-11", seats=5), phase("2026-06-11", seats=8))
    half = item(phase("2026-06-16", "2026-07-01", seats=5), anchor="2026-06-01")
    at_noon = item(phase("2026-06-01", "2026-06-10T12:00:00Z"))
    berlin = parse_zone("Europe/Berlin")
    june_in_berlin = item(phase("2026-05-31T22:00:00Z", "2026-06-10T22:00:00Z"), anchor="2026-05-31T22:00:00Z")
    by_model = Usage(by_dimension={("large",): Decimal(10), ("small",): Decimal(7)})
    fee = plan(base("100.00"))
    sections = {
        "a whole month": explained(lines_of(ALL_JUNE, fee)),
        "seats": explained(lines_of(ALL_JUNE, plan(seats("9.99")))),
        "usage in tiers": explained(
            lines_of(ALL_JUNE, plan(calls(Price(TEN_AT_FIVE_THEN_TWO))), usage=used("calls", *JUNE, 15))
        ),
        "usage with units included": explained(
            lines_of(
                ALL_JUNE,
                plan(calls(Price(Standard(Decimal("0.0025")), free_units=Decimal(1000)))),
                usage=used("calls", *JUNE, 123_456),
            )
        ),
        "usage by model, topped up": explained(
            lines_of(
                ALL_JUNE, plan(calls(Price(BY_MODEL, min_amount=Decimal(20)))), usage=used("calls", *JUNE, by_model)
            )
        ),
        "half a month": explained(lines_of(half, fee)),
        "a month with a change of seats": explained(lines_of(changed, plan(seats("10.00")))[:1]),
        "a part that is no whole number of days": explained(lines_of(at_noon, fee)),
        "days of a zone": explained(lines_of(june_in_berlin, fee, zone=berlin), zone=berlin),
        "days by policy": explained(lines_of(half, fee, policy=profile("zuora"))),
        "whole days in minutes": explained(lines_of(half, fee, policy=profile("paddle"))),
        "minutes by policy": explained(lines_of(at_noon, fee, policy=profile("paddle"))),
        "a rounded share": explained(lines_of(half, fee, policy=profile("killbill"))),
        "milliseconds by policy": explained(lines_of(half, fee, policy=profile("chargebee-ms"))),
        "yen": explained(lines_of(at_noon, plan(base("1000"), currency="JPY")), currency="JPY"),
        "a discount": explained(lines_of(item(phase(*JUNE), discount="12.5"), fee)),
        "a discount on a part": explained(
            lines_of(item(phase("2026-06-11", "2026-07-01"), anchor="2026-06-01", discount="10"), fee)
        ),
        "a commitment": explained(lines_of(ALL_JUNE, plan(base("100.00"), commitment("250.00")))[1:]),
        "a commitment for half a month": explained(lines_of(half, plan(setup("20.00"), commitment("250.00")))[1:]),
        "a correction: seats were added": explained(
            lines_of(changed, plan(seats("10.00")), billed=billed("seats", 5_000))[:1]
        ),
        "a correction: the month was cut short": explained(lines_of(at_noon, fee, billed=billed("base", 10_000))),
        "a correction: late usage": explained(
            lines_of(ALL_JUNE, plan(calls("0.50")), usage=used("calls", *JUNE, 42), billed=billed("calls", 2_000))
        ),
        "no longer owed": explained(settle([], billed("base", 10_000), now=at("2026-07-01"))),
    }
    return "\n".join("\n".join([f"{title}:", *lines, ""]) for title, lines in sections.items())


def test_lines_are_explained_in_words_and_arithmetic() -> None:
    assert page() == PAGE.read_text(encoding="utf-8")

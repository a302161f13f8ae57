"""The published data that the demo bills (see data/README.md), and the rules by which it is read as a business."""

import csv
import hashlib
import lzma
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib import resources
from io import TextIOWrapper
from types import MappingProxyType
from typing import Final, NamedTuple

from tenor.kernel.calendar import Grid, Interval, Unit, period_at, shift_months
from tenor.kernel.period import parse_instant

TRACES: Final = ("azure-llm-2023-code.csv", "azure-llm-2023-conv.csv")
SUBSCRIBERS: Final = "telco-subscribers.csv"

ATTRIBUTION: Final = (
    "Requests: Azure Public Dataset, “Azure LLM inference trace 2023” (Patel et al., Splitwise, ISCA 2024), CC-BY 4.0.",
    "Subscribers: IBM sample data set “Telco Customer Churn”.",
)

REFERENCE: Final = datetime(2023, 10, 1, tzinfo=UTC)
"""The day on which the subscribers' file is taken to have been written: the engine bills them from then on."""

TERM_MONTHS: Final = MappingProxyType({"Month-to-month": 1, "One year": 12, "Two year": 24})
"""How long each kind of contract runs before it renews itself."""

_DRAW_BITS: Final = 32


class Request(NamedTuple):
    """A request to an inference service. `row` counts the data rows of `file` from 1."""

    file: str
    row: int
    at: datetime
    input_tokens: int
    output_tokens: int

    def customer_number(self, *, customers: int) -> int:
        """Return whose request it is, from 1 to `customers`: 1 + ⌊customers × u²⌋.

        u is the first 32 bits of SHA-256("file:row") as a fraction of 2³². The square gives the first
        customers most of the traffic, as it is in life, so that every price tier is reached by someone.
        """
        digest = hashlib.sha256(f"{self.file}:{self.row}".encode()).digest()
        draw = int.from_bytes(digest[: _DRAW_BITS // 8])
        return 1 + (customers * draw * draw >> 2 * _DRAW_BITS)


class Subscriber(NamedTuple):
    """A subscriber to a telephone company, as of `REFERENCE`. `monthly_charge` is in dollars."""

    customer_id: str
    tenure_months: int
    contract: str
    monthly_charge: Decimal
    has_left: bool

    @property
    def anchor_at(self) -> datetime:
        """When the contract began: the reference day less the tenure."""
        first = shift_months(REFERENCE.date(), -self.tenure_months, day_of_month=REFERENCE.day)
        return _midnight(first)

    @property
    def ends_at(self) -> datetime | None:
        """When service ends for one who has left: at the end of the term that runs on the reference day."""
        if not self.has_left:
            return None
        term = Interval(Unit.MONTH, TERM_MONTHS[self.contract])
        return period_at(Grid(term, anchor=self.anchor_at, zone=UTC), REFERENCE).end

    def is_active(self, at: datetime) -> bool:
        """Whether the subscriber is served at an instant from the reference day on."""
        return self.ends_at is None or at < self.ends_at


def read_requests(*, every: int) -> Iterator[Request]:
    """Yield every `every`-th request of both traces, in the order of the files."""
    for file in TRACES:
        for row, cells in _rows(file, every=every):
            at = parse_instant(f"{cells['TIMESTAMP']}Z")
            yield Request(file, row, at, int(cells["ContextTokens"]), int(cells["GeneratedTokens"]))


def read_subscribers(*, every: int) -> list[Subscriber]:
    """Return every `every`-th subscriber, in the order of the file."""
    return [
        Subscriber(
            customer_id=cells["customerID"],
            tenure_months=int(cells["tenure"]),
            contract=cells["Contract"],
            monthly_charge=Decimal(cells["MonthlyCharges"]),
            has_left=cells["Churn"] == "Yes",
        )
        for _, cells in _rows(SUBSCRIBERS, every=every)
    ]


def read_price_book_file(name: str) -> bytes:
    """Return a price book of the demo."""
    return resources.files("tenor.demo").joinpath("price_books", name).read_bytes()


def _rows(file: str, *, every: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield data rows with their numbers from 1. The csv reader sees the line ends: CRLF, and a last line without."""
    packed = resources.files("tenor.demo").joinpath("data", f"{file}.xz")
    with packed.open("rb") as raw, lzma.open(raw) as plain, TextIOWrapper(plain, "ascii", newline="") as text:
        for row, cells in enumerate(csv.DictReader(text), start=1):
            if row % every == 0:
                yield row, cells


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)

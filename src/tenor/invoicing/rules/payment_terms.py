"""Payment terms: the day by which an issued document is to be paid."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from tenor.kernel.errors import Malformed

DAYS_MAX: Final = 365


class TermsKind(StrEnum):
    """From which day the days to pay are counted."""

    NET = "net"  # from the day of issue
    END_OF_MONTH = "end_of_month"  # from the last day of the month of issue


class MalformedPaymentTerms(Malformed):
    """Payment terms that name no day, or a day too far away."""

    code = "malformed_payment_terms"


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """`days` after the day of issue, or after the end of its month; 0 to 365.

    Raises:
        MalformedPaymentTerms: the kind or the number of days is not one of these.
    """

    kind: TermsKind
    days: int

    def __post_init__(self) -> None:
        if self.kind not in tuple(TermsKind):
            raise MalformedPaymentTerms(f"payment terms are {' or '.join(TermsKind)}, not {self.kind!r}")
        if type(self.days) is not int or not 0 <= self.days <= DAYS_MAX:
            raise MalformedPaymentTerms(f"payment terms are a whole number of 0 to {DAYS_MAX} days, not {self.days!r}")

    def due_on(self, issued: date) -> date:
        """Return the last day on which a document issued on the civil day `issued` is paid in time.

        An instant counts as the day that it shows in its own zone: convert it to the zone of the customer before.

        Raises:
            MalformedPaymentTerms: an instant without a zone is on no civil day.
        """
        day = _civil_day(issued)
        counted_from = end_of_month(day) if self.kind == TermsKind.END_OF_MONTH else day
        return counted_from + timedelta(days=self.days)


def end_of_month(day: date) -> date:
    """Return the last day of the month of `day`."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def _civil_day(issued: date) -> date:
    if not isinstance(issued, datetime):
        return issued
    if issued.tzinfo is None:
        raise MalformedPaymentTerms(f"{issued.isoformat()} has no zone, so it is on no civil day")
    return issued.date()

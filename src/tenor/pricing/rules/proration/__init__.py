"""Proration: the share of a period that was used, and what it costs.

Documents are made of shares alone (`shares`), and `direction` tells an upgrade from a downgrade. All else is how
other systems come to their lines for a change, a cancellation or moved seats: it answers their cases
(`tenor.conformance`), and no document is made by it. Worked tables: docs/algorithms/proration.md.
"""

from tenor.pricing.rules.proration.changes import (
    AnchorMove,
    ChangedKind,
    ChangeLines,
    Direction,
    ItemLine,
    PriceChange,
    anchor_move,
    change_lines,
    direction,
    netted,
)
from tenor.pricing.rules.proration.credits import (
    AllocatedCredit,
    InvoicedLine,
    ItemCredit,
    allocate_credits,
    capped,
)
from tenor.pricing.rules.proration.seats import QuantityChange, seat_units
from tenor.pricing.rules.proration.shares import (
    PeriodWithoutLength,
    Share,
    billed_days,
    exact_part,
    round_part,
    share_minor,
    share_of,
    share_of_grant,
    share_of_year,
)
from tenor.pricing.rules.proration.termination import (
    TerminatedCharge,
    TerminationCredit,
    UnusedTime,
    termination_credit,
)

__all__ = [
    "AllocatedCredit",
    "AnchorMove",
    "ChangeLines",
    "ChangedKind",
    "Direction",
    "InvoicedLine",
    "ItemCredit",
    "ItemLine",
    "PeriodWithoutLength",
    "PriceChange",
    "QuantityChange",
    "Share",
    "TerminatedCharge",
    "TerminationCredit",
    "UnusedTime",
    "allocate_credits",
    "anchor_move",
    "billed_days",
    "capped",
    "change_lines",
    "direction",
    "exact_part",
    "netted",
    "round_part",
    "seat_units",
    "share_minor",
    "share_of",
    "share_of_grant",
    "share_of_year",
    "termination_credit",
]

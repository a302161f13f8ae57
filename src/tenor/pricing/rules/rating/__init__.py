"""Rating: what one charge costs for its usage of one period, with every step of the arithmetic.

`rate` is the whole rule in its one order. `explain` renders the steps, stored or fresh, as words and arithmetic.
Worked tables: docs/algorithms/rating.md.
"""

from tenor.pricing.rules.rating.arrival import Arrival, quote_event, rate_on_arrival
from tenor.pricing.rules.rating.models import parts_of
from tenor.pricing.rules.rating.pipeline import CreditsExceedAmount, Rated, rate, top_up
from tenor.pricing.rules.rating.trace import (
    PRICED,
    Step,
    StepKind,
    explain,
    line_amounts,
    step_from_json,
    steps_to_json,
)
from tenor.pricing.rules.rating.usage import (
    RUNNING_TOTAL,
    UNROUNDED,
    WHOLE_PERIOD,
    MoneyRounding,
    QuotaWindow,
    Segment,
    Usage,
    UsageEvent,
    UsageWindow,
)
from tenor.pricing.rules.rating.windows import window_starts

__all__ = [
    "PRICED",
    "RUNNING_TOTAL",
    "UNROUNDED",
    "WHOLE_PERIOD",
    "Arrival",
    "CreditsExceedAmount",
    "MoneyRounding",
    "QuotaWindow",
    "Rated",
    "Segment",
    "Step",
    "StepKind",
    "Usage",
    "UsageEvent",
    "UsageWindow",
    "explain",
    "line_amounts",
    "parts_of",
    "quote_event",
    "rate",
    "rate_on_arrival",
    "step_from_json",
    "steps_to_json",
    "top_up",
    "window_starts",
]

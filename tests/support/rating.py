"""Rating a single charge, in the exact context that a bill run enters once for all of them."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

from tenor.kernel.money import EXACT
from tenor.pricing.charges import Price
from tenor.pricing.policy import RatingPolicy
from tenor.pricing.rules.rating import WHOLE_PERIOD, MoneyRounding, Rated, Segment, Usage, rate


def rate_exactly(
    price: Price,
    usage: Usage,
    policy: RatingPolicy,
    rounding: MoneyRounding,
    *,
    segment: Segment = WHOLE_PERIOD,
    draws: Sequence[Decimal] = (),
) -> Rated:
    """Return what a charge costs; see `rate`."""
    with localcontext(EXACT):
        return rate(price, usage, policy, rounding, segment=segment, draws=draws)

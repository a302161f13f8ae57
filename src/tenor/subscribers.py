"""Subscribers: who follows which event inside the transaction that publishes it.

Every process that does business opens its database with these, and a bill run hands them to its workers.
"""

from typing import Final

from tenor.invoicing import bill_ordered_top_ups
from tenor.platform.unit_of_work import Subscribers
from tenor.subscriptions import forget_metadata

SUBSCRIBERS: Final[Subscribers] = {
    "customer.erased": (forget_metadata,),
    "wallet.top_up_ordered": (bill_ordered_top_ups,),
}

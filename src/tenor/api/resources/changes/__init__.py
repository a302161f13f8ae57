"""What a subscription can be asked to become: one body for each kind of change, and the operation that makes it."""

from typing import Annotated

from pydantic import Field

from tenor.api.resources.changes.frame import BillingOfChange, Decided, Prices, Quantities
from tenor.api.resources.changes.holding import (
    AddAddOn,
    ApplyDiscount,
    ChangePlan,
    ChangePrices,
    ChangeQuantity,
    MoveToContract,
    RemoveAddOn,
    RemoveDiscount,
)
from tenor.api.resources.changes.life import (
    Cancel,
    ConvertTrial,
    EndTrial,
    ExtendTerm,
    ExtendTrial,
    MoveAnchor,
    Pause,
    Renew,
    Resume,
    ShortenTerm,
    TransferToCustomer,
    Undo,
)

SubscriptionChange = Annotated[
    ChangePlan
    | ChangeQuantity
    | ChangePrices
    | AddAddOn
    | RemoveAddOn
    | MoveToContract
    | ApplyDiscount
    | RemoveDiscount
    | Pause
    | Resume
    | Cancel
    | Undo
    | Renew
    | ExtendTerm
    | ShortenTerm
    | MoveAnchor
    | TransferToCustomer
    | ExtendTrial
    | ConvertTrial
    | EndTrial,
    Field(discriminator="kind"),
]
"""Every kind of change."""

__all__ = ["BillingOfChange", "Decided", "Prices", "Quantities", "SubscriptionChange"]

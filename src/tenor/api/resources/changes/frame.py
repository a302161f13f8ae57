"""What all changes of a subscription share: how they are billed, when they take effect, on which version they rest."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias, TypedDict

from pydantic import Field
from pydantic_core import PydanticCustomError

from tenor.api.bodies import Body, Code, EffectiveIn, Line, PriceIn, QuantityIn
from tenor.kernel.ids import ItemId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Closing, Subscription, find_add_on

CLOSINGS: Final = {"none": Closing.WHOLE, "prorated": Closing.PRORATED, "full": Closing.FREE}

Credit = Literal["none", "prorated", "full"]
"""What is given back of the period that is cut."""
Quantities: TypeAlias = Annotated[dict[Code, QuantityIn], Field(max_length=100)]
"""Units of seat charges by charge code."""
Prices: TypeAlias = Annotated[dict[Code, PriceIn], Field(max_length=100)]
"""Unit prices that overrule the plan's, by charge code."""


class Decided(TypedDict):
    """What every operation is told of a change: the version that it was decided on, when, by whom and why."""

    version: int
    now: datetime
    actor: str
    reason: str


class BillingOfChange(Body):
    """How a change is billed, and why it is made."""

    invoice: Annotated[bool, Field(description="Invoice at once what the change comes to.")] = False
    quote: Annotated[Line | None, Field(description="The quote of this very change: it costs what was quoted.")] = None
    reason: Line | None = None


class ChangeBody(BillingOfChange):
    """What all changes say: also the version that they were decided on."""

    version: Annotated[int | None, Field(ge=0, description="Refused when it is another by now.")] = None


class Dated(ChangeBody):
    """A change that takes effect now, at the end of the period, or at an instant, past or ahead."""

    effective: EffectiveIn = "now"


def named_add_on(uow: UnitOfWork, held: Subscription, reference: str | None) -> ItemId | None:
    """Return the id of the add-on that a body names; None where it names none."""
    return None if reference is None else find_add_on(uow, held.id, reference)


def require_one(body: Body, *names: str) -> None:
    """Refuse a body that says none, or several, of these things."""
    if [getattr(body, name) is not None for name in names].count(True) != 1:
        raise PydanticCustomError("contradiction", "give one of {names}", {"names": " and ".join(names)})

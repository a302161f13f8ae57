"""What a subscription can be asked to become: one body for each kind of change, and the operation that makes it."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias, TypedDict

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tenor.api.bodies import (
    Body,
    Code,
    EffectiveIn,
    ExternalId,
    InstantIn,
    LengthIn,
    Line,
    PriceIn,
    QuantityIn,
    Reference,
)
from tenor.customers import find_customer
from tenor.kernel.ids import ItemId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    BillingDate,
    Closing,
    Cycles,
    PriceStep,
    Subscription,
    add_add_on,
    apply_discount,
    cancel,
    change_plan,
    change_prices,
    change_quantity,
    convert_trial,
    end_trial,
    extend_term,
    extend_trial,
    find_add_on,
    find_discount,
    move_anchor,
    pause,
    remove_add_on,
    remove_discount,
    renew,
    resume,
    shorten_term,
    transfer,
    undo_change,
)

_CLOSINGS: Final = {"none": Closing.WHOLE, "prorated": Closing.PRORATED, "full": Closing.FREE}

Credit = Literal["none", "prorated", "full"]
"""What is given back of the period that is cut."""
Quantities: TypeAlias = Annotated[dict[Code, QuantityIn], Field(max_length=100)]
"""Units of seat charges by charge code."""
Prices: TypeAlias = Annotated[dict[Code, PriceIn], Field(max_length=100)]
"""Unit prices that overrule the plan's, by charge code."""
BillingDateIn = Literal["keep", "restart", "shift"]


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


class ChangePlan(Dated):
    """Another plan, or the newest edition of the one that is there."""

    kind: Literal["change_plan"]
    plan: Code
    by_policy: Annotated[bool, Field(description="When, says the profile; `effective` is not looked at.")] = False
    quantities: Quantities = Field(default_factory=dict)
    prices: Prices = Field(default_factory=dict)
    credit: Credit = "prorated"
    add_on: Reference | None = None

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return change_plan(
            uow,
            held.id,
            plan=self.plan,
            effective=None if self.by_policy else self.effective,
            quantities=self.quantities,
            prices=self.prices,
            closing=_CLOSINGS[self.credit],
            add_on=_add_on(uow, held, self.add_on),
            **decided,
        )


class ChangeQuantity(Dated):
    """Other units of seat charges."""

    kind: Literal["change_quantity"]
    quantities: Annotated[Quantities, Field(min_length=1)]
    decrease: Annotated[Literal["now", "renewal"], Field(description="When fewer units take effect.")] = "now"
    add_on: Reference | None = None

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return change_quantity(
            uow,
            held.id,
            quantities=self.quantities,
            effective=self.effective,
            decrease=self.decrease,
            add_on=_add_on(uow, held, self.add_on),
            **decided,
        )


class Step(Body):
    """Prices from an instant on; null: the plan's own again."""

    effective: EffectiveIn
    prices: Annotated[dict[Code, PriceIn | None], Field(min_length=1, max_length=100)]


class ChangePrices(ChangeBody):
    """Other unit prices, at once or as a ramp of steps."""

    kind: Literal["change_prices"]
    steps: Annotated[list[Step], Field(min_length=1, max_length=100)]
    add_on: Reference | None = None

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        steps = [PriceStep(step.effective, step.prices) for step in self.steps]
        return change_prices(uow, held.id, steps=steps, add_on=_add_on(uow, held, self.add_on), **decided)


class AddAddOn(Dated):
    """A plan to run beside."""

    kind: Literal["add_add_on"]
    plan: Code
    quantities: Quantities = Field(default_factory=dict)
    prices: Prices = Field(default_factory=dict)
    anchor: Annotated[Literal["plan", "own"], Field(description="Renew with the plan, or on its own dates.")] = "plan"

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return add_add_on(
            uow,
            held.id,
            plan=self.plan,
            effective=self.effective,
            quantities=self.quantities,
            prices=self.prices,
            anchor=self.anchor,
            **decided,
        )


class RemoveAddOn(ChangeBody):
    """The end of an add-on, which is named by its plan or its id."""

    kind: Literal["remove_add_on"]
    effective: EffectiveIn = "period_end"
    add_on: Reference
    credit: Credit = "prorated"

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return remove_add_on(
            uow,
            held.id,
            add_on=find_add_on(uow, held.id, self.add_on),
            effective=self.effective,
            closing=_CLOSINGS[self.credit],
            **decided,
        )


class ApplyDiscount(Dated):
    """A coupon, or a promotion code of one."""

    kind: Literal["apply_discount"]
    coupon: Line | None = None
    promotion_code: Line | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "ApplyDiscount":
        _require_one(self, "coupon", "promotion_code")
        return self

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return apply_discount(
            uow,
            held.id,
            coupon=self.coupon,
            promotion_code=self.promotion_code,
            effective=self.effective,
            **decided,
        )


class RemoveDiscount(Dated):
    """The end of a discount, by the code of its coupon or its id. What it took off already stays so."""

    kind: Literal["remove_discount"]
    discount: Reference

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        discount = find_discount(uow, held.id, self.discount)
        return remove_discount(uow, held.id, discount=discount, effective=self.effective, **decided)


class Pause(Dated):
    """No service and no billing, until an instant, for some billing periods, or until it is resumed."""

    kind: Literal["pause"]
    until: InstantIn | None = None
    cycles: Annotated[int | None, Field(ge=1, le=1_000)] = None
    unused_time: Annotated[
        Literal["credit", "none", "extend"], Field(description="What becomes of time that is paid ahead.")
    ] = "credit"
    billing_date: BillingDateIn | None = None
    extend_term: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> "Pause":
        if self.until is not None and self.cycles is not None:
            raise PydanticCustomError(
                "contradiction", "`until` and `cycles` both say when it goes on; give one of them"
            )
        return self

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return pause(
            uow,
            held.id,
            effective=self.effective,
            until=self.until if self.cycles is None else Cycles(self.cycles),
            unused_time=self.unused_time,
            billing_date=_billing_date(self.billing_date),
            extends_term=self.extend_term,
            **decided,
        )


class Resume(Dated):
    """Service and billing go on, earlier or later than the pause was to end."""

    kind: Literal["resume"]
    billing_date: BillingDateIn | None = None
    extend_term: bool | None = None

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return resume(
            uow,
            held.id,
            effective=self.effective,
            billing_date=_billing_date(self.billing_date),
            extends_term=self.extend_term,
            **decided,
        )


class Cancel(ChangeBody):
    """The end. The next run credits what was paid beyond it."""

    kind: Literal["cancel"]
    effective: EffectiveIn = "period_end"
    credit: Credit = "prorated"

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return cancel(uow, held.id, effective=self.effective, closing=_CLOSINGS[self.credit], **decided)


class Undo(ChangeBody):
    """An entry of the journal is taken back, also a cancellation; one that has taken effect only if it is said so."""

    kind: Literal["undo"]
    entry: Annotated[int, Field(ge=1, le=2**31)]
    backdated: bool = False

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return undo_change(uow, held.id, entry=self.entry, is_backdated=self.backdated, **decided)


class Renew(ChangeBody):
    """Another term follows the one that is agreed; of its length where none is said."""

    kind: Literal["renew"]
    length: LengthIn | None = None

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return renew(uow, held.id, by=self.length, **decided)


class ExtendTerm(ChangeBody):
    """The term ends later: by a length, at an instant, or never (`forever`)."""

    kind: Literal["extend_term"]
    by: LengthIn | None = None
    until: InstantIn | None = None
    forever: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> "ExtendTerm":
        if [self.by is not None, self.until is not None, self.forever].count(True) != 1:
            raise PydanticCustomError("contradiction", "say how far by one of `by`, `until` and `forever`")
        return self

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return extend_term(uow, held.id, by=self.by if self.by is not None else self.until, **decided)


class ShortenTerm(ChangeBody):
    """The term ends earlier."""

    kind: Literal["shorten_term"]
    until: InstantIn

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return shorten_term(uow, held.id, ends_at=self.until, **decided)


class MoveAnchor(ChangeBody):
    """Other billing dates: a day of the month, or the instant from which periods count."""

    kind: Literal["move_anchor"]
    effective: EffectiveIn = "period_end"
    day: Annotated[int | None, Field(ge=1, le=31)] = None
    instant: InstantIn | None = None
    add_on: Reference | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "MoveAnchor":
        _require_one(self, "day", "instant")
        return self

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        to = self.day if self.instant is None else self.instant
        assert to is not None  # noqa: S101  one of the two is there, as was required
        add_on = _add_on(uow, held, self.add_on)
        return move_anchor(uow, held.id, to=to, effective=self.effective, add_on=add_on, **decided)


class Transfer(Dated):
    """Another customer goes on with it; the rest of the period here is credited."""

    kind: Literal["transfer"]
    customer: Reference
    external_id: ExternalId
    anchor: Literal["keep", "restart"] = "keep"

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change; returns the subscription of the other customer."""
        return transfer(
            uow,
            held.id,
            to=find_customer(uow, self.customer).id,
            external_id=self.external_id,
            effective=self.effective,
            anchor=self.anchor,
            **decided,
        )


class ExtendTrial(ChangeBody):
    """The trial ends later."""

    kind: Literal["extend_trial"]
    until: InstantIn

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return extend_trial(uow, held.id, ends_at=self.until, **decided)


class ConvertTrial(Dated):
    """The trial ends, and goes over into the paid plan."""

    kind: Literal["convert_trial"]

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return convert_trial(uow, held.id, effective=self.effective, **decided)


class EndTrial(Dated):
    """The trial ends, and the subscription with it."""

    kind: Literal["end_trial"]

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return end_trial(uow, held.id, effective=self.effective, **decided)


SubscriptionChange = Annotated[
    ChangePlan
    | ChangeQuantity
    | ChangePrices
    | AddAddOn
    | RemoveAddOn
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
    | Transfer
    | ExtendTrial
    | ConvertTrial
    | EndTrial,
    Field(discriminator="kind"),
]
"""Every kind of change."""


def _add_on(uow: UnitOfWork, held: Subscription, reference: str | None) -> ItemId | None:
    return None if reference is None else find_add_on(uow, held.id, reference)


def _billing_date(given: BillingDateIn | None) -> BillingDate | None:
    return None if given is None else BillingDate(given)


def _require_one(body: Body, *names: str) -> None:
    if [getattr(body, name) is not None for name in names].count(True) != 1:
        raise PydanticCustomError("contradiction", "give one of {names}", {"names": " and ".join(names)})

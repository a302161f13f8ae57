"""What a customer has: plan, quantities, prices, add-ons, discounts."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tenor.api.bodies import Body, Code, EffectiveIn, Line, PriceIn, Reference
from tenor.api.resources.changes.frame import (
    CLOSINGS,
    ChangeBody,
    Credit,
    Dated,
    Decided,
    Prices,
    Quantities,
    named_add_on,
    require_one,
)
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    PriceStep,
    Subscription,
    add_add_on,
    apply_discount,
    change_plan,
    change_prices,
    change_quantity,
    find_add_on,
    find_discount,
    move_to_contract,
    remove_add_on,
    remove_discount,
)


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
            closing=CLOSINGS[self.credit],
            add_on=named_add_on(uow, held, self.add_on),
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
            add_on=named_add_on(uow, held, self.add_on),
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
        return change_prices(uow, held.id, steps=steps, add_on=named_add_on(uow, held, self.add_on), **decided)


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
            closing=CLOSINGS[self.credit],
            **decided,
        )


class MoveToContract(Dated):
    """A contract of the customer, or the amended version of the one that it is on; the newest by default."""

    kind: Literal["move_to_contract"]
    contract: Code
    contract_version: Annotated[int | None, Field(ge=1, lt=2**31)] = None

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        return move_to_contract(
            uow,
            held.id,
            contract=self.contract,
            contract_version=self.contract_version,
            effective=self.effective,
            **decided,
        )


class ApplyDiscount(Dated):
    """A coupon, or a promotion code of one."""

    kind: Literal["apply_discount"]
    coupon: Line | None = None
    promotion_code: Line | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "ApplyDiscount":
        require_one(self, "coupon", "promotion_code")
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

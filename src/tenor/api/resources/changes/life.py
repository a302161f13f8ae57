"""Whether and when a subscription runs: pauses, its end, terms, trials, billing dates, whose it is."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tenor.api.bodies import EffectiveIn, ExternalId, InstantIn, LengthIn, Reference
from tenor.api.resources.changes.frame import (
    CLOSINGS,
    ChangeBody,
    Credit,
    Dated,
    Decided,
    named_add_on,
    require_one,
)
from tenor.customers import customer_id_of
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    BillingDate,
    Cycles,
    Subscription,
    cancel,
    convert_trial,
    end_trial,
    extend_term,
    extend_trial,
    move_anchor,
    pause,
    renew,
    resume,
    shorten_term,
    transfer,
    undo_change,
)

BillingDateIn = Literal["keep", "restart", "shift"]


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
        return cancel(uow, held.id, effective=self.effective, closing=CLOSINGS[self.credit], **decided)


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
        require_one(self, "day", "instant")
        return self

    def make(self, uow: UnitOfWork, held: Subscription, decided: Decided) -> Subscription:
        """Make the change."""
        to = self.day if self.instant is None else self.instant
        assert to is not None  # noqa: S101  one of the two is there, as was required
        add_on = named_add_on(uow, held, self.add_on)
        return move_anchor(uow, held.id, to=to, effective=self.effective, add_on=add_on, **decided)


class TransferToCustomer(Dated):
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
            to=customer_id_of(uow, self.customer),
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


def _billing_date(given: BillingDateIn | None) -> BillingDate | None:
    return None if given is None else BillingDate(given)

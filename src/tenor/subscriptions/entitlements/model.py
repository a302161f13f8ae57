"""Entitlements: what a customer may use at an instant, and what that follows from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tenor.kernel.ids import CustomerId, OverrideId, SubscriptionId
from tenor.subscriptions.model import PhaseState, Status


class Access(StrEnum):
    """What may be done with a feature."""

    FULL = "full"
    READ_ONLY = "read_only"  # what is there may be seen and fetched, nothing more be made of it
    NONE = "none"


class Reason(StrEnum):
    """Why an entitlement is as it is."""

    IN_PLAN = "in_plan"  # a plan or an add-on that runs grants it
    OVERRIDDEN = "overridden"  # a person granted it
    DENIED = "denied"  # a person denied it
    NOT_GRANTED = "not_granted"  # nothing that runs grants it
    PAST_DUE = "past_due"  # a plan grants it, and this state says what is left of it
    PAUSED = "paused"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a customer may do with a feature. `limit` None is unlimited, 0 where there is no access.

    `source` names what it rests on, in words: plan versions with their subscriptions, or an override with its actor.
    """

    feature: str
    access: Access
    limit: Decimal | None
    reason: Reason
    source: str

    @property
    def allowed(self) -> bool:
        """Whether the feature may be used; reading alone is not use."""
        return self.access is Access.FULL


class Running(NamedTuple):
    """A plan or add-on that runs at an instant: its subscription, with the state that it has, and its phase's.

    `plan` names the plan version in words. `limits` are what it grants, by feature; None is unlimited.
    """

    subscription_id: SubscriptionId
    subscription: str
    status: Status
    state: PhaseState
    plan: str
    limits: Mapping[str, Decimal | None]


class Override(NamedTuple):
    """What a person decided about a feature, as far as it holds at an instant; the highest `override_no` is the newest.

    `subscription_id` None: for all of the customer, whatever runs. `limit` None is unlimited.
    """

    id: OverrideId
    override_no: int
    subscription_id: SubscriptionId | None
    feature: str
    is_granted: bool
    limit: Decimal | None
    actor: str
    reason: str


class Facts(NamedTuple):
    """All that decides about a customer's features at an instant. `access` is what states leave of them."""

    running: tuple[Running, ...]
    overrides: tuple[Override, ...]
    access: Mapping[Status, Access]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOverride:
    """A request to grant a feature to a customer, up to `limit` (None: unlimited), or to deny it.

    It holds in [starts_at, ends_at), None: from now, for good. `subscription_id` None: for all of the customer.
    """

    customer_id: CustomerId
    feature: str
    is_granted: bool = True
    limit: Decimal | None = None
    subscription_id: SubscriptionId | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

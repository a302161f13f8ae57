"""Subscriptions: lifecycle, journal, timeline and the changes a subscription can live through."""

from tenor.subscriptions.changing import Effective
from tenor.subscriptions.errors import (
    ExternalIdTaken,
    OutsideLife,
    Problem,
    SubscriptionNotFound,
    SubscriptionsRefused,
    TermsRefused,
    TransitionRefused,
    VersionConflict,
)
from tenor.subscriptions.lifecycle import MOVES, Trigger, diagram, next_status
from tenor.subscriptions.model import (
    BillingPosition,
    Cancelled,
    Change,
    ChangeKind,
    Facts,
    Item,
    NewSubscription,
    Phase,
    PlanChanged,
    QuantityChanged,
    Status,
    Subscribed,
    Subscription,
    Terms,
    Timeline,
)
from tenor.subscriptions.operations.advance import advance
from tenor.subscriptions.operations.cancel import cancel
from tenor.subscriptions.operations.change_plan import change_plan
from tenor.subscriptions.operations.change_quantity import change_quantity
from tenor.subscriptions.operations.subscribe import subscribe
from tenor.subscriptions.queries import (
    Drift,
    Standing,
    billed_currencies,
    find_subscription,
    load_items,
    subscription_ids,
    timeline_drift,
)
from tenor.subscriptions.rules.grid import billing_grid
from tenor.subscriptions.rules.timeline import fold, item_at, phase_at
from tenor.subscriptions.store.journal import journals
from tenor.subscriptions.store.positions import (
    DueBatch,
    LateUsage,
    Settled,
    due_batches,
    due_subscriptions,
    lock_positions,
    mark_late_usage,
    mark_news,
    save_positions,
)

__all__ = [
    "MOVES",
    "BillingPosition",
    "Cancelled",
    "Change",
    "ChangeKind",
    "Drift",
    "DueBatch",
    "Effective",
    "ExternalIdTaken",
    "Facts",
    "Item",
    "LateUsage",
    "NewSubscription",
    "OutsideLife",
    "Phase",
    "PlanChanged",
    "Problem",
    "QuantityChanged",
    "Settled",
    "Standing",
    "Status",
    "Subscribed",
    "Subscription",
    "SubscriptionNotFound",
    "SubscriptionsRefused",
    "Terms",
    "TermsRefused",
    "Timeline",
    "TransitionRefused",
    "Trigger",
    "VersionConflict",
    "advance",
    "billed_currencies",
    "billing_grid",
    "cancel",
    "change_plan",
    "change_quantity",
    "diagram",
    "due_batches",
    "due_subscriptions",
    "find_subscription",
    "fold",
    "item_at",
    "journals",
    "load_items",
    "lock_positions",
    "mark_late_usage",
    "mark_news",
    "next_status",
    "phase_at",
    "save_positions",
    "subscribe",
    "subscription_ids",
    "timeline_drift",
]

"""Plan credits: the prepaid credit that plans promise every month, granted while a subscription is entitled to it."""

from tenor.subscriptions.plan_credits.keeping import keep_plan_credits
from tenor.subscriptions.plan_credits.store import subscriptions_with_credits

__all__ = ["keep_plan_credits", "subscriptions_with_credits"]

"""Where a subscription stands when money is missing: at the end of its trial, and while an invoice is unpaid."""

from tenor.conformance.scenario.life import Cut, Pause, Subscription, stretches
from tenor.conformance.scenario.world import World


def state_of(world: World, subscription: Subscription) -> str:
    """Return the state of a subscription now; one that is billed by itself is past due while something is unpaid."""
    state = subscription.state_at(world.now)
    is_owing = bool(world.account(subscription.customer).open_invoices)
    is_collected = world.terms.keeps_balance and not world.terms.is_account_centred
    return "past_due" if state == "active" and is_owing and is_collected else state


def end_trials(world: World, customer: str) -> None:
    """Do with trials that end now what the policy says where no payment method is known."""
    if world.buyer(customer).has_payment_method or world.terms.is_account_centred:
        return
    for subscription in world.subscriptions_of(customer):
        ended = [entry.opened_by is Cut.PHASE for entry in stretches(subscription) if entry.start == world.now]
        if not any(ended) or subscription.start == world.now:
            continue
        match world.terms.policy.states.missing_payment_method:
            case "cancel":
                subscription.access_end = subscription.billing_end = subscription.cancelled_at = world.now
            case "pause":
                subscription.pauses.append(Pause(world.now))
            case "create_invoice":
                pass

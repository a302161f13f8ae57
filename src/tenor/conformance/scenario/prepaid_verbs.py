"""Verbs of prepaid credits: a wallet is made, credits are bought, granted and voided."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tenor.conformance.scenario import prepaid
from tenor.conformance.scenario.documents import Account
from tenor.conformance.scenario.prepaid_wallet import PrepaidWallet, TopUpRule
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.strict import NotRunnable, StepRefused, only
from tenor.conformance.scenario.world import World
from tenor.kernel.quantity import parse_decimal

_FINE_DIGITS: Final = 30
"""Credits may be written with the noise of binary fractions; their money is rounded."""
_LIMITS: Final = frozenset({"metrics"})
_RULE: Final = frozenset({"trigger", "threshold_credits", "method", "paid_credits", "ignore_limits"})


def create_wallet(world: World, step: Step) -> None:
    """Open a wallet, with credits granted where the step says so; it pays for what it is limited to."""
    body = step.body
    limits, rules = only(body.get("limited_to", {}), _LIMITS, "wallet"), body.get("rules", ())
    if len(rules) > 1:
        raise NotRunnable(f"step {step.number}: a wallet with {len(rules)} rules")
    wallet = PrepaidWallet(
        rate=parse_decimal(body["rate"], name="rate"),
        metrics=frozenset(limits["metrics"]) if "metrics" in limits else None,
        rule=_rule(rules[0]) if rules else None,
        min_top_up=parse_decimal(body.get("min_top_up", "0"), name="min_top_up"),
    )
    world.wallets.setdefault(body["customer"], []).append(wallet)
    if "granted" in body:
        prepaid.put_in(world, wallet, _credits(body["granted"]), category="promotional")


def grant_credits(world: World, step: Step) -> None:
    """Grant credits."""
    _, wallet = _wallet(world)
    prepaid.put_in(world, wallet, _credits(step.body["amount"]), category="promotional")


def buy_credits(world: World, step: Step) -> None:
    """Buy credits: they are invoiced, and come into the wallet when that is paid."""
    account, wallet = _wallet(world)
    prepaid.buy(world, account, wallet, _credits(step.body["amount"]))


def void_credits(world: World, step: Step) -> None:
    """Void credits."""
    _, wallet = _wallet(world)
    prepaid.take_out(world, wallet, _credits(step.body["amount"]))


def _rule(body: Mapping[str, Any]) -> TopUpRule:
    only(body, _RULE, "rule of a wallet")
    return TopUpRule(
        threshold=parse_decimal(body["threshold_credits"], name="threshold_credits"),
        paid=parse_decimal(body["paid_credits"], name="paid_credits"),
        ignores_limits=body.get("ignore_limits", False),
    )


def _wallet(world: World) -> tuple[Account, PrepaidWallet]:
    """Return the newest wallet of the only customer.

    Raises:
        StepRefused: it has none.
    """
    account = world.account(None)
    wallets = world.wallets_of(account.id)
    if not wallets:
        raise StepRefused(f"customer {account.id} has no wallet")
    return account, wallets[-1]


def _credits(text: object) -> Decimal:
    return parse_decimal(text, name="credits", fraction_digits=_FINE_DIGITS)

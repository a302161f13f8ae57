"""Prepaid credits of customers: bought, granted, voided, and drawn by invoices when they become final."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tenor.conformance.scenario import sums
from tenor.conformance.scenario.credit import span_of_day
from tenor.conformance.scenario.documents import ZERO, Account, Invoice, Line
from tenor.conformance.scenario.prepaid_wallet import CreditMove, PrepaidWallet, Purchase
from tenor.conformance.scenario.strict import StepRefused
from tenor.conformance.scenario.usage import current_slices, usage_so_far
from tenor.conformance.scenario.world import World
from tenor.kernel.money import RoundingMode, round_decimal
from tenor.wallets.model import Category, Grant
from tenor.wallets.rules.spending import Taken, Wallet, deposit, give_back, use_credit


def put_in(world: World, wallet: PrepaidWallet, units: Decimal, *, category: Category) -> None:
    """Put credits into a wallet: their money is rounded, and the credits are what that money is worth."""
    money = world.terms.money.apply(units * wallet.rate)
    if money <= 0:
        return
    number = str(len(wallet.money.grants) + 1)
    made = Grant(id=number, amount=money, effective_at=world.now, created_at=world.now, category=category)
    wallet.money = deposit(wallet.money, made, at=world.now, repays=False)
    _move(wallet, money, _credits_for(world, wallet, money))


def buy(world: World, account: Account, wallet: PrepaidWallet, units: Decimal) -> None:
    """Invoice credits; they come into the wallet when the invoice is paid.

    Raises:
        StepRefused: they are less than may be bought.
    """
    if units * wallet.rate < wallet.min_top_up:
        raise StepRefused(f"{units} credits are less than may be bought")
    _invoice(world, account, wallet, units)


def take_paid(world: World, account: Account) -> None:
    """Put what was bought and is paid by now into its wallet."""
    for wallet in world.wallets_of(account.id):
        paid = [entry for entry in wallet.purchases if entry.invoice.outstanding <= 0]
        wallet.purchases = [entry for entry in wallet.purchases if entry not in paid]
        for invoice, units in paid:
            invoice.state = "finalized"
            put_in(world, wallet, units, category="paid")


def take_out(world: World, wallet: PrepaidWallet, units: Decimal) -> None:
    """Void credits: they are rounded by the policy, and so is their money by itself.

    Raises:
        StepRefused: the wallet has less.
    """
    voided = _rounded(world, units)
    if voided > wallet.credits:
        raise StepRefused(f"{voided} credits are more than the {wallet.credits} that are left")
    money = min(world.terms.money.apply(voided * wallet.rate), wallet.balance(world.now))
    wallet.money, _ = _drawn(world, wallet, money, label="voided")
    _move(wallet, -money, -voided)


def draw(world: World, account: Account, invoice: Invoice) -> None:
    """Pay what is left of a final invoice from the customer's wallets, the oldest first."""
    for wallet in world.wallets_of(account.id):
        most = invoice.total if wallet.metrics is None else min(invoice.total, _share(invoice, wallet.metrics))
        money = min(most, wallet.balance(world.now))
        if money > 0:
            wallet.money, _ = _drawn(world, wallet, money, label=str(invoice.number))
            invoice.wallet_applied += money
            _move(wallet, -money, -_credits_for(world, wallet, money))


def release(world: World, account: Account, invoice: Invoice) -> None:
    """Give what a void invoice drew back to the wallets that it drew on."""
    for wallet in world.wallets_of(account.id):
        money = wallet.money.used(world.now, label=str(invoice.number))
        if money:
            wallet.money = give_back(wallet.money, money, at=world.now, label=str(invoice.number))
            _move(wallet, money, _credits_for(world, wallet, money))


def fill_up(world: World, account: Account) -> None:
    """Buy credits for wallets that have reached the threshold of their rule; what is bought and unpaid counts."""
    for wallet in world.wallets_of(account.id):
        if wallet.rule is None:
            continue
        coming = sum((entry.credits for entry in wallet.purchases), ZERO)
        short = wallet.rule.threshold - ongoing_balance(world, account, wallet) / wallet.rate - coming
        if short < 0:
            continue
        times = max(Decimal(1), round_decimal(short / wallet.rule.paid, digits=0, mode=RoundingMode.CEIL))
        if wallet.rule.ignores_limits or wallet.rule.paid * times * wallet.rate >= wallet.min_top_up:
            _invoice(world, account, wallet, wallet.rule.paid * times)


def ongoing_usage(world: World, account: Account) -> Decimal:
    """Return what drafts and the usage of the running periods come to with tax, less what thresholds have billed."""
    running = [
        line
        for subscription in world.subscriptions_of(account.id)
        for slice_ in current_slices(world, subscription)
        for line in usage_so_far(world, slice_)
    ]
    shadow = Invoice(0, account.id, world.now, state="draft", lines=running)
    sums.reckon(world, account, shadow)
    drafts = sum((invoice.gross for invoice in account.invoices if invoice.is_draft), ZERO)
    return shadow.gross + drafts


def ongoing_balance(world: World, account: Account, wallet: PrepaidWallet) -> Decimal:
    """Return what a wallet would have left if what is running were invoiced now."""
    return wallet.balance(world.now) - ongoing_usage(world, account)


def figures(world: World, account: Account) -> Mapping[str, Any]:
    """Return the figures of a customer's wallets."""
    wallets = list(world.wallets_of(account.id))
    balance = sum((wallet.balance(world.now) for wallet in wallets), ZERO)
    usage = ongoing_usage(world, account)
    return {"balance": balance, "ongoing_balance": balance - usage, "ongoing_usage": usage}


def latest_move(world: World, account: Account) -> Mapping[str, Any] | None:
    """Return the latest movement of the customer's newest wallet, without its sign."""
    moves = [move for wallet in world.wallets_of(account.id) for move in wallet.moves]
    return {"amount": abs(moves[-1].amount), "credits": abs(moves[-1].credits)} if moves else None


def _invoice(world: World, account: Account, wallet: PrepaidWallet, units: Decimal) -> None:
    state = "held" if world.terms.policy.credits.top_up_invoice == "held_until_paid" else "finalized"
    line = Line("credit_grant", world.terms.money.apply(units * wallet.rate), span_of_day(world, account))
    number = len(account.invoices) + 1
    invoice = Invoice(number, account.id, world.now, state=state, reason="top_up", lines=[line])
    account.invoices.append(invoice)
    wallet.purchases.append(Purchase(invoice, units))
    take_paid(world, account)


def _move(wallet: PrepaidWallet, money: Decimal, units: Decimal) -> None:
    wallet.credits += units
    wallet.moves.append(CreditMove(money, units))


def _drawn(world: World, wallet: PrepaidWallet, money: Decimal, *, label: str) -> tuple[Wallet, Taken]:
    order = world.terms.policy.credits.burn_order
    return use_credit(wallet.money, money, at=world.now, order=order, label=label)


def _share(invoice: Invoice, metrics: frozenset[str]) -> Decimal:
    """Return what the lines of some metrics come to, with their tax."""
    return sum((line.net + line.tax for line in invoice.lines if line.metric in metrics), ZERO)


def _credits_for(world: World, wallet: PrepaidWallet, money: Decimal) -> Decimal:
    return _rounded(world, money / wallet.rate)


def _rounded(world: World, units: Decimal) -> Decimal:
    rounding = world.terms.policy.credits.wallet_credit_rounding
    digits = world.terms.digits if rounding.digits is None else rounding.digits
    return round_decimal(units, digits=digits, mode=rounding.mode)

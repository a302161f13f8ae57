"""`tenor ledger`: the books."""

from collections.abc import Sequence

from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import ExitCode, JsonOption, TenantOption, out, print_json, refusals, stop
from tenor.cli.session import session
from tenor.kernel.money import format_minor
from tenor.ledger import TrialBalance, trial_balance
from tenor.wire import balance_json

app = command_group("Read the ledger.")


@app.callback()
def ledger() -> None:
    """Read the ledger."""


@app.command("trial-balance")
def trial_balance_command(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Print every account with both its sides. Ends with 1 when debits and credits differ."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            balance = trial_balance(uow)
        unbalanced = [currency for currency in balance.currencies if balance.difference_minor(currency)]
        if as_json:
            print_json(balance_json(balance))
        else:
            print_balance(balance, unbalanced)
    if unbalanced:
        raise stop(ExitCode.FOUND)


def print_balance(balance: TrialBalance, unbalanced: Sequence[str]) -> None:
    """Print the trial balance as a table, with the difference that must be zero."""
    if not balance.accounts:
        out.print("Nothing has been booked yet.")
        return
    table = Table("account", "currency", box=None)
    for heading in ("debits", "credits", "balance"):
        table.add_column(heading, justify="right")
    for account in balance.accounts:
        amounts = (account.debits_minor, account.credits_minor, account.balance_minor)
        table.add_row(account.code, account.currency, *(format_minor(amount, account.currency) for amount in amounts))
    out.print(table)
    for currency in balance.currencies:
        difference = format_minor(balance.difference_minor(currency), currency)
        colour = "red" if currency in unbalanced else "green"
        out.print(f"[{colour}]debits − credits = {difference} {currency}[/]")

"""The commands and their names."""

import typer

from tenor.cli.commands import (
    bill,
    cases,
    catalog,
    customer,
    demo,
    doctor,
    invoice,
    ledger,
    prove,
    subscription,
    tenants,
    up,
    usage,
)

app = typer.Typer(
    name="tenor",
    help="A sovereign subscription billing engine that can prove every cent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.add_typer(tenants.app, name="tenant")
app.add_typer(catalog.app, name="catalog")
app.add_typer(customer.app, name="customer")
app.add_typer(subscription.app, name="subscription")
app.add_typer(usage.app, name="usage")
app.command("bill")(bill.bill_command)
app.add_typer(invoice.app, name="invoice")
app.command("prove")(prove.prove_command)
app.add_typer(ledger.app, name="ledger")
app.command("doctor")(doctor.doctor)
app.add_typer(cases.app, name="cases")
app.command("demo")(demo.demo_command)


def main() -> None:
    """Run the command line."""
    app()

"""What the commands of `tenor wallet` have in common: options, the transaction that they work in, how they tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import typer
from rich.markup import escape

from tenor.cli.output import out, print_json
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId
from tenor.platform.unit_of_work import UnitOfWork

CustomerArgument = Annotated[str, typer.Argument(help="External id of the customer.")]
CodeOption = Annotated[str, typer.Option("--wallet", "-w", help="Code of the wallet.")]
AmountArgument = Annotated[str, typer.Argument(help="Amount in the wallet's unit, e.g. 50 or 12.50.")]


class Place(NamedTuple):
    """A transaction of a tenant, its time, and the customer that a command is about."""

    uow: UnitOfWork
    now: datetime
    customer_id: CustomerId


@contextmanager
def work(tenant: str) -> Iterator[tuple[UnitOfWork, datetime]]:
    """Yield a transaction of a tenant and its time; it is committed at the end."""
    with session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            yield uow, tenant_now(of)


@contextmanager
def place(tenant: str, customer: str) -> Iterator[Place]:
    """Yield what a command about one customer needs.

    Raises:
        NotFound: there is no such customer.
    """
    with work(tenant) as (uow, now):
        known = customer_ids(uow, [customer])
        if customer not in known:
            raise NotFound(f"there is no customer {customer!r}")
        yield Place(uow, now, known[customer])


def tell(body: dict[str, Any], words: str, *, as_json: bool) -> None:
    """Print what was done: the object for programs, or the words for people."""
    if as_json:
        print_json(body)
    else:
        out.print(escape(words))

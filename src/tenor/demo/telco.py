"""The telephone company: 7,043 subscribers, each with a monthly price of their own, billed for four months."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Final

from tenor.customers import CustomerDetails, register_customers
from tenor.demo.inputs import REFERENCE, Subscriber, read_price_book_file, read_subscribers
from tenor.demo.story import ACTOR, Check, Moment, Step, Story
from tenor.kernel.money import format_minor
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import apply_price_book, read_price_book
from tenor.subscriptions import NewSubscription, subscribe

CURRENCY: Final = "USD"
MONTHS: Final = (
    REFERENCE,
    *(datetime(year, month, 1, tzinfo=UTC) for year, month in ((2023, 11), (2023, 12), (2024, 1))),
)


def telco_story(*, slug: str, every: int) -> Story:
    """Return the story of every `every`-th subscriber of the file."""
    take_over, *others = MONTHS
    acts = (apply_prices, partial(take_over_subscribers, every=every))
    return Story(
        slug=slug,
        name="Telephone company",
        assumed=(
            "The file describes 1 October 2023, and is billed from then. A contract began its tenure before that day;"
            " who has left is served to the end of the running month, year or two years."
        ),
        steps=(Step(take_over, acts), *(Step(month, ()) for month in others)),
        checks=partial(months_against_file, every=every),
    )


def apply_prices(moment: Moment) -> str:
    """Apply the price book: a plan for each kind of contract."""
    draft = read_price_book(read_price_book_file("telco.yaml"))
    applied = apply_price_book(moment.uow, draft, actor=ACTOR, now=moment.now)
    return f"price book {draft.code}, edition {applied.changes.edition}"


def take_over_subscribers(moment: Moment, *, every: int) -> str:
    """Register and subscribe everybody as the file says they stand on the reference day."""
    subscribers = read_subscribers(every=every)
    moment.tell("taking over subscribers", 0, None)
    customers = register_customers(
        moment.uow,
        [CustomerDetails(external_id=one.customer_id, name=f"Subscriber {one.customer_id}") for one in subscribers],
        now=moment.now,
        actor=ACTOR,
        reason="taken over from the old system",
    )
    requests = [
        NewSubscription(
            external_id=one.customer_id,
            customer_id=customers[one.customer_id],
            plan=one.contract.lower().replace(" ", "-"),
            prices={"service": one.monthly_charge},
            starts_at=REFERENCE,
            anchor_at=one.anchor_at,
            ends_at=one.ends_at,
        )
        for one in subscribers
    ]
    subscribe(moment.uow, requests, now=moment.now, actor=ACTOR, reason="taken over from the old system")
    return f"{len(subscribers):,} subscribers with their own prices"


def months_against_file(uow: UnitOfWork, *, every: int) -> list[Check]:
    """Compare what was invoiced for each month with the charges of those whom the file says were served in it."""
    subscribers = read_subscribers(every=every)
    rows = uow.fetch_all("select billed_for, count(*), sum(net_minor)::bigint from invoices group by billed_for")
    invoiced = {billed_for: (count, net_minor) for billed_for, count, net_minor in rows}
    checks = []
    for month in MONTHS:
        charges = _charges(subscribers, month)
        count, net_minor = invoiced.pop(month, (0, 0))
        checks.append(
            Check(
                f"served in {month:%b %Y}",
                f"{len(charges):,}: {sum(charges, Decimal(0))} {CURRENCY}",
                f"{count:,}: {format_minor(net_minor, CURRENCY)} {CURRENCY}",
            )
        )
    checks.append(Check("other documents", "0", str(len(invoiced))))
    return checks


def _charges(subscribers: list[Subscriber], month: datetime) -> list[Decimal]:
    return [one.monthly_charge for one in subscribers if one.is_active(month)]

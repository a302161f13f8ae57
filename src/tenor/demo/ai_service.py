"""The AI inference service: 40 customers on a hybrid price book, 28,185 real requests, and a few changes on the way."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from tenor.customers import CustomerDetails, customers_by_external_id, register_customers
from tenor.demo.inputs import read_price_book_file, read_requests
from tenor.demo.prepaid import credit_figures, fill_up, lapse, order, sell_packs
from tenor.demo.story import ACTOR, Act, Check, Moment, Step, Story
from tenor.invoicing import follow_usage
from tenor.metering import UsageEvent, record_usage
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import apply_price_book, read_price_book
from tenor.subscriptions import (
    NewSubscription,
    Subscription,
    cancel,
    change_plan,
    change_quantity,
    find_subscription,
    subscribe,
)

CUSTOMERS: Final = 40
TAX_PERCENT: Final = Decimal(19)
BATCH_EVENTS: Final = 10_000

OCTOBER: Final = datetime(2023, 10, 1, tzinfo=UTC)
NOVEMBER: Final = datetime(2023, 11, 1, tzinfo=UTC)
DECEMBER: Final = datetime(2023, 12, 1, tzinfo=UTC)
JANUARY: Final = datetime(2024, 1, 1, tzinfo=UTC)

EDITIONS: Final = (("ai-service.yaml", OCTOBER), ("ai-service-2.yaml", NOVEMBER))
"""The price book's files, each with the instant from which it is sold."""


class Cohort(NamedTuple):
    """Customers, by number, who subscribe to the same plan at the same time."""

    plan: str
    numbers: range
    seats: int
    starts_at: datetime


COHORTS: Final = (
    Cohort("business", range(1, 11), seats=12, starts_at=OCTOBER),
    Cohort("team", range(11, 31), seats=6, starts_at=OCTOBER),
    Cohort("team", range(31, 37), seats=6, starts_at=NOVEMBER),  # on the second edition: a seat costs 14.00, not 12.00
    Cohort("starter", range(37, 41), seats=2, starts_at=NOVEMBER),  # in trial until 15 November
)

UNCHANGED: Final = 1
"""The version of a subscription whose terms nobody has changed yet; a change names the version it was decided on."""


def ai_story(*, slug: str, every: int) -> Story:
    """Return the story of every `every`-th request of the traces."""
    upgrade = partial(
        change_once, number=12, what="outgrows Team, has Business now", verb=partial(change_plan, plan="business")
    )
    add_seats = partial(
        change_once,
        number=1,
        what="has 17 seats instead of 12",
        verb=partial(change_quantity, quantities={"seats": Decimal(17)}),
    )
    sell = partial(sell_packs, names=[external_id(number) for number in range(1, CUSTOMERS + 1)])
    leave = partial(change_once, number=30, what="cancels at once", verb=cancel)
    return Story(
        slug=slug,
        name="AI inference service",
        assumed=(
            "Requests keep their time stamps, all on 16 November 2023. The traces name no customer: request n of a file"
            f" is that of customer 1 + ⌊{CUSTOMERS} × u²⌋, u = SHA-256(file:n). Prices are invented."
        ),
        steps=(
            Step(OCTOBER, (apply_prices, register, partial(subscribe_cohorts, starts_at=OCTOBER))),
            Step(NOVEMBER, (apply_prices, partial(subscribe_cohorts, starts_at=NOVEMBER), sell)),
            Step(NOVEMBER.replace(day=11), (upgrade, *fill_wallets(NOVEMBER.replace(day=11))), is_billed=False),
            Step(NOVEMBER.replace(day=16), (add_seats,), is_billed=False),
            Step(NOVEMBER.replace(day=17), (partial(send_usage, every=every),), is_billed=False),
            Step(NOVEMBER.replace(day=21), (leave,), is_billed=False),
            Step(DECEMBER, ()),
            Step(DECEMBER.replace(day=2), fill_wallets(DECEMBER.replace(day=2)), is_billed=False),
            Step(JANUARY, (lapse,)),
            Step(JANUARY.replace(day=2), fill_wallets(JANUARY.replace(day=2))),
        ),
        checks=partial(tokens_against_files, every=every),
        exhibit=(external_id(1), DECEMBER),
        credits=credit_figures,
    )


def fill_wallets(at: datetime) -> tuple[Act, Act]:
    """Return the acts that fill up the wallets that are low at an instant."""
    return partial(order, at=at), partial(fill_up, at=at)


def external_id(number: int) -> str:
    """Return the name by which the service knows customer `number`, and the customer's one subscription."""
    return f"ai-{number:02}"


def apply_prices(moment: Moment) -> str:
    """Apply the edition of the price book that is sold now; subscriptions keep the one they have."""
    file = next(file for file, effective_at in reversed(EDITIONS) if effective_at <= moment.now)
    draft = read_price_book(read_price_book_file(file))
    changes = apply_price_book(moment.uow, draft, actor=ACTOR, now=moment.now).changes
    kept = sum(count for plan in changes.plans for _, count in plan.grandfathered)
    return f"price book {draft.code}, edition {changes.edition}" + (f": {kept} keep an older one" if kept else "")


def register(moment: Moment) -> str:
    """Register every customer."""
    customers = [
        CustomerDetails(
            external_id=external_id(number), name=f"AI customer {number}", country="DE", tax_percent=TAX_PERCENT
        )
        for number in range(1, CUSTOMERS + 1)
    ]
    register_customers(moment.uow, customers, now=moment.now, actor=ACTOR, reason="signed up")
    return f"{CUSTOMERS} customers"


def subscribe_cohorts(moment: Moment, *, starts_at: datetime) -> str:
    """Subscribe the cohorts that begin at `starts_at`."""
    cohorts = {number: cohort for cohort in COHORTS if cohort.starts_at == starts_at for number in cohort.numbers}
    customers = customers_by_external_id(moment.uow, map(external_id, cohorts))
    requests = [
        NewSubscription(
            external_id=external_id(number),
            customer_id=customers[external_id(number)].id,
            plan=cohort.plan,
            starts_at=starts_at,
            quantities={"seats": Decimal(cohort.seats)},
        )
        for number, cohort in cohorts.items()
    ]
    subscribe(moment.uow, requests, now=moment.now, actor=ACTOR, reason="signed up")
    return f"{len(requests)} subscriptions"


def change_once(moment: Moment, *, number: int, what: str, verb: Callable[..., Subscription]) -> str:
    """Change a customer's subscription at once by `verb`, an operation of the engine, unless it was done before."""
    subscription = find_subscription(moment.uow, external_id(number))
    if subscription.version != UNCHANGED:
        return f"{external_id(number)} {what}: done before"
    verb(
        moment.uow,
        subscription.id,
        effective="now",
        version=UNCHANGED,
        now=moment.now,
        actor=ACTOR,
        reason=what,
    )
    return f"{external_id(number)} {what}"


def send_usage(moment: Moment, *, every: int) -> str:
    """Send the requests of the traces as usage, each under its own time stamp; what was sent before is known."""
    events = usage_events(every=every)
    accepted = duplicates = 0
    while batch := list(islice(events, BATCH_EVENTS)):
        receipt = record_usage(moment.uow, batch, now=moment.now, strict=True)
        follow_usage(moment.uow, receipt.touched, now=moment.now)
        accepted += len(receipt.accepted)
        duplicates += len(receipt.duplicates)
        moment.tell("sending usage events", accepted + duplicates, None)
    return f"{accepted:,} usage events taken, {duplicates:,} known already"


def usage_events(*, every: int) -> Iterator[UsageEvent]:
    """Yield two events for each request: the tokens that went in and those that came out."""
    for request in read_requests(every=every):
        for metric_code, tokens in (
            ("input_tokens", request.input_tokens),
            ("output_tokens", request.output_tokens),
        ):
            yield UsageEvent(
                event_id=f"{request.row}:{metric_code}",
                source=request.file,
                metric_code=metric_code,
                customer=external_id(request.customer_number(customers=CUSTOMERS)),
                occurred_at=request.at,
                properties={"tokens": tokens},
            )


def tokens_against_files(uow: UnitOfWork, *, every: int) -> list[Check]:
    """Compare the tokens that invoice lines bill with the column sums of the files."""
    requests = list(read_requests(every=every))
    billed = _billed_units(uow)
    return [
        Check(what, f"{in_files:,}", f"{billed.get(metric_code, 0):,}")
        for what, metric_code, in_files in (
            ("input tokens", "input_tokens", sum(request.input_tokens for request in requests)),
            ("output tokens", "output_tokens", sum(request.output_tokens for request in requests)),
        )
    ]


def _billed_units(uow: UnitOfWork) -> dict[str, Decimal]:
    """Return the units that documents bill, by metric: of each charge and period those of its newest line."""
    rows = uow.fetch_all(
        """
        select metric, sum(units)
        from (
            select distinct on (l.item_id, l.charge_id, l.period_start)
                   c.metric, (l.trace ->> 'units')::numeric as units
            from invoice_lines l join charges c on c.id = l.charge_id and c.kind = 'usage'
            order by l.item_id, l.charge_id, l.period_start, l.issued_at desc
        ) newest
        group by metric
        """
    )
    return dict(rows)

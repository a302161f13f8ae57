"""A company in which everything happens that changes, discounts, taxes and documents can bring."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from tenor.invoicing import (
    AdjustmentRequest,
    BillingSettingsChange,
    PaymentRequest,
    charge_once,
    credit_invoice,
    grant_credit,
    record_payment,
    set_billing_settings,
    void_invoice,
)
from tenor.kernel.ids import InvoiceId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import DiscountTerms, create_coupon
from tenor.subscriptions import (
    Closing,
    Cycles,
    PriceStep,
    add_add_on,
    apply_discount,
    change_plan,
    change_prices,
    change_quantity,
    extend_trial,
    move_anchor,
    pause,
    remove_add_on,
    resume,
    transfer,
    undo_change,
)
from tenor.taxes import Jurisdiction, TaxProfile, TaxRate, set_tax_profiles, set_tax_rates
from tenor.wallets import set_alert
from tests.support.changes import change, items
from tests.support.company import SINCE, Company, instant
from tests.support.prepaid import open_purse

EVE: Final = "2026-04-01"
"""The instant of the bill run that is still to come when the company is furnished."""

BOOK: Final = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value, unit: call}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 31.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 7.00, quantity: 2}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.01, tax_category: traffic}
  - code: capped
    name: Capped, by the highest number
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 9.00, quantity: 3, counting: high_water}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.02}
      - {code: floor, name: Minimum, kind: commitment, amount: 50.00}
      - {code: ceiling, name: Maximum, kind: cap, amount: 60.00}
  - code: storage
    name: Storage
    product: app
    interval: month
    charges: [{code: disks, name: Disks, kind: seat, unit_amount: 3.10, quantity: 4}]
"""
EURO_BOOK: Final = """\
price_book: euro
currency: EUR
tax_mode: inclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
plans:
  - code: euro
    name: Euro
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 23.99}
      - {code: seats, name: Seats, kind: seat, unit_amount: 4.99, quantity: 3}
"""


def by(on: str) -> dict[str, Any]:
    """Return what every operation is told besides its subject."""
    return {"now": instant(on), "actor": "test", "reason": "asked for"}


def furnish(company: Company) -> None:
    """Sell, subscribe, change and correct until the eve of a run in which all of it falls due."""
    _open(company)
    _prepay(company)
    company.run("2026-01-01")
    company.use("calls", 450, "2026-01-10", customer="ann")
    company.use("calls", 900, "2026-01-12", customer="cap")
    change(company, change_quantity, "cap1", "2026-01-15", quantities={"seats": Decimal(9)}, at="now")
    company.run("2026-02-01")
    _change(company)
    company.run("2026-03-01")
    _correct(company)


def settings(company: Company, customer: str, on: str, **change: Any) -> None:
    """Set how a customer is billed."""
    customer_id = company.customer_of(customer)
    with company.work() as uow:
        set_billing_settings(uow, customer_id, BillingSettingsChange(**change), **by(on))


def adjust(
    company: Company,
    operation: Callable[..., Any],
    customer: str,
    minor: int,
    on: str,
    *,
    currency: str = "USD",
    subscription: str | None = None,
    **more: Any,
) -> Any:
    """Charge a customer once, or grant it a credit; on the next invoice unless `more` says otherwise."""
    request = AdjustmentRequest(
        customer_id=company.customer_of(customer),
        currency=currency,
        amount_minor=minor,
        description="Something",
        subscription_id=None if subscription is None else company.subscription(subscription).id,
        **{"invoicing": "next_invoice", **more},
    )
    with company.work() as uow:
        return operation(uow, request, key=f"{customer} {minor} {on}", **by(on))


def _open(company: Company) -> None:
    """Sixteen subscriptions of seven customers: taxed twice, inclusively, by a percentage or not; one consolidates."""
    company.sell(BOOK)
    company.sell(EURO_BOOK)
    for name, tax_percent in (("ann", "0"), ("bob", "20"), ("cap", "7.7"), ("ida", "0"), ("ref", "20"), ("gus", "20")):
        company.customer(name, tax_percent=tax_percent)
    since = instant(SINCE)
    quebec, germany = Jurisdiction("CA", "QC"), Jurisdiction("DE")
    with company.work() as uow:
        rates = [("GST", Jurisdiction("CA"), "5"), ("QST", quebec, "9.975"), ("VAT", germany, "19")]
        set_tax_rates(
            uow,
            [
                *(TaxRate(name=n, jurisdiction=j, percent=Decimal(p), valid_from=since) for n, j, p in rates),
                TaxRate(name="VAT", jurisdiction=germany, percent=Decimal(7), valid_from=since, category="traffic"),
            ],
            **by(SINCE),
        )
        create_coupon(
            uow,
            DiscountTerms(code="tenth", name="A tenth", percent_off=Decimal(10), duration="repeating", periods=2),
            **by(SINCE),
        )
        five = DiscountTerms(
            code="five", name="Five off", amount_off=Decimal(5), currency="USD", duration="forever", plans=("team",)
        )
        create_coupon(uow, five, max_per_customer=1, **by(SINCE))
    profiles = {
        company.customer_of("ann"): TaxProfile(jurisdiction=quebec),
        company.customer_of("ida"): TaxProfile(jurisdiction=germany),
    }
    with company.work() as uow:
        set_tax_profiles(uow, profiles, **by(SINCE))
    settings(company, "ann", SINCE, consolidates=True)
    settings(company, "ref", SINCE, negative_total="refund")
    settings(company, "gus", SINCE, grace_days=3)
    plans = {
        "team": ("ann1", "ann3", "bob1", "bob2", "bob3", "ref1", "ref2", "gus1"),
        "capped": ("ann2", "cap1", "cap2", "gus2"),
        "euro": ("ida1", "ida2"),
    }
    subscribed = sorted((name, plan) for plan, names in plans.items() for name in names)
    for number, (name, plan) in enumerate(subscribed):
        company.subscribe(name, plan, "2026-01-01", customer=name[:3], on=f"2025-12-01T00:00:{number:02}")
    company.subscribe("bob4", "team", "2026-01-20", customer="bob", on="2025-12-01T00:00:30", trial_days=14)
    company.subscribe("ref3", "team", "2025-11-15", customer="ref", on="2025-12-01T00:00:31", profile="lago")


def _prepay(company: Company) -> None:
    """Wallets of bob, whose subscriptions are in several batches, of ann for her calls, and of ref, in tokens."""
    bob = open_purse(company, "bob", "2025-12-10", currency="USD", unit="USD", pays="everything")
    bob.grant("150.00", "2025-12-10", cost_minor=120_00)
    bob.grant("30.00", "2025-12-10", effective_at=instant("2026-03-01"), expires_at=instant("2026-05-01"))
    ann = open_purse(company, "ann", "2025-12-10", currency="USD", unit="USD")
    ann.grant("5.00", "2025-12-10", features=frozenset({"calls"}), cost_minor=5_00)
    ref = open_purse(
        company, "ref", "2025-12-10", currency="USD", unit="tokens", rate=Decimal("0.007"), pays="everything"
    )
    ref.grant("13000", "2025-12-10", cost_minor=77_77)
    with company.work() as uow:
        set_alert(uow, bob.id, Decimal(20), **by("2025-12-10"))


def _change(company: Company) -> None:
    """February: discounts, pauses, add-ons, plans, seats, prices, dates, a trial, a transfer; some of them ahead."""
    for number, (name, coupon) in enumerate((("bob1", "tenth"), ("ann1", "five"), ("ref1", "five"), ("gus1", "tenth"))):
        change(company, apply_discount, name, f"2026-02-02T00:00:0{number}", coupon=coupon, at="now")
    change(company, add_add_on, "bob1", "2026-02-05", plan="storage", at="now")
    change(company, add_add_on, "ann3", "2026-02-06", plan="storage", anchor="own", at="now")
    change(company, pause, "bob2", "2026-02-08", at="now", unused_time="credit", until=instant("2026-03-20"))
    change(company, pause, "ref2", "2026-02-09", at="period_end", until=Cycles(1), unused_time="none")
    change(company, change_plan, "cap2", "2026-02-10", plan="team", at="now", closing=Closing.FREE)
    change(company, change_quantity, "cap1", "2026-02-11", quantities={"seats": Decimal(2)}, at="now")
    change(company, change_quantity, "ida1", "2026-02-12", quantities={"seats": Decimal(7)}, at="now")
    steps = [PriceStep(instant("2026-02-15"), {"base": Decimal(25)})]
    change(company, change_prices, "ann2", "2026-02-13", steps=steps)
    change(company, move_anchor, "bob3", "2026-02-14", to=15, at="now")
    change(company, extend_trial, "bob4", "2026-01-25", ends_at=instant("2026-02-20"))
    change(company, transfer, "ida2", "2026-02-16", to=company.customer_of("gus"), external_id="gus3", at="now")
    company.use("calls", 4000, "2026-02-17", customer="cap")
    company.use("calls", 333, "2026-02-18", customer="gus")


def _correct(company: Company) -> None:
    """March: news of what is billed, what people decide, and what waits for the run."""
    change(company, resume, "bob2", "2026-03-05", at="now")
    added = next(item for item in items(company, "bob1") if item.is_add_on)
    change(company, remove_add_on, "bob1", "2026-03-06", add_on=added.id, at="2026-02-20")
    version = company.subscription("ida1").version
    change(company, undo_change, "ida1", "2026-03-07", entry=version, is_backdated=True)
    company.use("calls", 120, "2026-02-20", customer="ann", arrived="2026-03-08")
    company.cancel("ref1", "2026-03-09", at="2026-02-10")  # refunded, not credited
    company.change_seats("gus1", 5, "2026-03-10")
    _documents(company)
    for number, (customer, subscription) in enumerate((("ann", None), ("bob", "bob3"), ("cap", None), ("gus", None))):
        adjust(company, charge_once, customer, 10_00 + number, "2026-03-12", subscription=subscription)
    adjust(company, partial(grant_credit, clause="4.2"), "bob", 400_00, "2026-03-13", subscription="bob2")
    adjust(company, grant_credit, "ida", 2_50, "2026-03-14", currency="EUR")


def _documents(company: Company) -> None:
    """Pay, credit and take back what has been invoiced."""
    bob = company.customer_of("bob")
    invoices = company.rows(
        "select i.id, i.due_minor from invoices i join subscriptions s on s.id = i.subscription_id"
        " where s.external_id = any(%s) and i.kind = 'invoice' and i.due_minor > 0"
        " order by s.external_id, i.issued_at desc, i.number desc",
        ["bob1", "cap1"],
    )
    ((last_of_bob, due_minor), *_, (first_of_cap, _)) = invoices

    def work(deed: Callable[[UnitOfWork], object]) -> None:
        with company.work() as uow:
            deed(uow)

    ref = company.customer_of("ref")  # what money has paid can be refunded
    all_of_ref = PaymentRequest(customer_id=ref, currency="USD", amount_minor=417_81, method="card", reference="ref 1")
    work(lambda uow: record_payment(uow, all_of_ref, **by("2026-03-10")))
    request = PaymentRequest(
        customer_id=bob,
        currency="USD",
        amount_minor=due_minor + 3_00,
        method="transfer",
        reference="wire 1",
        invoice_ids=[InvoiceId(last_of_bob)],
    )
    work(lambda uow: record_payment(uow, request, **by("2026-03-11")))
    work(lambda uow: credit_invoice(uow, last_of_bob, amount_minor=7_77, key="k", **by("2026-03-11T01:00")))
    work(lambda uow: void_invoice(uow, first_of_cap, rebill=True, **by("2026-03-11T02:00")))

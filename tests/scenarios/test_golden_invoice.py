"""One rich invoice as a customer's accountant reads it: every figure of it can be worked out from the page alone."""

import re
from pathlib import Path

from tenor.cli.commands.invoice import print_document
from tenor.cli.output import out
from tests.support.company import Company

GOLDEN = Path(__file__).parents[1] / "golden" / "invoices" / "rich.txt"
BOOK = """\
price_book: main
currency: EUR
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value, unit: call}
  - {code: jobs, name: Jobs, aggregation: sum, field: value, unit: job}
  - {code: payments, name: Payments, aggregation: sum, field: value, unit: euro}
  - {code: storage, name: Storage, aggregation: max, field: value, unit: GB}
plans:
  - code: solo
    name: Solo
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 28.00}]
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 49.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 12.50, included: 1, quantity: 3}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        model: graduated
        tiers: [{up_to: 1000, unit_amount: 0.01}, {unit_amount: 0.005}]
      - code: jobs
        name: Jobs
        kind: usage
        metric: jobs
        model: matrix
        dimensions: [region]
        prices:
          - {when: {region: eu}, unit_amount: 0.02}
          - {when: {region: us}, model: package, size: 100, amount: 1.50}
      - {code: payments, name: Payment fees, kind: usage, metric: payments, model: percentage, rate_percent: 2.9}
      - code: storage
        name: Storage
        kind: usage
        metric: storage
        model: volume
        tiers: [{up_to: 50, unit_amount: 0.10}, {unit_amount: 0.08}]
      - {code: floor, name: Minimum per month, kind: commitment, amount: 400.00}
"""


def test_the_rich_invoice_reads_as_it_did(acme: Company) -> None:
    """The months are those of Berlin: they begin at 23:00 UTC of the day before."""
    acme.sell(BOOK)
    acme.customer("ann", tax_percent="19", timezone="Europe/Berlin")
    acme.subscribe("ann-solo", "solo", "2025-12-31T23:00", on="2025-11-01")
    acme.subscribe("ann-team", "team", "2025-12-31T23:00", on="2025-11-02", discount_percent="10")
    acme.use("calls", 1500, "2026-01-10")
    acme.use("jobs", 310, "2026-01-11", region="eu")
    acme.use("jobs", 101, "2026-01-12", region="us")
    acme.bill("2026-01-31T23:00")
    acme.use("calls", 100, "2026-01-20", arrived="2026-02-03")  # late
    acme.use("calls", 700, "2026-02-10")
    acme.use("jobs", 50, "2026-02-11", region="eu")
    acme.use("jobs", 30, "2026-02-11", region="us")
    acme.use("payments", "1234.56", "2026-02-12")
    acme.use("storage", 64, "2026-02-13")
    acme.change_seats("ann-team", 5, "2026-02-14T23:00")
    acme.cancel("ann-solo", "2026-02-20T23:00")  # a credit of 8.00 and 19 % for the last 8 of 28 days
    acme.bill("2026-02-28T23:00")

    *_, newest = (name for name in acme.names() if name.startswith("INV"))
    with out.capture() as captured:
        print_document(acme.document(newest), is_explained=True)
    told = re.sub("inv_[0-9a-z]{26}", "inv_…", captured.get())

    assert told == GOLDEN.read_text(encoding="utf-8"), "say in the commit which number moved and why"

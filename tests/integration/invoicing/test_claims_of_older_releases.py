"""Claims as the first release made them: from the end of a trial on, where later ones begin with the trial itself."""

from collections.abc import Iterator

import pytest

from tenor.platform.database import Database
from tests.integration.invoicing.test_prove_finds import plant
from tests.support.company import Company, told
from tests.support.postgres import Server

BOOK = """\
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
    trial_days: 20
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 31.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.10}
      - {code: floor, name: Minimum of a year, kind: commitment, interval: year, amount: 100}
"""


@pytest.fixture
def older(server: Server, template: str) -> Iterator[Company]:
    """Ann's trial from 5 to 25 January is over, and February's 31.00 are billed; nothing is claimed before that."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            company.sell(BOOK)
            company.subscribe("ann", "team", "2026-01-05")
            company.run("2026-01-05")
            company.run("2026-01-25")
            plant(
                company,
                "delete from claims where period_end <= '2026-01-25T00:00:00Z'",
                "update claims set follows = null where period_start = '2026-01-25T00:00:00Z'",
            )
            yield company


def test_what_has_never_been_claimed_begins_where_it_is_first_due(older: Company) -> None:
    """The minimum of the year has no claim before the cancellation makes it due; it is covered, and claimed at zero."""
    older.run("2026-02-25")
    older.cancel("ann", "2026-03-25")
    older.run("2026-03-25")

    assert older.rows("select count(*) from claims c join charges h on h.id = c.charge_id where h.code = 'floor'") == [
        (1,)
    ]
    older.assert_proven()


def test_news_of_the_time_before_the_claims_is_looked_at_and_claims_nothing(older: Company) -> None:
    older.run("2026-02-25")
    older.use("calls", 50, "2026-01-10", arrived="2026-02-26")  # in the trial: nothing is owed
    older.use("calls", 70, "2026-01-30", arrived="2026-02-26")

    assert older.bill("2026-02-26") == told("""
        INV-3 ann 2026-02-26
        calls  2026-01-25 2026-02-25  7.00
        total 7.00  due 7.00
    """)
    older.assert_proven()
    older.run("2026-06-01")
    older.assert_proven()

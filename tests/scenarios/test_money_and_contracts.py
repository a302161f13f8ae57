"""Taxes, currencies without and with three digits after the point, and prices agreed one by one."""

from tests.support.company import Company, instant, told

BOOK = """\
price_book: main
currency: {currency}
tax_mode: {tax_mode}
effective: 2020-01-01T00:00:00Z
products:
  - {{code: app, name: App}}
metrics:
  - {{code: calls, name: Calls, aggregation: sum, field: value, unit: call}}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {{code: base, name: Base fee, kind: recurring, amount: {base}}}
      - {{code: seats, name: Seats, kind: seat, unit_amount: {seat}, quantity: 1}}
      - {{code: calls, name: Calls, kind: usage, metric: calls, unit_amount: {call}}}
"""


def _book(currency: str, base: str, seat: str, call: str, *, tax_mode: str = "exclusive") -> str:
    return BOOK.format(currency=currency, tax_mode=tax_mode, base=base, seat=seat, call=call)


def test_exclusive_tax_comes_on_top_rounded_once_for_each_line(acme: Company) -> None:
    acme.sell(_book("EUR", "20.00", "5.03", "0.01"))
    acme.customer("ann", tax_percent="19")
    acme.subscribe("ann", "team", "2026-01-01")
    acme.use("calls", 1250, "2026-01-10")

    # 19 %: of 20.00 3.80; of 5.03 0.9557, so 0.96; of 12.50 2.375, so 2.38
    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-01-01
        base   2026-01-01 2026-02-01  20.00
        seats  2026-01-01 2026-02-01   5.03
        tax 4.76  total 29.79  due 29.79
        INV-2 ann 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        seats  2026-02-01 2026-03-01   5.03
        calls  2026-01-01 2026-02-01  12.50
        tax 7.14  total 44.67  due 44.67
    """)
    assert acme.balances("EUR") == {
        "receivable": "74.46",
        "tax_payable": "11.90",
        "deferred_revenue": "50.06",
        "revenue": "12.50",
    }


def test_inclusive_tax_is_carved_out_of_the_prices(acme: Company) -> None:
    acme.sell(_book("EUR", "20.00", "5.00", "0.01", tax_mode="inclusive"))
    acme.customer("ann", tax_percent="20")
    acme.subscribe("ann", "team", "2026-02-01", quantities={"seats": 3})

    # 20/120: of 20.00 3.3333, so 3.33; of 15.00 2.50. The total is what the prices say.
    assert acme.bill("2026-02-01") == told("""
        INV-1 ann 2026-02-01
        base   2026-02-01 2026-03-01  20.00
        seats  2026-02-01 2026-03-01  15.00
        tax 5.83  total 35.00  due 35.00
    """)
    assert acme.document("INV-1").net_minor == 2917
    # Cancelled half-way: of the 3.33 billed with 20.00, 1.665 stay with 10.00, so 1.67, and 1.66 go back; of 2.50, 1.25
    acme.cancel("ann", "2026-02-15")
    assert acme.bill("2026-02-15") == told("""
        CN-1 ann 2026-02-15
        base   2026-02-01 2026-03-01  -10.00
        seats  2026-02-01 2026-03-01   -7.50
        tax -2.91  total -17.50  due 0.00
    """)
    # Ahead: 29.17 − (17.50 − 2.91); tax: 5.83 − 2.91
    assert acme.balances("EUR") == {
        "receivable": "35.00",
        "tax_payable": "2.92",
        "deferred_revenue": "14.58",
        "customer_credit": "17.50",
    }


def test_the_yen_has_no_minor_digits(acme: Company) -> None:
    acme.sell(_book("JPY", "1980", "333", "0.5"))
    acme.customer("ann", tax_percent="10")
    acme.subscribe("ann", "team", "2026-02-01")
    acme.bill("2026-02-01")
    acme.use("calls", 101, "2026-02-10")
    acme.change_seats("ann", 2, "2026-02-15")

    # A second seat for half of February: owed 333 + 166.5 = 499.5, so 500; 167 more than billed; tax 16.7, so 17.
    assert acme.bill("2026-02-15") == told("""
        INV-2 ann 2026-02-15
        seats  2026-02-01 2026-03-01  167
        tax 17  total 184  due 184
    """)
    # 101 calls: 50.5, so 51; tax 198 + 66.6 + 5.1, each rounded
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann 2026-03-01
        base   2026-03-01 2026-04-01  1980
        seats  2026-03-01 2026-04-01   666
        calls  2026-02-01 2026-03-01    51
        tax 270  total 2967  due 2967
    """)


def test_the_kuwaiti_dinar_has_three(acme: Company) -> None:
    acme.sell(_book("KWD", "12.750", "5.125", "0.0005"))
    acme.customer("ann", tax_percent="5")
    acme.subscribe("ann", "team", "2026-02-01")
    acme.bill("2026-02-01")
    acme.use("calls", 3, "2026-02-10")
    acme.change_seats("ann", 2, "2026-02-15")

    # Owed 5.125 + 2.5625 = 7.6875, so 7.688; 2.563 more than billed; tax 0.12815, so 0.128.
    assert acme.bill("2026-02-15") == told("""
        INV-2 ann 2026-02-15
        seats  2026-02-01 2026-03-01  2.563
        tax 0.128  total 2.691  due 2.691
    """)
    # 3 calls: 0.0015, so 0.002; tax 0.6375, so 0.638; 0.5125, so 0.513; 0.0001, so 0.000
    assert acme.bill("2026-03-01") == told("""
        INV-3 ann 2026-03-01
        base   2026-03-01 2026-04-01  12.750
        seats  2026-03-01 2026-04-01  10.250
        calls  2026-02-01 2026-03-01   0.002
        tax 1.151  total 24.153  due 24.153
    """)


def test_every_customer_of_a_telco_has_a_price_of_their_own(acme: Company) -> None:
    acme.sell(_book("USD", "0", "0", "0"))
    for name, price, ends in (("ann", "29.85", None), ("bob", "56.95", "2026-03-01"), ("eve", "18.80", "2026-04-01")):
        ends_at = None if ends is None else instant(ends)
        acme.subscribe(name, "team", "2026-01-01", customer=name, prices={"base": price}, ends_at=ends_at)

    totals = {month: acme.run(f"2026-{month}-01")[0].done.totals_minor for month in ("01", "02", "03", "04")}

    # Bob's contract ends with February, Eve's with March: 29.85 + 56.95 + 18.80, then 29.85 + 18.80, then 29.85
    assert totals == {
        "01": {("invoice", "USD"): 10560},
        "02": {("invoice", "USD"): 10560},
        "03": {("invoice", "USD"): 4865},
        "04": {("invoice", "USD"): 2985},
    }
    # The end of an agreed term: whoever is not renewed has expired.
    assert [acme.subscription(name).status for name in ("ann", "bob", "eve")] == ["active", "expired", "expired"]


def test_an_agreed_price_of_a_seat_is_prorated_like_the_list_price(acme: Company) -> None:
    acme.sell(_book("USD", "20.00", "5.00", "0.01"))
    acme.subscribe("ann", "team", "2026-02-01", quantities={"seats": 10}, prices={"seats": "3.50"})
    acme.bill("2026-02-01")

    acme.change_seats("ann", 14, "2026-02-15")

    # Four more seats at 3.50 for half of February
    assert acme.bill("2026-02-15") == told("""
        INV-2 ann 2026-02-15
        seats  2026-02-01 2026-03-01  7.00
        total 7.00  due 7.00
    """)

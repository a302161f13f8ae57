"""The YAML file of a tenant's taxes: what it says, and what it refuses."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tenor.taxes.errors import MalformedTax, MalformedTaxFile
from tenor.taxes.file import read_tax_file
from tenor.taxes.model import Jurisdiction, TaxRate, TaxSeller
from tests.support.worked_tables import DOCS

BERLIN = ZoneInfo("Europe/Berlin")
FILE = b"""\
seller: {country: DE, tax_id: DE136695976, rates_from: engine}
rates:
  - {name: USt, country: DE, percent: 19.10, valid_from: 2021-07-01}
  - {name: MVA, country: NO, percent: 25, valid_from: "2021-01-01T00:00:00Z", valid_to: 2030-01-01}
  - {name: QST, country: CA, region: QC, category: books, percent: 0, valid_from: 2013-01-01}
"""


def test_a_file_is_read_exactly_with_days_in_the_tenants_zone() -> None:
    seller, rates = read_tax_file(FILE, zone=BERLIN)

    assert seller == TaxSeller(country="DE", tax_id="DE136695976", rates_from="engine")
    assert list(rates) == [
        TaxRate(
            name="USt",
            jurisdiction=Jurisdiction("DE"),
            percent=Decimal("19.10"),
            valid_from=datetime(2021, 6, 30, 22, tzinfo=UTC),  # midnight in Berlin's summer
        ),
        TaxRate(
            name="MVA",
            jurisdiction=Jurisdiction("NO"),  # not false
            percent=Decimal(25),
            valid_from=datetime(2021, 1, 1, tzinfo=UTC),
            valid_to=datetime(2029, 12, 31, 23, tzinfo=UTC),
        ),
        TaxRate(
            name="QST",
            jurisdiction=Jurisdiction("CA", "QC"),
            percent=Decimal(0),
            valid_from=datetime(2012, 12, 31, 23, tzinfo=UTC),
            category="books",
        ),
    ]


def test_the_example_of_the_documentation_is_read() -> None:
    text = (DOCS / "taxes.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]

    seller, rates = read_tax_file(example.encode(), zone=BERLIN)

    assert seller == TaxSeller(country="DE", tax_id="DE136695976")
    assert [str(rate.percent) for rate in rates] == ["19", "7", "16", "5", "9.975"]


@pytest.mark.parametrize("source", [b"", b"{}", b"rates: []", b"# nothing\n"])
def test_a_file_may_say_nothing(source: bytes) -> None:
    assert read_tax_file(source, zone=UTC) == (None, [])


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (b"rates: [{name: VAT, country: DE, valid_from: 2020-01-01}]", "percent"),
        (b"rates: [{name: VAT, country: DE, percent: 19, valid_from: 2020-01-01, rate: 1}]", "rate"),
        (b"rates: [{name: VAT, country: DE, percent: 19%, valid_from: 2020-01-01}]", "rate 1: percent"),
        (b"rates: [{name: VAT, country: DE, percent: .nan, valid_from: 2020-01-01}]", "rate 1: percent"),
        (b"rates: [{name: VAT, country: Germany, percent: 19, valid_from: 2020-01-01}]", "rate 1: 'Germany'"),
        (b"rates: [{name: VAT, country: DE, percent: 19, valid_from: 2020-02-30}]", "rate 1: valid_from"),
        (b"rates: [{name: VAT, country: DE, percent: 19, valid_from: 9999-12-31}]", "rate 1: valid_from"),
        (b"rates: [{name: VAT, name: GST, country: DE, percent: 19, valid_from: 2020-01-01}]", "'name' comes twice"),
        (b"rates: VAT", "array"),
        (b"- rates", "object"),
        (b"rates: [", "line 1"),
        (b"\xff", "utf-8"),
        (b"rates: [{name: !!python/name:os.system , country: DE, percent: 1, valid_from: 2020-01-01}]", "rate 1"),
        (b"seller: {country: DE, rates_from: thin air}", "thin air"),
        (b"a: " + b"[" * 3_000, "."),
        (b"#" * 1_000_001, "1,000,001 bytes"),
    ],
)
def test_a_file_that_is_none_is_refused(source: bytes, why: str) -> None:
    with pytest.raises((MalformedTaxFile, MalformedTax), match=why):
        read_tax_file(source, zone=UTC)

"""The adapter that asks a server: what it sends, what it takes, and everything that is no answer."""

import gzip
import json
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from tenor.taxes.engines import CircuitBreaker, HttpTaxEngine
from tenor.taxes.errors import MalformedTax
from tenor.taxes.model import AppliedRate, Jurisdiction, TaxAnswer, TaxRequest, TaxSituation
from tenor.taxes.ports import TaxEngineFailed
from tests.support.tax_server import TaxServer, answering, dripping, sending, silent, tax_server
from tests.support.worked_tables import DOCS

VAT = {"name": "VAT", "percent": "19"}
REQUEST = TaxRequest(
    TaxSituation("DE", Jurisdiction("CA", "QC"), tax_id="123", on=date(2026, 5, 1)),
    category="books",
)


@pytest.fixture
def tax() -> Iterator[TaxServer]:
    with tax_server() as running:
        yield running


@pytest.fixture
def engine(tax: TaxServer) -> Iterator[HttpTaxEngine]:
    with HttpTaxEngine(tax.url, token="secret", deadline_seconds=0.3) as asked:  # noqa: S106  a test's own
        yield asked


def test_it_asks_for_place_buyer_category_and_day_and_for_nothing_more(tax: TaxServer, engine: HttpTaxEngine) -> None:
    engine.answers([REQUEST])

    question = {
        "seller_country": "DE",
        "country": "CA",
        "region": "QC",
        "tax_id": "123",
        "category": "books",
        "on": "2026-05-01",
    }
    assert tax.asked == [[question]]
    assert tax.headers[0]["authorization"] == "Bearer secret"
    assert tax.headers[0]["accept-encoding"] == "identity"


def test_the_example_of_the_documentation_is_what_is_sent_and_taken(tax: TaxServer, engine: HttpTaxEngine) -> None:
    question, answer = (
        json.loads(block.split("```")[0])
        for block in (DOCS / "taxes.md").read_text(encoding="utf-8").split("```json\n")[1:]
    )
    tax.reply = sending(json.dumps(answer).encode())
    situation = TaxSituation("DE", Jurisdiction("CA", "QC"), tax_id=None, on=date(2026, 5, 1))

    found = engine.answers([TaxRequest(situation, "standard")])

    assert tax.asked == [question["requests"]]
    assert found == [TaxAnswer((AppliedRate("QST", Decimal("9.975"), "CA-QC"),), "engine")]


def test_it_reads_percentages_exactly(tax: TaxServer, engine: HttpTaxEngine) -> None:
    number = (
        b'{"answers": [{"rates": [{"name": "QST", "percent": 9.975, "jurisdiction": "CA-QC", "is_inclusive": false}]}]}'
    )
    tax.reply = sending(number)

    assert engine.answers([REQUEST]) == [TaxAnswer((AppliedRate("QST", Decimal("9.975"), "CA-QC", False),), "engine")]


def test_answers_come_in_the_order_of_the_questions(tax: TaxServer, engine: HttpTaxEngine) -> None:
    tax.reply = answering({"rates": [VAT]}, {"rates": [], "note": "not taxable"})
    first, second = engine.answers([REQUEST, REQUEST])

    assert first.rates == (AppliedRate("VAT", Decimal(19)),)
    assert (second.rates, second.note) == ((), "not taxable")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"[]",
        b'{"answers": null}',
        b'{"answers": []}',  # one was asked
        b'{"answers": [{"rates": []}]}',  # no tax, and no word why
        b'{"answers": [{"rates": [{"name": "VAT", "percent": 0}]}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": 19}], "is_charged": false}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": -1}]}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": 101}]}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": "NaN"}]}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": 1e400}]}]}',
        b'{"answers": [{"rates": [{"name": "", "percent": 19}]}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": 19}, {"name": "VAT", "percent": 2}]}]}',
        b'{"answers": [{"rates": [{"name": "VAT", "percent": 19, "jurisdiction": "\\u0000"}]}]}',
        b'{"answers": [{"rates": [' + b",".join([b'{"name": "VAT", "percent": 1}'] * 21) + b"]}]}",
        b'{"answers": [{"rates": [], "note": "' + b"x" * 501 + b'"}]}',
        b" " * 1_000_001,
        b"[" * 100_000,
    ],
)
def test_nonsense_is_no_answer(tax: TaxServer, engine: HttpTaxEngine, body: bytes) -> None:
    tax.reply = sending(body)

    with pytest.raises(TaxEngineFailed):
        engine.answers([REQUEST])


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 404, 429, 500, 503])
def test_only_200_is_an_answer_and_no_redirect_is_followed(tax: TaxServer, engine: HttpTaxEngine, status: int) -> None:
    tax.reply = sending(b"", status=status, location=tax.url)

    with pytest.raises(TaxEngineFailed, match=f"status {status}"):
        engine.answers([REQUEST])
    assert len(tax.asked) == 1


@pytest.mark.parametrize("reply", [silent, dripping(pause_seconds=0.02)], ids=["silent", "dripping"])
def test_a_slow_reply_is_left(tax: TaxServer, engine: HttpTaxEngine, reply: object) -> None:
    tax.reply = reply  # type: ignore[assignment]
    begun = time.monotonic()

    with pytest.raises(TaxEngineFailed):
        engine.answers([REQUEST])
    assert time.monotonic() - begun < 1.5  # the dripping one would take 20 seconds, each byte in time


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with HttpTaxEngine("http://127.0.0.1:9/rates", deadline_seconds=0.5) as engine, pytest.raises(TaxEngineFailed):
        engine.answers([REQUEST])


def test_a_compressed_reply_is_not_unpacked(tax: TaxServer, engine: HttpTaxEngine) -> None:
    tax.reply = sending(gzip.compress(b" " * 50_000_000), content_encoding="gzip")

    with pytest.raises(TaxEngineFailed, match="no answer"):
        engine.answers([REQUEST])


def test_no_proxy_is_taken_from_the_environment(tax: TaxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with HttpTaxEngine(tax.url) as engine:
        assert engine.answers([REQUEST])[0].source == "engine"


def test_a_failing_server_is_asked_no_more_until_a_probe_succeeds(tax: TaxServer) -> None:
    seconds = [0.0]
    breaker = CircuitBreaker(lambda: seconds[0], failures_max=2, rest_seconds=30)
    good = tax.reply
    tax.reply = sending(b"", status=500)
    with HttpTaxEngine(tax.url, breaker=breaker) as engine:
        for _ in range(5):
            with pytest.raises(TaxEngineFailed):
                engine.answers([REQUEST])
        assert len(tax.asked) == 2
        tax.reply, seconds[0] = good, 30.0

        assert engine.answers([REQUEST])[0].source == "engine"
        assert engine.answers([REQUEST])[0].source == "engine"
        assert len(tax.asked) == 4


@pytest.mark.parametrize("url", ["ftp://tax.example", "tax.example/rates", "http://", "http://tax.example:port", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(MalformedTax):
        HttpTaxEngine(url)

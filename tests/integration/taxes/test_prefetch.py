"""Asking the tax engine before a transaction: once for what is alike, marked when it falls back, never quietly zero."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.taxes import (
    HttpTaxEngine,
    Prefetched,
    TaxEngineFailed,
    TaxNotQuoted,
    TaxTreatment,
    effective_rates,
    prefetch_quotes,
)
from tenor.taxes.model import AppliedRate, TaxAnswer, TaxRequest
from tests.integration.taxes.conftest import NOW, rate, set_profile, set_rates, set_seller
from tests.support.tax_server import TaxServer, sending, tax_server


class Engine:
    """An engine that is up or down and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[TaxRequest] = []
        self.is_down = False

    def answers(self, requests: Sequence[TaxRequest]) -> list[TaxAnswer]:
        """Answer 21 % everywhere."""
        self.asked += requests
        if self.is_down:
            raise TaxEngineFailed("down")
        return [TaxAnswer((AppliedRate("IVA", Decimal(21), "engine"),), "engine") for _ in requests]


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def profiles(database: Database, tenant: TenantId, customers: dict[str, CustomerId]) -> dict[str, CustomerId]:
    """Bob and Ada in Germany, whose rate the table knows; Eve in Spain, whose rate it does not."""
    with database.transaction(tenant) as uow:
        set_seller(uow, from_engine=True)
        set_rates(uow, rate("19"))
        for name, place in (("ada", "DE"), ("bob", "DE"), ("eve", "ES")):
            set_profile(uow, customers[name], place)
    return customers


@pytest.fixture
def ask(database: Database, tenant: TenantId, profiles: dict[str, CustomerId], engine: Engine) -> "Ask":
    return Ask(database, tenant, profiles, engine)


class Ask:
    """Prefetches for all customers, and reads how one is then taxed."""

    def __init__(self, database: Database, tenant: TenantId, customers: dict[str, CustomerId], engine: Engine) -> None:
        self._database, self._tenant, self._customers, self._engine = database, tenant, customers, engine

    def prefetch(self, *, at: datetime = NOW, categories: Sequence[str] = ("standard",)) -> Prefetched:
        """Ask the engine."""
        return prefetch_quotes(
            self._database,
            self._tenant,
            list(self._customers.values()),
            at=at,
            engine=self._engine,
            now=NOW,
            categories=categories,
        )

    def treatment(self, name: str, *, at: datetime = NOW, category: str = "standard") -> TaxTreatment:
        """Return how a customer is taxed."""
        with self._database.transaction(self._tenant) as uow:
            customer_id = self._customers[name]
            return effective_rates(uow, [customer_id], at)[customer_id].for_category(category)


def test_equal_situations_are_asked_once_and_answers_are_kept(ask: Ask, engine: Engine) -> None:
    assert ask.prefetch() == Prefetched(from_engine=2)
    assert sorted(str(request.situation.jurisdiction) for request in engine.asked) == ["DE", "ES"]

    assert ask.prefetch() == Prefetched()
    assert len(engine.asked) == 2
    assert [ask.treatment(name).source for name in ("ada", "bob", "eve")] == ["engine"] * 3
    assert ask.treatment("ada").rates == (AppliedRate("IVA", Decimal(21), "engine"),)


def test_each_category_and_each_day_is_a_question_of_its_own(ask: Ask, engine: Engine) -> None:
    ask.prefetch(categories=["standard", "books"])
    assert len(engine.asked) == 4
    ask.prefetch(at=NOW + timedelta(hours=11), categories=["books"])  # the same day
    assert len(engine.asked) == 4
    ask.prefetch(at=NOW + timedelta(hours=12))
    assert len(engine.asked) == 6

    with pytest.raises(TaxNotQuoted):
        ask.treatment("ada", category="software")
    with pytest.raises(TaxNotQuoted):
        ask.treatment("ada", at=datetime(2026, 5, 3, tzinfo=UTC))


def test_default_rates_are_marked_and_a_place_without_them_is_refused(ask: Ask, engine: Engine) -> None:
    engine.is_down = True

    assert ask.prefetch() == Prefetched(from_fallback=1, unanswered=1, failures=("down",))
    ada = ask.treatment("ada")
    assert (ada.source, ada.note) == ("fallback", "default rates: the tax engine gave no answer")
    assert [applied.percent for applied in ada.rates] == [Decimal(19)]
    with pytest.raises(TaxNotQuoted):
        ask.treatment("eve")


def test_an_answer_goes_before_the_fallback_of_earlier(ask: Ask, engine: Engine) -> None:
    engine.is_down = True
    ask.prefetch()
    engine.is_down = False

    assert ask.prefetch() == Prefetched(from_engine=2)
    assert ask.treatment("ada").source == ask.treatment("eve").source == "engine"


def test_without_a_prefetch_nothing_is_billed(ask: Ask) -> None:
    with pytest.raises(TaxNotQuoted):
        ask.treatment("ada")


def test_a_customer_without_a_profile_needs_no_engine(
    database: Database, tenant: TenantId, customers: dict[str, CustomerId], engine: Engine
) -> None:
    with database.transaction(tenant) as uow:
        set_seller(uow, from_engine=True)
    ask = Ask(database, tenant, customers, engine)

    assert ask.prefetch() == Prefetched()
    assert [applied.percent for applied in ask.treatment("ada").rates] == [Decimal("7.7")]


def test_a_seller_with_a_table_asks_nobody(database: Database, tenant: TenantId, ask: Ask, engine: Engine) -> None:
    with database.transaction(tenant) as uow:
        set_seller(uow)

    assert ask.prefetch() == Prefetched()
    assert engine.asked == []
    assert ask.treatment("ada").source == "table"


@pytest.fixture
def tax() -> Iterator[TaxServer]:
    with tax_server() as running:
        yield running


def test_no_transaction_is_open_while_the_server_is_asked(
    database: Database, tenant: TenantId, profiles: dict[str, CustomerId], tax: TaxServer
) -> None:
    open_transactions: list[int] = []
    answer = tax.reply

    def reply(*given: object) -> None:
        with database.setup() as connection:
            counted = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and state like %s",
                ["idle in transaction%"],
            ).fetchone()
            assert counted
            open_transactions.append(counted[0])
        answer(*given)  # type: ignore[arg-type]

    tax.reply = reply
    with HttpTaxEngine(tax.url) as engine:
        found = prefetch_quotes(database, tenant, list(profiles.values()), at=NOW, engine=engine, now=NOW)

    assert found == Prefetched(from_engine=2)
    assert open_transactions == [0]


def test_a_failing_server_is_left_after_a_few_calls_and_all_falls_back(
    database: Database,
    tenant: TenantId,
    profiles: dict[str, CustomerId],
    tax: TaxServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tenor.taxes.quotes.REQUESTS_MAX", 1)
    tax.reply = sending(b"", status=503)
    with HttpTaxEngine(tax.url) as engine:
        found = prefetch_quotes(
            database,
            tenant,
            list(profiles.values()),
            at=NOW,
            engine=engine,
            now=NOW,
            categories=["standard", "a", "b", "c", "d"],
        )

    assert found.from_fallback == 5  # Germany, by category
    assert found.unanswered == 5  # Spain
    assert len(tax.asked) == 3  # of ten questions
    assert found.failures == ("it replied with status 503", "it is not asked: it failed 3 times in a row")

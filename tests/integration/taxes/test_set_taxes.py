"""Setting rates, profiles and the seller: what is written, told, and written only once."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, new_id
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes import InvalidTaxId, Jurisdiction, TaxProfile, TaxSeller, set_tax_profiles, set_tax_seller
from tenor.taxes.store import customers_by_facts, tax_rates, tax_seller
from tests.integration.taxes.conftest import GERMANY, NOW, SINCE, rate, set_profile, set_rates, set_seller

JULY = datetime(2020, 7, 1, tzinfo=UTC)
NEW_YEAR = datetime(2021, 1, 1, tzinfo=UTC)


def told(uow: UnitOfWork) -> list[tuple[str, ...]]:
    """Return the actions of the audit and the types of the events, each with how often; customers left aside."""
    return uow.fetch_all(
        """
        select 'audit', action, count(*)::text from audit_records where action not like 'customer.%%' group by action
        union all
        select 'event', type, count(*)::text from outbox_events where type not like 'customer.%%' group by type
        order by 1, 2
        """
    )


def spans(uow: UnitOfWork) -> list[tuple[str, datetime, datetime | None]]:
    return [(str(found.percent), found.valid_from, found.valid_to) for found in tax_rates(uow)]


def test_a_temporary_rate_cuts_the_old_one_and_gives_it_back(uow: UnitOfWork) -> None:
    set_rates(uow, rate("19"))
    set_rates(uow, rate("16", since=JULY, valid_to=NEW_YEAR))

    assert spans(uow) == [
        ("19.000000", SINCE, JULY),
        ("16.000000", JULY, NEW_YEAR),
        ("19.000000", NEW_YEAR, None),
    ]
    assert told(uow) == [("audit", "tax_rate.set", "2"), ("event", "tax_rate.set", "2")]


def test_many_rates_of_one_tax_in_one_call_are_set_one_after_the_other(uow: UnitOfWork) -> None:
    new = set_rates(
        uow,
        rate("19"),
        rate("16", since=JULY, valid_to=NEW_YEAR),
        rate("20", since=NEW_YEAR),
        rate("7", category="books"),
        rate("5", "CA", name="GST"),
    )

    assert len(new) == 5
    assert [span for span in spans(uow) if span[0] not in {"7.000000", "5.000000"}] == [
        ("19.000000", SINCE, JULY),
        ("16.000000", JULY, NEW_YEAR),
        ("20.000000", NEW_YEAR, None),
    ]


def test_the_same_again_writes_and_tells_nothing(uow: UnitOfWork) -> None:
    first = set_rates(uow, rate("19"), rate("5", "CA", name="GST"))

    assert len(first) == 2
    assert set_rates(uow, rate("19.0"), rate("5", "CA", name="GST")) == []
    assert told(uow) == [("audit", "tax_rate.set", "2"), ("event", "tax_rate.set", "2")]


def test_a_rate_that_was_entered_wrong_is_replaced_and_kept_as_what_was_entered(uow: UnitOfWork) -> None:
    set_rates(uow, rate("91"))
    set_rates(uow, rate("19"))

    assert spans(uow) == [("19.000000", SINCE, None)]
    assert uow.fetch_all("select percent from tax_rates where valid_to = valid_from") == [(Decimal(91),)]


@pytest.mark.parametrize(
    "statement",
    [
        "update tax_rates set percent = 0",
        "update tax_rates set valid_from = now()",
        "delete from tax_rates",
        "update tax_overrides set audit_reference = 'another'",
        "update tax_quotes set note = ''",
    ],
)
def test_the_database_lets_nobody_change_a_rate(uow: UnitOfWork, statement: str) -> None:
    set_rates(uow, rate("19"))

    with pytest.raises(psycopg.errors.InsufficientPrivilege), uow.connection.transaction():
        uow.execute(statement)


def test_the_database_refuses_a_second_rate_of_one_beginning(uow: UnitOfWork) -> None:
    set_rates(uow, rate("19"))

    with pytest.raises(psycopg.errors.UniqueViolation), uow.connection.transaction():
        uow.execute(
            """
            insert into tax_rates (tenant_id, id, country, region, category, name, percent, valid_from, valid_to)
            select tenant_id, gen_random_uuid(), country, region, category, name, 7, valid_from, valid_from + '1 day'
            from tax_rates
            """
        )


def test_a_profile_keeps_its_tax_id_in_compact_form(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    bob = customers["bob"]
    set_profile(uow, bob, tax_id="DE 136 695 976")

    assert customers_by_facts(uow, customers.values()) == {
        (Decimal(0), TaxProfile(jurisdiction=GERMANY, tax_id="DE136695976")): [bob],
        (Decimal("7.7"), None): [customers["ada"]],
        (Decimal(0), None): [customers["eve"]],
    }


def test_a_profile_changes_with_before_and_after_and_the_same_again_is_silent(
    uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    set_profile(uow, customers["bob"])
    set_profile(uow, customers["bob"], is_exempt=True, exemption_reason="charity")
    set_profile(uow, customers["bob"], is_exempt=True, exemption_reason="charity")

    records = uow.fetch_all(
        "select before->>'is_exempt', after->>'is_exempt', reason from audit_records"
        " where action = 'tax_profile.set' order by 2"
    )
    assert records == [(None, "false", "form"), ("false", "true", "form")]
    assert told(uow)[-1] == ("event", "tax_profile.set", "2")


def test_a_profile_of_nobody_and_a_wrong_tax_id_are_refused(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    with pytest.raises(NotFound):
        set_profile(uow, CustomerId(new_id(NOW)))
    with pytest.raises(InvalidTaxId, match="not a tax id of DE"):
        set_profile(uow, customers["bob"], tax_id="DE136695977")
    assert told(uow) == []


def test_many_profiles_at_once(uow: UnitOfWork, customers: dict[str, CustomerId]) -> None:
    profiles = {customer: TaxProfile(jurisdiction=Jurisdiction("CA", "QC")) for customer in customers.values()}

    assert len(set_tax_profiles(uow, profiles, now=NOW, actor="test", reason="import")) == 3
    assert {facts.profile for facts in customers_by_facts(uow, profiles)} == set(profiles.values())


def test_the_seller_is_set_once_and_changed(uow: UnitOfWork) -> None:
    assert tax_seller(uow) is None
    set_seller(uow)
    set_seller(uow)
    set_tax_seller(uow, TaxSeller(country="FR", tax_id="FR 40 303265045"), now=NOW, actor="test", reason="moved")

    assert tax_seller(uow) == TaxSeller(country="FR", tax_id="FR40303265045")
    assert told(uow) == [("audit", "tax_seller.set", "2"), ("event", "tax_seller.set", "2")]
    with pytest.raises(InvalidTaxId):
        set_tax_seller(uow, TaxSeller(country="FR", tax_id="FR1"), now=NOW, actor="test", reason="moved")

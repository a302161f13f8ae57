"""Agreeing contracts: what is written, what is never sold to anybody else, and what is refused."""

from datetime import UTC, datetime

import psycopg
import pytest

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, TenantId, new_id
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import (
    AgreedPayment,
    Contract,
    ContractNotFound,
    ContractOfAnother,
    MalformedContract,
    PlanAction,
    StepStart,
    agree_contract,
    all_contracts,
    apply_price_book,
    contracts_behind,
    find_contract,
    newest_plan_version,
    plan_price_book,
    plan_versions,
    plan_versions_by_code,
    tampered_plan_versions,
)
from tests.support.contracts import CALLS, RAMP, replaced
from tests.support.price_books import small_book

NOW = datetime(2026, 1, 10, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
TABLES = (
    "contracts",
    "contract_steps",
    "plan_versions",
    "charges",
    "plan_version_features",
    "audit_records where action not like 'customer.%%'",
)


@pytest.fixture(autouse=True)
def _sold(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        apply_price_book(uow, small_book(CALLS), actor="ada", now=NOW)


def customer(uow: UnitOfWork, name: str = "globex") -> CustomerId:
    return register_customers(
        uow, [CustomerDetails(external_id=name, name=name)], now=NOW, actor="test", reason="a test"
    )[name]


def agree(
    uow: UnitOfWork, *replacements: tuple[str, str], name: str = "globex", now: datetime = NOW, source: str = RAMP
) -> Contract:
    return agree_contract(
        uow,
        replaced(source, *replacements).encode(),
        customer_id=customer(uow, name),
        now=now,
        actor="ada",
        reason="signed on 9 January",
    )


def sizes(uow: UnitOfWork) -> dict[str, int]:
    """Return how many rows each table has that an agreement may write to."""
    return {table: uow.fetch_all(f"select count(*) from {table}")[0][0] for table in TABLES}


def test_a_contract_is_written_with_a_plan_version_for_each_step(uow: UnitOfWork) -> None:
    contract = agree(uow)

    assert (contract.code, contract.version, contract.plan, contract.name) == ("globex", 1, "pro", "Pro for Globex")
    assert (contract.payment, contract.po_number) == (AgreedPayment("end_of_month", 15), "PO-4711")
    assert [step.start for step in contract.steps] == [StepStart(), StepStart(12), StepStart(24)]
    assert find_contract(uow, "globex") == contract
    assert all_contracts(uow, customer_id=contract.customer_id) == [contract]


def test_the_private_editions_prove_themselves_and_know_their_customer(uow: UnitOfWork) -> None:
    contract = agree(uow)

    versions = [plan_versions(uow, [step.plan_version_id])[step.plan_version_id] for step in contract.steps]
    assert {(one.plan, one.name, one.customer_id) for one in versions} == {
        ("pro", "Pro for Globex", contract.customer_id)
    }
    assert [one.version for one in versions] == [1, 2, 3]
    assert len({one.content_hash for one in versions}) == 3
    assert tampered_plan_versions(uow) == (5, [])  # pro, basic and the three
    rows = uow.fetch_all("select code, id from charges where plan_version_id = %s", [versions[2].id])
    assert {charge.code: charge.id for charge in versions[2].charges} == dict(rows)
    limits = uow.fetch_all(
        "select feature, limit_value from plan_version_features where plan_version_id = %s order by 1", [versions[2].id]
    )
    assert limits == [("calls", 5000), ("sso", None)]


def test_it_is_sold_to_nobody_else(uow: UnitOfWork) -> None:
    """The price book sells its own version 1 before and after, and plans no change because of the contract."""
    sold = newest_plan_version(uow, "pro", NOW)

    contract = agree(uow)

    assert newest_plan_version(uow, "pro", NOW) == sold
    assert plan_versions_by_code(uow, ["pro", "globex"], MARCH) == {"pro": sold}
    assert sold.id not in {step.plan_version_id for step in contract.steps}
    assert plan_price_book(uow, small_book(CALLS), now=NOW).is_empty


def test_the_next_version_of_the_plan_is_counted_without_it(uow: UnitOfWork) -> None:
    agree(uow)

    dearer = small_book(CALLS, ("amount: 49.00", "amount: 59.00"))
    (pro, _) = apply_price_book(uow, dearer, actor="ada", now=NOW).changes.plans

    assert (pro.action, pro.previous_version, pro.version) == (PlanAction.CHANGED, 1, 2)
    assert [str(difference) for difference in pro.differences] == ["charges.base.amount: 49 → 59"]


def test_two_customers_have_editions_of_their_own(uow: UnitOfWork) -> None:
    one = agree(uow)
    other = agree(uow, ("contract: globex", "contract: initech"), name="initech")

    found = plan_versions(uow, [contract.steps[0].plan_version_id for contract in (one, other)])
    assert {(version.plan, version.version) for version in found.values()} == {("pro", 1)}
    assert {version.customer_id for version in found.values()} == {one.customer_id, other.customer_id}


def test_the_same_file_again_writes_nothing(uow: UnitOfWork) -> None:
    contract = agree(uow)
    before = sizes(uow)

    assert agree(uow, now=MARCH) == contract
    assert sizes(uow) == before


def test_the_same_file_again_is_no_question_of_what_is_sold_by_then(uow: UnitOfWork) -> None:
    contract = agree(uow)
    draft = small_book(CALLS, ("code: pro\n", "code: pro-2\n"), ("2026-01-01T", "2026-03-01T"))
    apply_price_book(uow, draft, actor="ada", now=NOW)

    assert agree(uow, now=MARCH) == contract


def test_an_amendment_is_the_next_version_and_leaves_the_former_alone(uow: UnitOfWork) -> None:
    first = agree(uow)

    second = agree(uow, ("amount: 150", "amount: 140"), now=MARCH)

    assert (second.version, second.agreed_at) == (2, MARCH)
    assert find_contract(uow, "globex") == second
    assert find_contract(uow, "globex", version=1) == first
    prices = [
        [
            str(charge.price.model.amount)  # type: ignore[union-attr]  # the base fee is a flat amount
            for step in contract.steps
            for charge in plan_versions(uow, [step.plan_version_id])[step.plan_version_id].charges
            if charge.code == "base"
        ]
        for contract in (first, second)
    ]
    assert prices == [["100", "150", "200"], ["100", "140", "200"]]
    numbers = uow.fetch_all("select version from plan_versions where customer_id is not null order by version")
    assert numbers == [(1,), (2,), (3,), (4,), (5,), (6,)]


def test_going_back_to_a_former_file_is_an_amendment_too(uow: UnitOfWork) -> None:
    agree(uow)
    agree(uow, ("amount: 150", "amount: 140"))

    assert agree(uow).version == 3


def test_who_agreed_it_and_why_is_told(uow: UnitOfWork) -> None:
    contract = agree(uow)

    deed = uow.fetch_one(
        "select actor, action, object_id, reason, occurred_at, after from audit_records where object_type = 'contract'"
    )
    event = uow.fetch_one("select object_id, payload from outbox_events where type = 'contract.agreed'")
    assert deed is not None
    assert deed[:5] == ("ada", "contract.agree", contract.id, "signed on 9 January", NOW)
    assert event == (contract.id, deed[5])
    assert (deed[5]["contract"], deed[5]["version"], len(deed[5]["plan_versions"])) == ("globex", 1, 3)


def test_the_code_of_another_customer_is_refused(uow: UnitOfWork) -> None:
    agree(uow)

    with pytest.raises(ContractOfAnother, match="the contract 'globex' is another customer's"):
        agree(uow, name="initech")


def test_a_customer_that_is_not_there_is_refused(uow: UnitOfWork) -> None:
    with pytest.raises(NotFound, match="there is no customer cus_"):
        agree_contract(uow, RAMP.encode(), customer_id=CustomerId(new_id(NOW)), now=NOW, actor="ada", reason="")


def test_a_malformed_file_writes_nothing(uow: UnitOfWork) -> None:
    before = sizes(uow)

    with pytest.raises(MalformedContract, match=r"line 20, column 31: ramp\[1\]\.charges\[1\]\.amount: -1 is negative"):
        agree(uow, ("amount: 120", "amount: -1"))

    assert sizes(uow) == before


def test_a_contract_that_is_not_there(uow: UnitOfWork) -> None:
    agree(uow)

    with pytest.raises(ContractNotFound, match="there is no contract 'hooli'"):
        find_contract(uow, "hooli")
    with pytest.raises(ContractNotFound, match="there is no version 2 of contract 'globex'"):
        find_contract(uow, "globex", version=2)


def test_what_a_document_needs_of_the_contract_behind_a_plan_version(uow: UnitOfWork) -> None:
    contract = agree(uow)
    public = newest_plan_version(uow, "pro", NOW).id
    second = contract.steps[1].plan_version_id

    assert contracts_behind(uow, [public, second]) == {second: contract}


def test_another_tenant_sees_nothing_of_it(database: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        agree(uow)

    with database.transaction(other_tenant) as uow:
        assert all_contracts(uow) == []
        assert sizes(uow) == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("table", ["contracts", "contract_steps"])
def test_what_was_agreed_cannot_be_changed(database: Database, tenant: TenantId, table: str) -> None:
    with database.transaction(tenant) as uow:
        agree(uow)

    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(tenant) as uow:
        uow.execute(f"update {table} set tenant_id = tenant_id")

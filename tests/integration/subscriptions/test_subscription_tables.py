"""What the database itself refuses of subscriptions."""

from datetime import UTC, datetime
from itertools import product

import psycopg
import pytest

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import MOVES, NewSubscription, Status, subscribe

NOW = datetime(2026, 5, 10, tzinfo=UTC)
LEGAL = {(source, target) for (source, _), target in MOVES.items()}
PAIRS = list(product(Status, Status))

pytestmark = pytest.mark.usefixtures("plans")


@pytest.fixture
def subscription_id(uow: UnitOfWork, customer: CustomerId) -> SubscriptionId:
    request = NewSubscription(external_id="s", customer_id=customer, plan="basic", starts_at=NOW)
    return subscribe(uow, [request], now=NOW, actor="ada", reason="")[0]


def refusal(uow: UnitOfWork, statement: str, *params: object) -> str | None:
    """The constraint that refuses the statement, or None; nothing of it stays."""
    with uow.connection.transaction(force_rollback=True):
        try:
            with uow.connection.transaction():
                uow.execute(statement, params)
        except psycopg.errors.IntegrityError as error:
            return error.diag.constraint_name or error.diag.message_primary
        return None


def test_the_function_holds_exactly_the_moves_of_the_code(uow: UnitOfWork) -> None:
    answers = {
        (source, target): uow.fetch_all("select subscription_move_allowed(%s, %s)", [source.value, target.value])[0][0]
        for source, target in PAIRS
    }

    assert len(answers) == 81
    assert {pair for pair, allowed in answers.items() if allowed} == LEGAL


def test_the_table_takes_exactly_the_moves_of_the_code(uow: UnitOfWork, subscription_id: SubscriptionId) -> None:
    refused = set()
    for source, target in PAIRS:
        with uow.connection.transaction(force_rollback=True):
            # Another state than the one it has reached can only be planted past the trigger, by inserting.
            other = uow.fetch_all(
                """
                insert into subscriptions
                select tenant_id, gen_random_uuid(), customer_id, 'other', currency, timezone, profile, %s, version,
                       starts_at, trial_ends_at, trial_converts, ends_at, cancels_at_end, next_move_at,
                       request_digest, created_at
                from subscriptions returning id
                """,
                [source.value],
            )[0][0]
            why = refusal(uow, "update subscriptions set status = %s where id = %s", target.value, other)
            if why is not None:
                assert why == "subscription_move_allowed"
                refused.add((source, target))

    stays = {(status, status) for status in Status}  # writing the same status again moves nothing
    assert refused == set(PAIRS) - LEGAL - stays


def test_history_refuses_a_move_that_is_none(uow: UnitOfWork, subscription_id: SubscriptionId) -> None:
    insert = (
        "insert into subscription_moves (tenant_id, subscription_id, move_no, from_status, to_status, trigger,"
        " effective_at, recorded_at) values (%s, %s, 9, %s, %s, 'test', now(), now())"
    )

    assert refusal(uow, insert, uow.tenant_id, subscription_id, "active", "paused") is None
    assert "check" in str(refusal(uow, insert, uow.tenant_id, subscription_id, "cancelled", "active"))


@pytest.mark.parametrize(
    "statement",
    [
        "update subscription_changes set facts = '{}'",
        "update subscription_moves set to_status = 'cancelled'",
        "update subscription_items set anchor_at = now()",
    ],
)
def test_journal_history_and_items_are_append_only(
    uow: UnitOfWork, subscription_id: SubscriptionId, statement: str
) -> None:
    with pytest.raises(psycopg.Error), uow.connection.transaction():
        uow.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update subscriptions set version = 0",
        "update subscriptions set ends_at = starts_at - interval '1 second'",
        "update subscriptions set cancels_at_end = true",  # without an end
        "update phases set ends_at = starts_at",
        "update phases set superseded_by_version = written_by_version",
        # A second phase in force at one instant, and a position of another subscription's item.
        "insert into phases select tenant_id, item_id, 2, null, starts_at, ends_at, false, terms from phases",
        "update billing_positions set subscription_id = gen_random_uuid()",
    ],
)
def test_rows_that_contradict_themselves_are_refused(
    uow: UnitOfWork, subscription_id: SubscriptionId, statement: str
) -> None:
    assert refusal(uow, statement) is not None

"""People of a tenant: let in, signed in, locked out, sent away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher

from tenor.access import (
    EVERYTHING,
    LastOwner,
    MalformedUser,
    NewUser,
    OpenedSession,
    Role,
    ScopeMissing,
    Unauthenticated,
    User,
    UserExists,
    authenticate_session,
    change_role,
    create_user,
    disable_user,
    end_session,
    list_users,
    read_credential,
    set_password,
    sign_in,
)
from tenor.access.users import passwords
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Passwords hashed cheaply: what is tested is not how long it takes."""
    with patch.object(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield


def let_in(database: Database, tenant: TenantId, email: str, role: Role, password: str | None = RIGHT) -> User:
    """Create a user."""
    with database.transaction(tenant) as uow:
        return create_user(
            uow,
            NewUser(email=email, name="Somebody", role=role, password=password),
            now=NOW,
            actor="test",
            reason="test",
        )


def signed_in(
    database: Database, tenant: TenantId, email: str, password: str = RIGHT, *, at: datetime = NOW
) -> OpenedSession | None:
    """Try to sign in."""
    with database.transaction(tenant) as uow:
        return sign_in(uow, email, password, now=at)


def known(database: Database, tenant: TenantId, text: str, *, needs: str, at: datetime = NOW) -> User:
    """Return whose session a text is."""
    with database.transaction(tenant) as uow:
        return authenticate_session(uow, read_credential(text), needs=needs, at=at)


def test_a_session_does_what_its_user_may_until_it_ends(database: Database, tenant: TenantId) -> None:
    owner = let_in(database, tenant, "Ada@Acme.example", Role.OWNER)
    opened = signed_in(database, tenant, "ada@acme.EXAMPLE")
    assert opened is not None
    assert opened.text.startswith("tnr_session_")
    assert known(database, tenant, opened.text, needs="keys:write") == owner
    assert owner.scopes == EVERYTHING

    later = opened.expires_at
    assert later == NOW + timedelta(hours=12)
    with pytest.raises(Unauthenticated):
        known(database, tenant, opened.text, needs="keys:write", at=later)
    with database.transaction(tenant) as uow:
        end_session(uow, read_credential(opened.text), now=NOW)
    with pytest.raises(Unauthenticated):
        known(database, tenant, opened.text, needs="keys:write")
    with database.transaction(tenant) as uow:
        digests = uow.fetch_all("select digest, password_hash from sessions, users")
        assert RIGHT not in str(digests)
        assert opened.text not in str(digests)


def test_a_session_of_one_tenant_is_nothing_to_another(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    let_in(database, tenant, "ada@acme.example", Role.OWNER)
    opened = signed_in(database, tenant, "ada@acme.example")
    assert opened is not None
    assert signed_in(database, other_tenant, "ada@acme.example") is None
    with database.transaction(other_tenant) as uow, pytest.raises(Unauthenticated):
        authenticate_session(uow, read_credential(opened.text), needs="ledger:read", at=NOW)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.ADMIN, "keys:write", None),
        (Role.FINANCE, "invoices:write", "subscriptions:write"),
        (Role.FINANCE, "subscriptions:read", "keys:read"),
        (Role.SUPPORT, "subscriptions:write", "invoices:write"),
        (Role.VIEWER, "ledger:read", "customers:write"),
        (Role.VIEWER, "invoices:read", "users:read"),
    ],
)
def test_what_a_role_may(database: Database, tenant: TenantId, role: Role, may: str, may_not: str | None) -> None:
    let_in(database, tenant, "bob@acme.example", role)
    opened = signed_in(database, tenant, "bob@acme.example")
    assert opened is not None
    assert known(database, tenant, opened.text, needs=may).role is role
    if may_not is not None:
        with pytest.raises(ScopeMissing):
            known(database, tenant, opened.text, needs=may_not)


def test_after_five_failures_even_the_right_password_has_to_wait(database: Database, tenant: TenantId) -> None:
    let_in(database, tenant, "ada@acme.example", Role.OWNER)
    assert signed_in(database, tenant, "eve@acme.example") is None
    for _ in range(4):
        assert signed_in(database, tenant, "ada@acme.example", "wrong horse battery") is None
    assert signed_in(database, tenant, "ada@acme.example") is not None  # the fifth is right: the count begins anew

    with ThreadPoolExecutor(10) as threads:  # guesses at once are counted one by one
        guesses = [
            threads.submit(signed_in, database, tenant, "ada@acme.example", f"wrong password {number}")
            for number in range(10)
        ]
        assert {guess.result() for guess in guesses} == {None}
    assert signed_in(database, tenant, "ada@acme.example") is None
    assert signed_in(database, tenant, "ada@acme.example", at=NOW + timedelta(minutes=14)) is None
    assert signed_in(database, tenant, "ada@acme.example", at=NOW + timedelta(minutes=15)) is not None


def test_a_tenant_keeps_an_owner_and_loses_whom_it_sends_away(database: Database, tenant: TenantId) -> None:
    ada = let_in(database, tenant, "ada@acme.example", Role.OWNER)
    bob = let_in(database, tenant, "bob@acme.example", Role.ADMIN)
    opened = signed_in(database, tenant, "bob@acme.example")
    assert opened is not None
    with database.transaction(tenant) as uow:
        with pytest.raises(LastOwner):
            disable_user(uow, ada.id, now=NOW, actor="test", reason="test")
        with pytest.raises(LastOwner):
            change_role(uow, ada.id, Role.VIEWER, now=NOW, actor="test", reason="test")
        set_password(uow, bob.id, "another password", now=NOW, actor="test", reason="test")
    with pytest.raises(Unauthenticated):
        known(database, tenant, opened.text, needs="ledger:read")
    assert signed_in(database, tenant, "bob@acme.example") is None

    again = signed_in(database, tenant, "bob@acme.example", "another password")
    assert again is not None
    with database.transaction(tenant) as uow:
        change_role(uow, bob.id, Role.OWNER, now=NOW, actor="test", reason="test")
        disable_user(uow, ada.id, now=NOW, actor="test", reason="test")
        assert [one.disabled_at for one in list_users(uow)] == [NOW, None]
    assert signed_in(database, tenant, "ada@acme.example") is None
    assert known(database, tenant, again.text, needs="users:write").role is Role.OWNER


def test_what_no_user_can_be(database: Database, tenant: TenantId) -> None:
    let_in(database, tenant, "ada@acme.example", Role.OWNER, None)
    assert signed_in(database, tenant, "ada@acme.example", "") is None
    with pytest.raises(UserExists):
        let_in(database, tenant, "ADA@acme.example", Role.VIEWER)
    for email, password in (
        ("nobody", RIGHT),
        ("a@b.example", "short"),
        ("ada.lovelace@b.example", "ADA.lovelace@b.example"),
    ):
        with pytest.raises(MalformedUser):
            let_in(database, tenant, email, Role.VIEWER, password)

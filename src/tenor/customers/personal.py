"""Personal data of customers: each field sealed under the customer's own key, which can be destroyed."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from tenor.customers.model import CustomerDetails
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.sealing import KEY_BYTES, WrappedKey, seal, unseal
from tenor.platform.unit_of_work import Row, UnitOfWork

PERSONAL_COLUMNS: Final = """k.key_id, k.wrapped, k.destroyed_at, c.name, c.name_sealed, c.email_sealed,
    c.address_sealed"""
"""The columns of `customers c` and their keys `customer_keys k` that `revealed` reads."""


class CustomerErased(Conflict):
    """A customer whose personal data was erased; it takes no new one."""

    code = "customer_erased"


class Personal(NamedTuple):
    """What is known of the person; a field that is None is not known, or not to be changed."""

    name: str | None
    email: str | None
    address: str | None

    @classmethod
    def of(cls, details: CustomerDetails) -> Self:
        """Return the personal part of a customer's details."""
        return cls(details.name, details.email, details.address)

    def over(self, known: "Personal") -> "Personal":
        """Return what is known after this was said."""
        return Personal(*(new if new is not None else old for new, old in zip(self, known, strict=True)))


def revealed(uow: UnitOfWork, customer_id: CustomerId, columns: Sequence[Any]) -> Personal:
    """Return the personal data in `PERSONAL_COLUMNS` of a customer; nothing of one that was erased.

    Raises:
        EncryptionKeyMissing: it was sealed under a key that this machine does not have.
        SealBroken: it was changed behind the engine's back.
    """
    key_id, wrapped, _, plain_name, *sealed = columns
    if wrapped is None:
        return Personal(plain_name, None, None)
    key = uow.keyring().unwrap(WrappedKey(key_id, wrapped), place=_place(uow, customer_id, "key"))
    opened = Personal(
        *(
            None if one is None else unseal(key, one, place=_place(uow, customer_id, field))
            for field, one in zip(Personal._fields, sealed, strict=True)
        )
    )
    return opened._replace(name=opened.name if opened.name is not None else plain_name)


def is_erased(columns: Sequence[Any]) -> bool:
    """Whether `PERSONAL_COLUMNS` are those of a customer whose key was destroyed."""
    return columns[2] is not None


def personal_of(uow: UnitOfWork, customer_ids: Sequence[CustomerId]) -> dict[CustomerId, Personal]:
    """Return the personal data of customers, in one statement."""
    return {
        CustomerId(customer_id): revealed(uow, CustomerId(customer_id), columns)
        for customer_id, *columns in _rows(uow, customer_ids)
    }


def write_personal(uow: UnitOfWork, said: Mapping[CustomerId, Personal], *, now: datetime) -> set[CustomerId]:
    """Seal and keep what is new of it, in a few statements; return of whom something is.

    A customer that has no key yet gets one.

    Raises:
        CustomerErased: one of them was erased.
    """
    _make_keys(uow, list(said), now=now)
    sealed: dict[CustomerId, list[bytes | None]] = {}
    news = set()
    for row_id, *columns in _rows(uow, list(said)):
        customer_id = CustomerId(row_id)
        if is_erased(columns):
            raise CustomerErased(
                f"customer {to_wire('cus', customer_id)} was erased; register it under another external id"
            )
        known = revealed(uow, customer_id, columns)
        wanted = said[customer_id].over(known)
        if wanted != known:
            news.add(customer_id)
        if wanted != known or columns[3] is not None:
            key = uow.keyring().unwrap(WrappedKey(columns[0], columns[1]), place=_place(uow, customer_id, "key"))
            sealed[customer_id] = _sealed(uow, customer_id, key, wanted)
    if sealed:
        names, emails, addresses = zip(*sealed.values(), strict=True)
        uow.execute(
            """
            update customers c
            set name = null, name_sealed = new.name, email_sealed = new.email, address_sealed = new.address
            from unnest(%b::uuid[], %b::bytea[], %b::bytea[], %b::bytea[]) as new (id, name, email, address)
            where c.id = new.id
            """,
            [list(sealed), list(names), list(emails), list(addresses)],
        )
    return news


def seal_new(uow: UnitOfWork, customer_id: CustomerId, said: Personal) -> tuple[WrappedKey, list[bytes | None]]:
    """Return a fresh key of a customer to be, wrapped, and what is said of it sealed under that key."""
    key = os.urandom(KEY_BYTES)
    return uow.keyring().wrap(key, place=_place(uow, customer_id, "key")), _sealed(uow, customer_id, key, said)


def seal_plain_names(uow: UnitOfWork, *, limit: int, now: datetime) -> int:
    """Seal the names that were kept in the clear by earlier releases, at most `limit`; return how many."""
    rows = uow.fetch_all("select id from customers where name is not null order by id limit %s for update", [limit])
    write_personal(uow, {CustomerId(customer_id): Personal(None, None, None) for (customer_id,) in rows}, now=now)
    return len(rows)


def rewrap_keys(uow: UnitOfWork, *, limit: int) -> int:
    """Wrap customers' keys under the newest key-encryption key, at most `limit` that are not; return how many.

    Raises:
        EncryptionKeyMissing: one is wrapped under a key that this machine does not have.
    """
    keyring = uow.keyring()
    rows = uow.fetch_all(
        """
        select customer_id, key_id, wrapped from customer_keys
        where key_id <> %s order by customer_id limit %s for update
        """,
        [keyring.newest, limit],
    )
    places = [_place(uow, customer_id, "key") for customer_id, _, _ in rows]
    keys = [keyring.unwrap(WrappedKey(*row[1:]), place=place) for row, place in zip(rows, places, strict=True)]
    return uow.execute(
        """
        update customer_keys k set key_id = new.key_id, wrapped = new.wrapped
        from unnest(%b::uuid[], %b::text[], %b::bytea[]) as new (customer_id, key_id, wrapped)
        where k.customer_id = new.customer_id
        """,
        _columns([row[0] for row in rows], [keyring.wrap(key, place=at) for key, at in zip(keys, places, strict=True)]),
    )


def destroy_key(uow: UnitOfWork, customer_id: CustomerId, *, at: datetime) -> bool:
    """Destroy a customer's key and what it sealed; return False when that was done before."""
    destroyed = uow.execute(
        """
        insert into customer_keys as k (tenant_id, customer_id, made_at, destroyed_at) values (%s, %s, %s, %s)
        on conflict (tenant_id, customer_id) do update
        set key_id = null, wrapped = null, destroyed_at = excluded.destroyed_at where k.destroyed_at is null
        """,
        [uow.tenant_id, customer_id, at, at],
    )
    uow.execute(
        """
        update customers
        set name = null, name_sealed = null, email_sealed = null, address_sealed = null, metadata = '{}'
        where id = %s
        """,
        [customer_id],
    )
    return bool(destroyed)


def _sealed(uow: UnitOfWork, customer_id: CustomerId, key: bytes, said: Personal) -> list[bytes | None]:
    return [
        None if text is None else seal(key, text, place=_place(uow, customer_id, field))
        for field, text in zip(Personal._fields, said, strict=True)
    ]


def _make_keys(uow: UnitOfWork, customer_ids: Sequence[CustomerId], *, now: datetime) -> None:
    rows = uow.fetch_all(
        """
        select id from unnest(%b::uuid[]) as asked (id)
        where not exists (select from customer_keys where customer_id = asked.id) order by id
        """,
        [list(customer_ids)],
    )
    if not rows:
        return
    keyring = uow.keyring()
    ids = [customer_id for (customer_id,) in rows]
    keys = [keyring.wrap(os.urandom(KEY_BYTES), place=_place(uow, customer_id, "key")) for customer_id in ids]
    uow.execute(
        """
        insert into customer_keys (tenant_id, made_at, customer_id, key_id, wrapped)
        select %s, %s, * from unnest(%b::uuid[], %b::text[], %b::bytea[]) on conflict do nothing
        """,
        [uow.tenant_id, now, *_columns(ids, keys)],
    )


def _columns(customer_ids: Sequence[Any], keys: Sequence[WrappedKey]) -> list[list[Any]]:
    return [list(customer_ids), [key.key_id for key in keys], [key.wrapped for key in keys]]


def _rows(uow: UnitOfWork, customer_ids: Sequence[CustomerId]) -> list[Row]:
    return uow.fetch_all(
        f"""
        select c.id, {PERSONAL_COLUMNS}
        from customers c left join customer_keys k on k.customer_id = c.id
        where c.id = any(%b::uuid[])
        """,
        [list(customer_ids)],
    )


def _place(uow: UnitOfWork, customer_id: Any, field: str) -> str:
    return f"{uow.tenant_id}/customers/{customer_id}/{field}"

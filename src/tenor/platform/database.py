"""The database: connections of each role, and transactions that cannot be lost quietly."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Final, Self

import msgspec
import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_dumps, set_json_loads

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import TenantId
from tenor.platform.binary import BinaryArray, BinaryArrayDumper
from tenor.platform.embedded import OLDEST_MAJOR
from tenor.platform.id_loading import BinaryIdLoader, TextIdLoader
from tenor.platform.lists import BinaryListDumper, TextListDumper
from tenor.platform.logins import Logins, Role, logins_for
from tenor.platform.sealing import EncryptionKeyMissing, KeyRing
from tenor.platform.settings import Settings
from tenor.platform.unit_of_work import NOBODY, Row, Subscribers, UnitOfWork

CONNECT_SECONDS_MAX: Final = 10
LOCK_SECONDS_MAX: Final = 10
STATEMENT_SECONDS_MAX: Final = 30
"""How long a statement waits for a lock, and runs, where somebody waits for the answer; nothing bounds a bill run."""

Connection = psycopg.Connection[Row]


class DatabaseUnreachable(Refusal):
    """No connection to the database could be made."""

    code = "database_unreachable"


class DatabaseTooOld(Refusal):
    """The server is older than PostgreSQL 15, whose views cannot respect row-level security."""

    code = "database_too_old"


class LostTransaction(Refusal):
    """The transaction had failed before its end, so that nothing of it is kept.

    PostgreSQL answers a COMMIT of such a transaction with a quiet ROLLBACK. It comes from a database
    error that was caught without a savepoint around it.
    """

    code = "lost_transaction"


class Database:
    """One database, embedded or given by URL, as one process uses it.

    Connections are made when needed, as one of three roles (see `Role`), and those of the business are
    kept for the next transaction. A Database belongs to the process that opened it and may be used by
    all its threads; a worker process opens its own.
    """

    def __init__(self, logins: Logins, settings: Settings, subscribers: Subscribers) -> None:
        self._logins = logins
        self.settings = settings
        self.subscribers = subscribers
        self.keys_file = settings.keys_file or settings.data_dir / "keys"
        self._keyring: KeyRing | None = None
        self._process = os.getpid()
        self._idle: list[Connection] = []

    @classmethod
    def open(cls, settings: Settings, *, subscribers: Subscribers = NOBODY) -> Self:
        """Start or join the embedded server, or take the one that `settings` name; tell `subscribers` of events.

        Raises:
            EmbeddedServerFailed: the embedded server does not start.
        """
        return cls(logins_for(settings), settings, subscribers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections and let an embedded server go."""
        while (connection := self._take_idle()) is not None:
            connection.close()
        self._logins.close()

    @cached_property
    def server_version(self) -> int:
        """The server's version as PostgreSQL numbers it: 180006 is 18.6."""
        with self.setup() as connection:
            return connection.info.server_version

    @property
    def description(self) -> str:
        """Where the data lives and how the roles are kept apart, as one line for the operator."""
        major, minor = divmod(self.server_version, 10_000)
        roles = "a login per role" if self._logins.has_own_logins else "one login that takes the roles"
        return f"PostgreSQL {major}.{minor} {self._logins.place}, {roles}"

    @property
    def role_password(self) -> str | None:
        """The password for the roles' own logins, which `migrate` makes; None where the operator does."""
        return self._logins.password

    def keyring(self) -> KeyRing:
        """Return the key-encryption keys of this machine; the first time that any is needed they are made.

        Raises:
            EncryptionKeyMissing: there is no file of keys here, although personal data was sealed already.
            MalformedKeysFile: the file holds something else.
        """
        if self._keyring is None:
            self._keyring = KeyRing.read(self.keys_file) or self._begin_keyring()
        return self._keyring

    def rotate_keyring(self) -> None:
        """Write a new key in front of the others, and wrap with it from now on."""
        self._keyring = self.keyring().with_new_key(self.keys_file)

    def _begin_keyring(self) -> KeyRing:
        """Make the first key; never a second one beside a first that this machine lacks."""
        with self.auditor() as connection:
            row = connection.execute(
                "select key_id from customer_keys where key_id is not null"
                " union all select key_id from webhook_secrets limit 1"
            ).fetchone()
        if row is not None:
            raise EncryptionKeyMissing(
                f"personal data is sealed under the key {row[0]}, and {self.keys_file.absolute()} does not exist;"
                " copy the keys file here, or name it in TENOR_KEYS_FILE",
                key_id=row[0],
            )
        return KeyRing.begin(self.keys_file)

    @contextmanager
    def transaction(
        self, tenant_id: TenantId, *, is_snapshot: bool = False, is_awaited: bool = False
    ) -> Iterator[UnitOfWork]:
        """Run a block as one transaction of `tenant_id`: committed at its end, rolled back by an exception.

        READ COMMITTED; the role is `tenor_app`. With `is_snapshot` it only reads, and all its statements see
        the same instant. With `is_awaited` a statement that takes too long ends with an `OperationalError`.

        Raises:
            LostTransaction: the transaction failed, or was ended, inside the block.
            DatabaseUnreachable: no connection could be made.
        """
        connection = self._begin(tenant_id, is_snapshot=is_snapshot, is_awaited=is_awaited)
        try:
            yield UnitOfWork(connection, tenant_id, self.keyring, self.settings, self.subscribers)
            if connection.info.transaction_status is not TransactionStatus.INTRANS:
                raise LostTransaction("the transaction failed before its end; nothing of it was kept")
            connection.execute("commit")
        except BaseException:
            if not connection.closed:
                connection.rollback()
            raise
        finally:
            self._keep(connection)

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """Yield a connection of `tenor_owner` in autocommit, closed afterwards: the operator's work, benchmarks.

        Row-level security is forced on the owner too: set `tenor.tenant_id` to touch a tenant's rows.
        """
        with self._connect(Role.OWNER) as connection:
            yield connection

    @contextmanager
    def auditor(self) -> Iterator[Connection]:
        """Yield a connection of `tenor_auditor` in one read-only snapshot over all tenants."""
        with self._connect(Role.AUDITOR) as connection:
            connection.execute("begin isolation level repeatable read read only")
            yield connection

    @contextmanager
    def setup(self) -> Iterator[Connection]:
        """Yield a connection of the operator's own login in autocommit; `migrate` makes the roles with it."""
        with self._connect(None) as connection:
            yield connection

    def _begin(self, tenant_id: TenantId, *, is_snapshot: bool, is_awaited: bool) -> Connection:
        """Return a connection inside a fresh transaction of `tenant_id`, after one round trip.

        What earlier code left in the session is put back first. The round trip also shows whether a
        kept connection still lives: nothing has run on it yet, so a dead one is simply replaced.
        """
        if os.getpid() != self._process:
            raise RuntimeError("this Database was opened by another process; open one in each process")
        mode = "repeatable read read only" if is_snapshot else "read committed read write"
        statement = sql.SQL(
            "reset all; reset role; begin isolation level {}; select set_config('tenor.tenant_id', {}, true)"
        ).format(sql.SQL(mode), str(tenant_id))
        if is_awaited:
            bounds = sql.SQL("; set local lock_timeout = '{}s'; set local statement_timeout = '{}s'")
            statement += bounds.format(sql.SQL(str(LOCK_SECONDS_MAX)), sql.SQL(str(STATEMENT_SECONDS_MAX)))
        while (connection := self._take_idle()) is not None:
            try:
                connection.execute(statement, prepare=False)
            except psycopg.OperationalError:
                connection.close()
            else:
                return connection
        connection = self._connect(Role.APP)
        connection.execute(statement, prepare=False)
        return connection

    def _take_idle(self) -> Connection | None:
        try:
            return self._idle.pop()  # one step, for other threads take from it too
        except IndexError:
            return None

    def _keep(self, connection: Connection) -> None:
        if connection.info.transaction_status is TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def _connect(self, role: Role | None) -> Connection:
        try:
            connection = self._connect_once(role)
        except DatabaseUnreachable:
            if self._logins.retry_seconds is None:
                raise
            time.sleep(self._logins.retry_seconds)
            connection = self._connect_once(role)
        if connection.info.server_version < OLDEST_MAJOR * 10_000:
            version = connection.info.parameter_status("server_version")
            connection.close()
            raise DatabaseTooOld(f"the server {self._logins.place} is PostgreSQL {version}; 15 or later is needed")
        connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)
        connection.adapters.register_loader("uuid", TextIdLoader)
        connection.adapters.register_loader("uuid", BinaryIdLoader)
        connection.adapters.register_dumper(list, BinaryListDumper)
        connection.adapters.register_dumper(list, TextListDumper)  # the last one is taken where both would do
        set_json_dumps(msgspec.json.encode, connection)
        set_json_loads(msgspec.json.decode, connection)
        return connection

    def _connect_once(self, role: Role | None) -> Connection:
        conninfo = self._logins.conninfo(role)
        try:
            return psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX)
        except psycopg.OperationalError as error:
            whom = f" as {role}" if role else ""
            why = " ".join(str(error).split())
            raise DatabaseUnreachable(
                f"no connection to the database {self._logins.place}{whom}: {why}; {self._logins.fix}"
            ) from error

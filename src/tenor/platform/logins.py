"""Logins: how each role of the database is connected to, embedded or by URL."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

import psycopg
from psycopg.abc import ConnDict
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tenor.kernel.errors import Malformed
from tenor.platform.embedded import DATABASE_NAME, SUPERUSER, EmbeddedServer
from tenor.platform.settings import Settings


class Role(StrEnum):
    """Who a connection acts as. Row-level security binds all but the auditor, who can only read."""

    OWNER = "tenor_owner"  # owns the schema; migrates
    APP = "tenor_app"  # does the business
    AUDITOR = "tenor_auditor"  # reads every tenant


_SESSION: Final[Mapping[str, str]] = {
    "search_path": "tenor,pg_temp",  # pg_temp last, so that no temporary table can stand in for a real one
    "timezone": "UTC",
    "client_min_messages": "warning",
    "temp_buffers": "32MB",  # a stage of 10,000 rows stays in memory
}
_AUDITOR_SESSION: Final[Mapping[str, str]] = {**_SESSION, "default_transaction_read_only": "on"}


class Logins(Protocol):
    """Knows the connection string of each role, and of the operator's own login (`None`)."""

    place: str
    """Where the server is, for people; never a password."""
    fix: str
    """What to do when it cannot be reached."""
    retry_seconds: float | None
    """After how long a refused connection is worth one more try; None for never."""

    @property
    def has_own_logins(self) -> bool:
        """Whether `tenor_app` is a login of its own, so that its connections cannot become anybody else."""

    @property
    def password(self) -> str | None:
        """The password that the roles' own logins are to be made with; None where the operator makes them."""

    def conninfo(self, role: Role | None) -> str:
        """Return the connection string of `role`; for an embedded server, once it is ready."""

    def close(self) -> None:
        """Let the server go."""


class EmbeddedLogins:
    """Every role is a login of the embedded server, which the socket's private directory guards."""

    retry_seconds: float | None = 0.3  # a keeper needs 0.1 s to notice that its server has died
    has_own_logins = True

    def __init__(self, settings: Settings) -> None:
        home = settings.data_dir / "postgres"
        self._server = EmbeddedServer(home, linger_seconds=settings.embedded_linger_seconds)
        self.place = f"embedded in {self._server.home}"
        self.fix = f"run `tenor up`, or see {self._server.home / 'server.log'}"
        self._server.join()

    @property
    def password(self) -> str:
        """The password in the server's home; asked for only where the server listens on loopback."""
        return self._server.join().password

    def conninfo(self, role: Role | None) -> str:
        """Return the connection string of `role`, once the server is ready (started anew if it died)."""
        address = self._server.join()
        return make_conninfo(
            host=address.host,
            port=address.port,
            user=role or SUPERUSER,
            password=address.password,
            dbname=DATABASE_NAME,
            options=_options(_session(role)),
        )

    def close(self) -> None:
        """Let the server go; it stops after its last user."""
        self._server.leave()


class UrlLogins:
    """A server by URL: a role without a URL of its own is taken by the login of `database_url`.

    `-c role=…` at the start of the connection makes `RESET ROLE` return there. Row-level security
    then holds against mistakes of the code, but an injected `SET ROLE NONE` would undo it.
    """

    retry_seconds: float | None = None
    password: str | None = None
    fix = "start the server and run `tenor up`, or correct TENOR_DATABASE_URL"

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._url = database_url
        self._role_urls = {Role.APP: settings.app_database_url, Role.AUDITOR: settings.auditor_database_url}
        parts = _parts(database_url)
        self.place = f"at {parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"

    @property
    def has_own_logins(self) -> bool:
        """Whether `app_database_url` names a login of its own."""
        return self._role_urls[Role.APP] is not None

    def conninfo(self, role: Role | None) -> str:
        """Return the connection string of `role`; options that the URL brings come first."""
        url = self._role_urls.get(role) if role else None
        session = _session(role)
        if url is None and role is not None:
            session["role"] = role
        url = url or self._url
        return make_conninfo(url, options=f"{_parts(url).get('options', '')} {_options(session)}".strip())

    def close(self) -> None:
        """Nothing to let go."""


def logins_for(settings: Settings) -> Logins:
    """Return the logins that `settings` ask for; starts or joins the embedded server where there is no URL.

    Raises:
        EmbeddedServerFailed: the embedded server does not start.
        Malformed: the URL is none.
    """
    if settings.database_url is None:
        return EmbeddedLogins(settings)
    return UrlLogins(settings, settings.database_url)


def _parts(url: str) -> ConnDict:
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text may repeat the URL, which holds a password
        raise Malformed("the database's URL does not look like postgresql://user:password@host:5432/name") from None


def _session(role: Role | None) -> dict[str, str]:
    return dict(_AUDITOR_SESSION if role is Role.AUDITOR else _SESSION)


def _options(session: Mapping[str, str]) -> str:
    return " ".join(f"-c {name}={value}" for name, value in session.items())

"""ClickHouse over HTTP: one statement there, its rows back; values travel as parameters, never as text of SQL."""

import atexit
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec

from tenor.kernel.errors import Malformed, Refusal

DEADLINE_SECONDS: Final = 60
"""How long one statement may wait for ClickHouse; a transaction of PostgreSQL may be waiting with it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAILURE_LENGTH_MAX: Final = 500

Parameter = str | int | UUID | datetime | Sequence["Parameter"] | None


class ClickHouseFailed(Refusal):
    """ClickHouse did not answer, or refused a statement; what was asked of it may be asked again."""

    code = "clickhouse_failed"


class ClickHouse:
    """The server at `url`: http or https, its database and further settings as `?database=…&…`, user and password too.

    What the URL carries goes with every statement, e.g. `insert_quorum=auto` for a replicated database.
    """

    def __init__(self, url: str) -> None:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Malformed(f"TENOR_CLICKHOUSE_URL: {error}") from None
        if address.scheme not in {"http", "https"} or not address.host:
            raise Malformed("TENOR_CLICKHOUSE_URL is like https://user:password@host:8443/?database=tenor")
        self._url = address

    def fetch(self, statement: str, **parameters: Parameter) -> list[Any]:
        """Return the rows of a query that ends in `format JSONCompactEachRow` or `JSONEachRow`."""
        return _ROWS.decode_lines(self._execute(statement.encode(), parameters))

    def execute(self, statement: str, **parameters: Parameter) -> None:
        """Run a statement that returns nothing."""
        self._execute(statement.encode(), parameters)

    def insert(self, table: str, rows: Iterable[bytes]) -> None:
        """Write rows, one JSON object each; they are kept when this returns, and may be when it raises."""
        data = b"\n".join(rows)
        if data:
            self._execute(f"insert into {table} format JSONEachRow\n".encode() + data, {})

    def _execute(self, content: bytes, parameters: Mapping[str, Parameter]) -> bytes:
        texts = {f"param_{name}": _bare(value) for name, value in parameters.items()}
        # Without waiting for its end a query that fails half way has answered 200 already.
        url = self._url.copy_merge_params({"wait_end_of_query": "1", **texts})
        try:
            response = _client(os.getpid()).post(url, content=content)
        except httpx.HTTPError as error:
            raise ClickHouseFailed(f"no answer of ClickHouse at {self._place}: {type(error).__name__}") from error
        if response.status_code != HTTPStatus.OK or "x-clickhouse-exception-code" in response.headers:
            raise ClickHouseFailed(f"ClickHouse at {self._place}: {response.text[:_FAILURE_LENGTH_MAX]}")
        return response.content

    @property
    def _place(self) -> str:
        return f"{self._url.host}:{self._url.port or self._url.scheme}"  # never the password


@cache
def _client(process: int) -> httpx.Client:
    """Return the client of this process, with its connections; one that was forked has none of its parent's."""
    del process  # the key
    client = httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False, follow_redirects=False)
    atexit.register(client.close)
    return client


def instant_text(instant: datetime) -> str:
    """Return `instant` as a DateTime64(6, 'UTC') is written."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def instant_of(microseconds: int) -> datetime:
    """Return the instant so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _bare(value: Parameter) -> str:
    """Write a parameter as ClickHouse reads its value: outside of an array a text stands without quotes."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return _quoted(value).strip("'") if isinstance(value, datetime | UUID) else _quoted(value)


def _quoted(value: Parameter) -> str:
    """Write a parameter, or a part of one, as a literal: arrays in [], tuples in ()."""
    match value:
        case None:
            return "NULL"
        case int():
            return str(int(value))
        case datetime():
            return f"'{instant_text(value)}'"
        case UUID():
            return f"'{value}'"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case tuple():
            return f"({','.join(map(_quoted, value))})"
        case _:
            return f"[{','.join(map(_quoted, value))}]"


_ROWS: Final = msgspec.json.Decoder(float_hook=Decimal)

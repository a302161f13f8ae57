"""The Python client of the HTTP API: `with Client(url, key=…) as tenor: tenor.customers.create(external_id=…)`.

It needs httpx and nothing of the engine. The answers are dictionaries of the types in `tenor.client.forms`.
"""

from typing import Self

import httpx

from tenor.client import forms
from tenor.client.connection import Connection
from tenor.client.errors import (
    Conflict,
    EngineFailed,
    FieldError,
    Forbidden,
    Invalid,
    NotAnswered,
    NotFound,
    RateLimited,
    Refused,
    TenorError,
    Unauthenticated,
)
from tenor.client.operations import API_VERSION, Operations
from tenor.client.resource import Page, Pages

__all__ = [
    "API_VERSION",
    "Client",
    "Conflict",
    "EngineFailed",
    "FieldError",
    "Forbidden",
    "Invalid",
    "NotAnswered",
    "NotFound",
    "Page",
    "Pages",
    "RateLimited",
    "Refused",
    "TenorError",
    "Unauthenticated",
    "forms",
]


class Client(Operations):
    """A caller with a key. May be shared by threads; close it, or use it in a `with`.

    `timeout_seconds` bounds connecting and each wait for bytes, `attempts_max` how often a call is tried in all.
    `transport` stands in for the network.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        timeout_seconds: float = 30.0,
        attempts_max: int = 5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}", "Tenor-Version": API_VERSION, "User-Agent": "tenor-client"}
        http = httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, transport=transport)
        self._connection = Connection(http, attempts_max=attempts_max)
        super().__init__(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the server."""
        self._connection.close()

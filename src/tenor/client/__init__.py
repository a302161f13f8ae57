"""The Python client of the HTTP API: `with Client(url, key=…) as tenor: tenor.customers.create(external_id=…)`.

It needs httpx and nothing of the engine. The answers are dictionaries of the types in `tenor.client.forms`.
"""

from typing import TYPE_CHECKING, NoReturn, Self

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
from tenor.client.resource import Feed, FeedPage, Page, Pages, unknown

__all__ = [
    "API_VERSION",
    "Client",
    "Conflict",
    "EngineFailed",
    "Feed",
    "FeedPage",
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

    Raises:
        ValueError: the URL is no address of a server (a path is none of its parts), or the key is empty.
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
        address = httpx.URL(url)
        if address.scheme not in {"http", "https"} or not address.host or address.path.strip("/"):
            raise ValueError(f"{url!r} is not the address of a server, such as 'https://billing.example.com'")
        if not key:
            raise ValueError("the key is empty; one begins with tnr_live_ or tnr_test_")
        headers = {"Authorization": f"Bearer {key}", "Tenor-Version": API_VERSION, "User-Agent": "tenor-client"}
        http = httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, transport=transport)
        self._connection = Connection(http, attempts_max=attempts_max)
        super().__init__(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    if not TYPE_CHECKING:  # see `Resource`

        def __getattr__(self, name: str) -> NoReturn:
            """Say which resources there are, where one is asked for that there is not."""
            raise AttributeError(unknown(self, name, self.__dict__))

    def close(self) -> None:
        """Close the connections to the server."""
        self._connection.close()

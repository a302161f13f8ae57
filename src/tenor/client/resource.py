"""What the operations of all resources have in common."""

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from tenor.client.connection import Connection, Query

T = TypeVar("T")


class Resource:
    """Operations on one kind of thing, over a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class Page(NamedTuple, Generic[T]):
    """Some things of a list; `next` is what `after` of the following page is to be, None at the end."""

    data: list[T]
    next: str | None


class Pages(Generic[T]):
    """A list that is read page by page, while one goes through its things; each time anew from its beginning."""

    def __init__(self, connection: Connection, path: str, query: Query) -> None:
        self._connection = connection
        self._path = path
        self._query = query

    def __iter__(self) -> Iterator[T]:
        for page in self.by_page():
            yield from page.data

    def by_page(self) -> Iterator[Page[T]]:
        """Go through the pages, for whoever keeps the cursor to go on from it another day."""
        after: dict[str, Any] = {}
        while True:
            told = self._connection.get(self._path, {**self._query, **after})
            page: Page[T] = Page(told["data"], told["next"])
            yield page
            if page.next is None:
                return
            after = {"after": page.next}


def in_path(reference: str) -> str:
    """Return a reference as one segment of a path.

    Raises:
        ValueError: it would lead to another path.
    """
    if reference in {"", ".", ".."}:
        raise ValueError(f"{reference!r} names nothing")
    return quote(reference, safe="")

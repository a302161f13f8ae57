"""What the operations of all resources have in common."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar
from urllib.parse import quote

from tenor.client.connection import Connection, Query

T = TypeVar("T")


class Resource:
    """Operations on one kind of thing, over a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    if not TYPE_CHECKING:  # a type checker shall go on finding what there is not by itself

        def __getattr__(self, name: str) -> NoReturn:
            """Say what there is, where something is asked for that there is not."""
            raise AttributeError(unknown(self, name, dir(type(self))))


class Page(NamedTuple, Generic[T]):
    """Some things of a list; `next` is what `after` of the following page is to be, None at the end."""

    data: list[T]
    next: str | None


class FeedPage(NamedTuple, Generic[T]):
    """Some events in their order; `next` is what `after` of the following page is to be, also when it comes later."""

    data: list[T]
    next: int


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


class Feed(Generic[T]):
    """Events in their order, read page by page up to the newest. To go on later, ask for what comes after
    `event["position"]` of the last one, or after `next` of the last page.
    """

    def __init__(self, connection: Connection, path: str, query: Query) -> None:
        self._connection = connection
        self._path = path
        self._query = query

    def __iter__(self) -> Iterator[T]:
        for page in self.by_page():
            yield from page.data

    def by_page(self) -> Iterator[FeedPage[T]]:
        """Go through the pages; the last one may be empty, and says where to go on."""
        query, has_more = dict(self._query), True
        while has_more:
            told = self._connection.get(self._path, query)
            page: FeedPage[T] = FeedPage(told["events"], told["next_after"])
            yield page
            query["after"], has_more = page.next, told["has_more"]


def unknown(holder: object, name: str, known: Iterable[str]) -> str:
    """Return what to say of an attribute that there is not: which there are."""
    names = ", ".join(sorted(one for one in known if not one.startswith("_")))
    return f"{type(holder).__name__!r} has no {name!r}; it has {names}"


def in_path(reference: str) -> str:
    """Return a reference as one segment of a path.

    Raises:
        ValueError: it would lead to another path.
    """
    if reference in {"", ".", ".."}:
        raise ValueError(f"{reference!r} names nothing")
    return quote(reference, safe="")

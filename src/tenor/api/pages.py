"""Pages of a list: the newest first, and a cursor that stays where it is while new things are made."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from fastapi import Query
from typing_extensions import TypedDict

from tenor.api.errors import NotACursor
from tenor.kernel.ids import from_wire, to_wire

T = TypeVar("T")
J = TypeVar("J")


class Page(TypedDict, Generic[J]):
    """Some things of a list, the newest first. `next` is what `after` of the following page is to be; null: no more."""

    data: list[J]
    next: str | None


Limit = Annotated[int, Query(ge=1, le=200, description="How many, at most.")]
After = Annotated[
    str | None, Query(max_length=400, description="What the page before said as `next`; the first page by default.")
]


def cursor(prefix: str, after: str | None) -> UUID | None:
    """Return the id after which a page begins.

    A cursor is the id of the last thing of the page before. Lists go by when a thing was recorded, so that whatever is
    made meanwhile comes before the cursor and moves nothing behind it.

    Raises:
        NotAnId: the text is no cursor of this list.
    """
    return None if after is None else from_wire(prefix, after)


def page(
    found: Sequence[T], prefix: str, *, limit: int, id_of: Callable[[T], UUID], shown: Callable[[T], J]
) -> Page[J]:
    """Return a page of what was found; `found` holds one more than the `limit` where there is another page."""
    kept = found[:limit]
    more = len(found) > limit
    return Page(data=[shown(one) for one in kept], next=to_wire(prefix, id_of(kept[-1])) if more else None)


def place(after: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Return the key after which a page begins, of a list that goes by something else than ids; `kinds` are its types.

    Raises:
        NotACursor: the text is no cursor of this list.
    """
    if after is None:
        return None
    try:
        said = urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4))
        key: tuple[Any, ...] = msgspec.json.decode(said, type=tuple[kinds])  # type: ignore[valid-type]  # made of values
    except (ValueError, msgspec.MsgspecError):
        raise NotACursor(
            f"{after[:60]!r} is no cursor of this list: it is what the page before said as `next`"
        ) from None
    return key


def keyed_page(
    found: Sequence[T], *, limit: int, key_of: Callable[[T], tuple[object, ...]], shown: Callable[[T], J]
) -> Page[J]:
    """Return a page as `page` does, of a list that goes by a key: what is made meanwhile finds its place in it."""
    kept = found[:limit]
    more = len(found) > limit
    after = urlsafe_b64encode(msgspec.json.encode(key_of(kept[-1]))).rstrip(b"=").decode() if more else None
    return Page(data=[shown(one) for one in kept], next=after)


def whole(things: Iterable[J]) -> Page[J]:
    """Return a list that is short enough to be one page."""
    return Page(data=list(things), next=None)

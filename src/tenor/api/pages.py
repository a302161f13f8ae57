"""Pages of a list: the newest first, and a cursor that stays where it is while new things are made."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from typing_extensions import TypedDict

from tenor.kernel.ids import from_wire, to_wire

T = TypeVar("T")
J = TypeVar("J")


class Page(TypedDict, Generic[J]):
    """Some things of a list, the newest first. `next` is what `after` of the following page is to be; null: no more."""

    data: list[J]
    next: str | None


Limit = Annotated[int, Query(ge=1, le=200, description="How many, at most.")]
After = Annotated[
    str | None, Query(max_length=100, description="What the page before said as `next`; the first page by default.")
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


def whole(things: Iterable[J]) -> Page[J]:
    """Return a list that is short enough to be one page."""
    return Page(data=list(things), next=None)

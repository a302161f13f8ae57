"""Ids in paths: what is no id of its kind names nothing, as one that nobody has."""

from uuid import UUID

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import PREFIXES, NotAnId, from_wire


def id_in_path(prefix: str, text: str) -> UUID:
    """Read an id that a path names.

    Raises:
        NotFound: it is none of this kind.
    """
    try:
        return from_wire(prefix, text)
    except NotAnId:
        raise NotFound(f"there is no {PREFIXES[prefix]} {text[:60]!r}") from None

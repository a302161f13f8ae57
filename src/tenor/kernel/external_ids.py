"""External ids: the names by which the tenant's own systems know customers and subscriptions.

They stand in paths of the API, so that none may be able to lead to another path, at whichever proxy it is decoded.
Source: docs/adr/0028-what-an-external-id-may-be.md.
"""

from typing import Final

LENGTH_MAX: Final = 200


def external_id_flaw(text: str) -> str | None:
    """Return what is wrong with a text as an external id; None where nothing is."""
    if not 0 < len(text) <= LENGTH_MAX or not text.isprintable():
        return f"an external id has 1 to {LENGTH_MAX} printable characters"
    if "/" in text or "\\" in text or text in {".", ".."}:
        return "an external id holds no slash or backslash, and is not '.' or '..': it stands in paths"
    if text != text.strip():
        return "an external id does not begin or end with a space"
    return None

"""Versions of the API: dates, so that an answer keeps the form that a client was written for."""

from typing import Final

from tenor.api.errors import VersionUnknown

CURRENT_VERSION: Final = "2026-11-20"
VERSIONS: Final = (CURRENT_VERSION,)
"""Every version that is answered, the newest last. What would break clients comes with a new one."""


def require_known_version(asked: str | None) -> None:
    """Refuse a version that there is not; without one, the current version is meant.

    Raises:
        VersionUnknown: as said.
    """
    if asked is not None and asked not in VERSIONS:
        raise VersionUnknown(f"there is no version {asked[:40]!r} of the API; there is {', '.join(VERSIONS)}")

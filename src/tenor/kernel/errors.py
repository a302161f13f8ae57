"""Refusals: what the engine says no to, each with a frozen code that clients may branch on."""

from typing import ClassVar


class Refusal(Exception):
    """A request that the engine refuses; nothing has changed.

    Each subclass is one reason with one `code`, which never changes once published (a renamed
    class keeps its code). `details` are the facts behind the refusal, ready for JSON; the message
    names the place and, where there is one, the fix.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, /, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Malformed(Refusal):
    """An input that cannot be read as what it is meant to be."""

    code = "malformed"


class NotFound(Refusal):
    """A reference to something that this tenant does not have."""

    code = "not_found"


class Conflict(Refusal):
    """A change that was decided on a state which no longer holds."""

    code = "conflict"

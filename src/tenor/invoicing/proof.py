"""What a proof holds: how much was checked, and what is not as it must be."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

CHUNK: Final = 1_000
"""Subscriptions, or documents, that are read and derived at a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be. `code` is stable; `subject` names the object on the wire."""

    code: str
    subject: str
    message: str


@dataclass(slots=True)
class Proof:
    """What was checked and what was found. `pending` counts items whose news the next run has yet to settle."""

    checked: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    pending: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def found(self, code: str, subject: str, message: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(code, subject, message))


Progress = Callable[[str, int], None]
"""Told the step and how many more objects of it are done."""

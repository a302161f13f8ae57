"""Read case files: which file, which case, and the policy that the case runs under."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from tenor.kernel.calendar import midnight_of, parse_zone
from tenor.kernel.errors import Malformed
from tenor.kernel.money import exponent
from tenor.kernel.period import parse_instant
from tenor.kernel.strict_json import NotJson, parse_json
from tenor.pricing.policy import Policy, policy_with

_NAMES: Final = ("id", "kind", "profile", "class")


class MalformedCaseFile(Malformed):
    """A case file that is not an array of cases."""

    code = "malformed_case_file"


class NotACaseFile(MalformedCaseFile):
    """A JSON file that is one object, such as a schema: well made, but no array of cases."""

    code = "not_a_case_file"


@dataclass(frozen=True, slots=True)
class Case:
    """One case: facts and the outcome that a public source gives for them. `body` is the case as written."""

    id: str
    kind: str
    profile: str
    case_class: str
    body: Mapping[str, Any]

    @property
    def ask(self) -> str | None:
        """What is asked within the kind."""
        return self.body.get("ask")

    @property
    def expect(self) -> Any:
        """The outcome to be met."""
        return self.body["expect"]

    @property
    def currency_digits(self) -> int:
        """Minor digits of the case's currency; two when it names none."""
        currency = self.body.get("currency")
        return exponent(currency) if currency else 2

    def policy(self) -> Policy:
        """Return the profile's policy with the case's own keys laid over it."""
        return policy_with(self.profile, self.body.get("policy", {}))

    def zone(self) -> tzinfo:
        """Return the case's zone, an IANA name or a fixed offset; UTC when it names none."""
        return parse_zone(self.body.get("timezone") or "UTC")


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of one file, numbers read exactly as decimals.

    Raises:
        MalformedCaseFile: with the file and the position, and nothing has been yielded before.
        NotACaseFile: the file holds one object.
    """
    try:
        raw = parse_json(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MalformedCaseFile(f"{path}: {error.strerror}") from None
    except (NotJson, UnicodeDecodeError) as error:
        raise MalformedCaseFile(f"{path}: {error}") from None
    if isinstance(raw, dict):
        raise NotACaseFile(f"{path}: a case file is a JSON array of cases, not an object")
    if not isinstance(raw, list):
        raise MalformedCaseFile(f"{path}: a case file is a JSON array of cases")
    yield from [_read_case(body, f"{path}: case {position}") for position, body in enumerate(raw)]


def read_when(value: str, zone: tzinfo) -> datetime:
    """Read an instant, or a date as its local midnight."""
    return parse_instant(value) if "T" in value else midnight_of(date.fromisoformat(value), zone)


def _read_case(body: Any, place: str) -> Case:
    if not isinstance(body, dict):
        raise MalformedCaseFile(f"{place} is not an object")
    missing = [key for key in (*_NAMES, "expect") if key not in body]
    if missing:
        raise MalformedCaseFile(f"{place} has no {', '.join(missing)}")
    nameless = [key for key in _NAMES if not isinstance(body[key], str)]
    if nameless:
        raise MalformedCaseFile(f"{place}: {', '.join(nameless)} must be text")
    return Case(body["id"], body["kind"], body["profile"], body["class"], body)

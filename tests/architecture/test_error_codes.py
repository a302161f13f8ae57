"""A refusal is API: one class, one code, and a code that was published once stays."""

import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import tenor
from tenor.kernel.errors import Refusal

PUBLISHED = Path(__file__).parents[1] / "golden" / "error_codes.txt"


def refusals(cls: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Yield every refusal of the engine."""
    for subclass in cls.__subclasses__():
        if subclass.__module__.startswith("tenor."):
            yield subclass
        yield from refusals(subclass)


@pytest.fixture(scope="module", autouse=True)
def _every_module_is_imported() -> None:
    for module in pkgutil.walk_packages(tenor.__path__, "tenor."):
        import_module(module.name)


def test_every_refusal_has_a_code_of_its_own() -> None:
    found = set(refusals())
    nameless = {cls for cls in found if "code" not in vars(cls)}

    counts = Counter(cls.code for cls in found - nameless)
    assert [code for code, count in counts.items() if count > 1] == []
    assert [code for code in counts if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code)] == []
    # Only what is never raised itself may do without: it stands for several.
    assert [cls.__name__ for cls in nameless if not cls.__subclasses__()] == []


def test_every_refusal_says_what_it_means() -> None:
    assert [cls.__name__ for cls in refusals() if not (cls.__doc__ or "").strip()] == []


def test_published_codes_stay_and_new_ones_are_published() -> None:
    lines = PUBLISHED.read_text(encoding="utf-8").splitlines()
    codes = {cls.code for cls in refusals()}

    assert lines == sorted(set(lines))
    assert set(lines) - codes == set(), "clients branch on these codes: give them back"
    assert codes - set(lines) == set(), f"new codes: add them to {PUBLISHED.name}, for good"

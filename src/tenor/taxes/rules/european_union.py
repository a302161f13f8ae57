"""The countries whose businesses settle VAT among themselves by reverse charge."""

from typing import Final

MEMBERS: Final = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
"""Members of the European Union since 2020-02-01 (ISO 3166-1)."""

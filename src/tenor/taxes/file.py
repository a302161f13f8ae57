"""The YAML file of a tenant's taxes, read and written: the seller and the table of rates."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Final, Literal, NamedTuple

import msgspec
import yaml

from tenor.kernel.calendar import midnight_of
from tenor.kernel.errors import Malformed
from tenor.kernel.period import format_instant, parse_instant, require_utc
from tenor.kernel.quantity import parse_decimal, plain
from tenor.taxes.errors import MalformedTaxFile
from tenor.taxes.model import PERCENT_DIGITS, STANDARD, Jurisdiction, TaxRate, TaxSeller

BYTES_MAX: Final = 1_000_000


class TaxFile(NamedTuple):
    """What a file says; no seller means that the one that is set stays."""

    seller: TaxSeller | None
    rates: Sequence[TaxRate]


class _Seller(msgspec.Struct, forbid_unknown_fields=True):
    country: str
    tax_id: str | None = None
    rates_from: Literal["table", "engine"] = "table"


class _Rate(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    country: str
    percent: str
    valid_from: str
    valid_to: str | None = None
    region: str = ""
    category: str = STANDARD


class _File(msgspec.Struct, forbid_unknown_fields=True):
    seller: _Seller | None = None
    rates: list[_Rate] = []


class _TextLoader(yaml.BaseLoader):
    """Every scalar stays the text that was written, so that 0.10 is no float and NO no boolean; no key comes twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's own signature
        words: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in words:
                    raise MalformedTaxFile(f"line {key.start_mark.line + 1}: the key {key.value!r} comes twice")
                words.add(key.value)
        return super().construct_mapping(node, deep)


def read_tax_file(source: bytes, *, zone: tzinfo) -> TaxFile:
    """Read the YAML of a tenant's taxes. A date without a time is its midnight in `zone`.

    Raises:
        MalformedTaxFile: with the place, and what is wrong there.
    """
    if len(source) > BYTES_MAX:
        raise MalformedTaxFile(f"the file has {len(source):,} bytes; at most {BYTES_MAX:,} are read")
    try:
        tree = yaml.load(source.decode("utf-8-sig"), Loader=_TextLoader)  # noqa: S506  it makes texts, lists and mappings only
        file = msgspec.convert(tree or {}, _File)
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise MalformedTaxFile(" ".join(str(error).split())) from None
    return TaxFile(
        _seller(file.seller) if file.seller else None,
        [_rate(rate, number, zone) for number, rate in enumerate(file.rates, start=1)],
    )


def read_validity(text: str, *, zone: tzinfo, name: str) -> datetime:
    """Read an instant with its zone, or a date, which is its midnight in `zone`.

    Raises:
        NotAnInstant: it is neither.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return parse_instant(text, name=name)
    return require_utc(midnight_of(day, zone), name=name)


def write_tax_file(content: TaxFile) -> str:
    """Return the YAML that says this; read again, it says the same."""
    tree: dict[str, Any] = {}
    if content.seller is not None:
        told = {"country": content.seller.country, "tax_id": content.seller.tax_id}
        tree["seller"] = _said({**told, "rates_from": content.seller.rates_from})
    tree["rates"] = [
        _said(
            {
                "name": rate.name,
                "country": rate.jurisdiction.country,
                "region": rate.jurisdiction.region,
                "category": rate.category,
                "percent": plain(rate.percent),
                "valid_from": format_instant(rate.valid_from),
                "valid_to": None if rate.valid_to is None else format_instant(rate.valid_to),
            }
        )
        for rate in content.rates
    ]
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)


def _said(members: dict[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in members.items() if text}


def _seller(seller: _Seller) -> TaxSeller:
    return TaxSeller(country=seller.country, tax_id=seller.tax_id, rates_from=seller.rates_from)


def _rate(rate: _Rate, number: int, zone: tzinfo) -> TaxRate:
    try:
        return TaxRate(
            name=rate.name,
            jurisdiction=Jurisdiction(rate.country, rate.region),
            percent=parse_decimal(rate.percent, name="percent", fraction_digits=PERCENT_DIGITS),
            valid_from=read_validity(rate.valid_from, zone=zone, name="valid_from"),
            valid_to=None if rate.valid_to is None else read_validity(rate.valid_to, zone=zone, name="valid_to"),
            category=rate.category,
        )
    except Malformed as refusal:
        raise MalformedTaxFile(f"rate {number}: {refusal.message}") from None

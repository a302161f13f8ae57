"""`/v1/tax-files`: the seller and the table of rates as one file, as a price book is one."""

from typing import Annotated

from fastapi import Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.resource import resource
from tenor.kernel.calendar import parse_zone
from tenor.taxes import apply_tax_file, read_tax_file, tax_file, tax_seller, write_tax_file
from tenor.wire import TaxRateJson, TaxSellerJson, tax_rate_json, tax_seller_json

router = resource("Tax files")
Reads = Annotated[Call, Security(a_call, scopes=["taxes:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["taxes:write"])]


class TaxFileBody(Body):
    """The text of a file: the seller and rates, in YAML or JSON (docs/taxes.md). Dates are of its zone."""

    source: Annotated[str, Field(max_length=900_000)]
    reason: Line | None = None


class TaxFileJson(TypedDict):
    """A file that says what holds; applied again, it changes nothing."""

    source: str


class TaxFileChangesJson(TypedDict):
    """The seller after a file, and the rates of it that were not there already."""

    seller: TaxSellerJson | None
    rates: list[TaxRateJson]


@router.get("/tax-files/current", response_model=TaxFileJson)
def retrieve_current(call: Reads) -> Response:
    """Return what holds as a file: the seller, and every rate with its validity."""
    return call.show(lambda work: TaxFileJson(source=write_tax_file(tax_file(work.uow))))


@router.post("/tax-files/plan", response_model=TaxFileChangesJson)
def plan(call: Writes, body: TaxFileBody) -> Response:
    """Tell what a file would change. Changes nothing."""

    def make(work: Work) -> TaxFileChangesJson:
        with work.uow.connection.transaction(force_rollback=True):
            return _applied(work, body)

    return call.once(make)


@router.post("/tax-files/apply", response_model=TaxFileChangesJson)
def apply(call: Writes, body: TaxFileBody) -> Response:
    """Set the seller and the rates that a file gives; rates that it does not name stay. Again, it changes nothing."""
    return call.once(lambda work: _applied(work, body))


def _applied(work: Work, body: TaxFileBody) -> TaxFileChangesJson:
    content = read_tax_file(body.source.encode(), zone=parse_zone(work.tenant.timezone))
    new = apply_tax_file(work.uow, content, **work.deed(body.reason))
    seller = tax_seller(work.uow)
    return TaxFileChangesJson(
        seller=None if seller is None else tax_seller_json(seller), rates=[tax_rate_json(one) for one in new]
    )

"""`/v1/products`, `/v1/metrics`, `/v1/features`, `/v1/plans`, `/v1/price-books`: what is sold and measured."""

from typing import Annotated, Any

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.resource import resource
from tenor.catalog import features_by_code, metrics_by_code, products_by_code
from tenor.kernel.closest import did_you_mean
from tenor.pricing import PlanNotSold, apply_price_book, plan_price_book, plan_records_sold, read_price_book
from tenor.wire import MetricJson, NamedJson, PlanJson, metric_json, named_json, plan_json

router = resource("Catalog")
Reads = Annotated[Call, Security(a_call, scopes=["catalog:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["catalog:write"])]


class PriceBookBody(Body):
    """A price book: the text of its file, in YAML or JSON (docs/price-books.md)."""

    source: Annotated[str, Field(min_length=1, max_length=900_000)]


class CatalogPlanJson(TypedDict):
    """What a price book would change, or has changed: declarations and plans, each with what becomes of it."""

    price_book: str
    edition: int
    currency: str
    tax_mode: str
    effective_at: str
    has_changes: bool
    declarations: list[dict[str, Any]]
    plans: list[dict[str, Any]]


@router.get("/products", response_model=Page[NamedJson])
def list_products(call: Reads) -> Response:
    """List all products."""
    return call.show(lambda work: whole(map(named_json, products_by_code(work.uow).values())))


@router.get("/metrics", response_model=Page[MetricJson])
def list_metrics(call: Reads) -> Response:
    """List all metrics."""
    return call.show(lambda work: whole(map(metric_json, metrics_by_code(work.uow).values())))


@router.get("/features", response_model=Page[NamedJson])
def list_features(call: Reads) -> Response:
    """List all features."""
    return call.show(lambda work: whole(map(named_json, features_by_code(work.uow).values())))


@router.get("/plans", response_model=Page[PlanJson])
def list_plans(call: Reads) -> Response:
    """List the plans that are sold now, each in the version that a new subscription pins."""
    return call.show(lambda work: whole(map(plan_json, plan_records_sold(work.uow, work.now).values())))


@router.get("/plans/{plan}", response_model=PlanJson)
def retrieve_plan(call: Reads, plan: Annotated[str, Path(max_length=63, description="Code.")]) -> Response:
    """Return the version of a plan that is sold now."""

    def read(work: Work) -> PlanJson:
        sold = plan_records_sold(work.uow, work.now)
        if plan not in sold:
            raise PlanNotSold(f"plan {plan!r} is not sold now{did_you_mean(plan, sold)}", plan=plan)
        return plan_json(sold[plan])

    return call.show(read)


@router.post("/price-books/plan", response_model=CatalogPlanJson)
def plan(call: Writes, body: PriceBookBody) -> Response:
    """Tell what a price book would change: new versions, and who keeps an old one. Changes nothing."""
    draft = read_price_book(body.source.encode())
    return call.once(lambda work: plan_price_book(work.uow, draft, now=work.now).to_json())


@router.post("/price-books/apply", response_model=CatalogPlanJson)
def apply(call: Writes, body: PriceBookBody) -> Response:
    """Make a price book the newest edition. Plans that changed get a new version; subscriptions keep theirs."""
    draft = read_price_book(body.source.encode())
    return call.once(lambda work: apply_price_book(work.uow, draft, actor=work.actor, now=work.now).changes.to_json())

"""The catalogue: names may change, what a metric means may not."""

import pytest

from tenor.catalog import (
    Aggregation,
    Feature,
    Metric,
    MetricMeaningChanged,
    Product,
    UnitRounding,
    add_metrics,
    features_by_code,
    metrics_by_code,
    products_by_code,
    upsert_features,
    upsert_products,
)
from tenor.kernel.ids import TenantId
from tenor.kernel.money import RoundingMode
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork

TOKENS = Metric("tokens", "Tokens", Aggregation.SUM, "n", "token")
CALLS = Metric("calls", "Calls", Aggregation.COUNT, None, "call")

WORK = Metric(
    "work",
    "Work",
    Aggregation.SUM,
    None,
    "hour",
    expression="ms / 3600000",
    recurring=True,
    prorated=True,
    rounding=UnitRounding(RoundingMode.CEIL, -2),
)


def test_products_and_features_are_added_and_renamed(uow: UnitOfWork) -> None:
    upsert_products(uow, [Product("a", "A"), Product("b", "B")])
    upsert_products(uow, [Product("b", "Bee"), Product("c", "C")])
    upsert_features(uow, [Feature("sso", "SSO")])
    upsert_features(uow, [Feature("sso", "Single sign-on")])

    assert products_by_code(uow) == {"a": Product("a", "A"), "b": Product("b", "Bee"), "c": Product("c", "C")}
    assert features_by_code(uow) == {"sso": Feature("sso", "Single sign-on")}


def test_nothing_to_write_is_no_error(uow: UnitOfWork) -> None:
    upsert_products(uow, [])
    upsert_features(uow, [])
    add_metrics(uow, [])

    assert (products_by_code(uow), features_by_code(uow), metrics_by_code(uow)) == ({}, {}, {})


def test_a_metric_is_added_once(uow: UnitOfWork) -> None:
    add_metrics(uow, [TOKENS])
    add_metrics(uow, [TOKENS, CALLS, WORK])

    assert metrics_by_code(uow) == {"tokens": TOKENS, "calls": CALLS, "work": WORK}


@pytest.mark.parametrize(
    "other",
    [
        Metric("tokens", "Tokens", Aggregation.MAX, "n", "token"),
        Metric("tokens", "Tokens", Aggregation.SUM, "m", "token"),
        Metric("tokens", "Tokens", Aggregation.COUNT, None, "token"),
        Metric("tokens", "Tokens", Aggregation.SUM, None, "token", expression="n"),
        Metric("tokens", "Tokens", Aggregation.SUM, "n", "token", recurring=True),
        Metric("tokens", "Tokens", Aggregation.SUM, "n", "token", rounding=UnitRounding(RoundingMode.CEIL, 0)),
    ],
)
def test_a_metric_keeps_its_meaning(uow: UnitOfWork, other: Metric) -> None:
    add_metrics(uow, [TOKENS])

    with pytest.raises(MetricMeaningChanged, match="'tokens'"):
        add_metrics(uow, [other])


def test_codes_belong_to_a_tenant(database: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        add_metrics(uow, [TOKENS])
    with database.transaction(other_tenant) as uow:
        assert metrics_by_code(uow) == {}
        add_metrics(uow, [Metric("tokens", "Tokens", Aggregation.MAX, "n", "token")])

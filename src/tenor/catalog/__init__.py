"""Catalogue: the products, metrics and features that price books refer to."""

from tenor.catalog.model import Aggregation, Feature, Metric, Product, UnitRounding
from tenor.catalog.store import (
    MetricMeaningChanged,
    add_metrics,
    features_by_code,
    metrics_by_code,
    products_by_code,
    upsert_features,
    upsert_products,
)

__all__ = [
    "Aggregation",
    "Feature",
    "Metric",
    "MetricMeaningChanged",
    "Product",
    "UnitRounding",
    "add_metrics",
    "features_by_code",
    "metrics_by_code",
    "products_by_code",
    "upsert_features",
    "upsert_products",
]

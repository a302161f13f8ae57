"""Catalogue: the products, metrics and features that price books refer to."""

from tenor.catalog.model import Aggregation, Condition, Feature, Filter, Metric, Product, UnitRounding, kept_dimensions
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
    "Condition",
    "Feature",
    "Filter",
    "Metric",
    "MetricMeaningChanged",
    "Product",
    "UnitRounding",
    "add_metrics",
    "features_by_code",
    "kept_dimensions",
    "metrics_by_code",
    "products_by_code",
    "upsert_features",
    "upsert_products",
]

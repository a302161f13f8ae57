"""Parts: which number of a window the usage counts for that has certain values of the window's dimensions."""

from collections.abc import Mapping

from tenor.catalog.model import Filter
from tenor.metering.model import DimensionValues, Part, UsageWindow


def part_of(window: UsageWindow, values: DimensionValues) -> Part | None:
    """Return it for `values` of the window's kept dimensions; None where its filter leaves them out."""
    said = dict(zip(window.kept_dimensions, values, strict=True))
    if not _meets(said, window.filter):
        return None
    pool = next((place for place, pool in enumerate(window.pools) if _meets(said, pool)), None)
    return values[: len(window.dimensions)] if pool is None else pool


def _meets(said: Mapping[str, str], conditions: Filter) -> bool:
    return all((said[name] in values) != excludes for name, values, excludes in conditions)

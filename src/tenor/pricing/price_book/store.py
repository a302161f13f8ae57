"""What is applied of a price book, and the writing of its next edition."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from tenor.catalog import features_by_code, kept_dimensions, metrics_by_code, products_by_code
from tenor.kernel.ids import PlanVersionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.definition import PlanVersionRecord, charge_id, content_hash, filter_from_json
from tenor.pricing.model import TaxMode
from tenor.pricing.price_book.changes import AppliedCatalog, Edition, PinnedCounts
from tenor.pricing.price_book.draft import PriceBookDraft
from tenor.pricing.store import RECORD_COLUMNS, record_of

_PLAN_VERSION_COLUMNS: Final = (
    ("id", "uuid"),
    ("plan", "text"),
    ("version", "bigint"),
    ("name", "text"),
    ("product", "text"),
    ("price_book", "text"),
    ("price_book_version", "bigint"),
    ("currency", "text"),
    ("tax_mode", "text"),
    ("effective_at", "timestamptz"),
    ("definition", "jsonb"),
    ("customer_id", "uuid"),
    ("content_hash", "bytea"),
)
_CHARGE_COLUMNS: Final = (
    ("id", "uuid"),
    ("plan_version_id", "uuid"),
    ("code", "text"),
    ("kind", "text"),
    ("metric", "text"),
    ("dimensions", "text[]"),
)
_FEATURE_COLUMNS: Final = (("plan_version_id", "uuid"), ("feature", "text"), ("limit_value", "numeric"))


def lock_catalogue(uow: UnitOfWork) -> None:
    """Wait until no other transaction applies a price book of this tenant, and keep others waiting until the end."""
    uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tenor catalogue of {uow.tenant_id}"])


def applied_catalog(uow: UnitOfWork, price_book: str) -> AppliedCatalog:
    """Return what is applied, as far as a draft of `price_book` must agree with it."""
    newest = uow.fetch_all(
        f"""
        select distinct on (v.plan) {RECORD_COLUMNS}
        from plan_versions v where v.price_book = %s and v.customer_id is null
        order by v.plan, v.version desc
        """,
        [price_book],
    )
    elsewhere = uow.fetch_all(
        "select distinct plan, price_book from plan_versions where price_book <> %s", [price_book]
    )
    return AppliedCatalog(
        edition=_newest_edition(uow, price_book),
        newest={record.plan: record for record in map(record_of, newest)},
        books_elsewhere=dict(elsewhere),
        products=products_by_code(uow),
        metrics=metrics_by_code(uow),
        features=features_by_code(uow),
    )


def pinned_counts(uow: UnitOfWork, price_book: str, *, now: datetime) -> PinnedCounts:
    """Return how many subscriptions have each version of the plans of `price_book` at `now` or later.

    Reads the tables of the subscriptions, for who keeps what is the question that a plan of changes answers.
    """
    rows = uow.fetch_all(
        """
        select v.plan, v.version, count(distinct i.subscription_id)
        from plan_versions v
        join subscription_items i on i.plan_version_id = v.id
        join subscriptions s on s.id = i.subscription_id and s.status not in ('cancelled', 'expired')
        where v.price_book = %s and v.customer_id is null and exists (
            select from phases p
            where p.item_id = i.id and p.superseded_by_version is null and (p.ends_at is null or p.ends_at > %s)
        )
        group by v.plan, v.version
        """,
        [price_book, now],
    )
    return {(plan, version): count for plan, version, count in rows}


def write_edition(
    uow: UnitOfWork,
    draft: PriceBookDraft,
    *,
    edition: int,
    new_versions: Sequence[PlanVersionRecord],
    sold: Mapping[str, PlanVersionId],
    actor: str,
    now: datetime,
) -> None:
    """Write edition number `edition` of the book: the plan versions it brings, and all that it sells (`sold`)."""
    uow.execute(
        """
        insert into price_books (tenant_id, code, currency, tax_mode) values (%s, %s, %s, %s)
        on conflict (tenant_id, code) do nothing
        """,
        [uow.tenant_id, draft.code, draft.currency, draft.tax_mode.value],
    )
    uow.execute(
        """
        insert into price_book_versions
            (tenant_id, price_book, version, effective_at, source_digest, applied_at, applied_by)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [uow.tenant_id, draft.code, edition, draft.effective_at, draft.source_digest, now, actor],
    )
    write_plan_versions(uow, new_versions)
    uow.execute(
        """
        insert into price_book_plans (tenant_id, price_book, price_book_version, plan, plan_version_id)
        select %s, %s, %s, * from unnest(%s::text[], %s::uuid[])
        """,
        [uow.tenant_id, draft.code, edition, list(sold), list(sold.values())],
    )


def _newest_edition(uow: UnitOfWork, price_book: str) -> Edition | None:
    row = uow.fetch_one(
        """
        select e.version, b.currency, b.tax_mode, e.effective_at,
               array(select p.plan from price_book_plans p
                     where p.price_book = e.price_book and p.price_book_version = e.version)
        from price_book_versions e
        join price_books b on b.code = e.price_book
        where e.price_book = %s
        order by e.version desc limit 1
        """,
        [price_book],
    )
    if row is None:
        return None
    version, currency, tax_mode, effective_at, plans = row
    return Edition(version, currency, TaxMode(tax_mode), effective_at, frozenset(plans))


def write_plan_versions(uow: UnitOfWork, records: Sequence[PlanVersionRecord]) -> None:
    """Write new plan versions with their hashes, charges and features."""
    versions = [(*record, content_hash(record)) for record in records]
    uow.copy_rows("plan_versions", _PLAN_VERSION_COLUMNS, versions)
    charges = [
        (
            charge_id(record, body["code"]),
            record.id,
            body["code"],
            body["kind"],
            body.get("metric"),
            list(kept_dimensions(body["price"].get("dimensions", ()), filter_from_json(body.get("filter", {})))),
        )
        for record in records
        for body in record.definition["charges"]
    ]
    uow.copy_rows("charges", _CHARGE_COLUMNS, charges)
    features = [
        (record.id, feature, None if limit is None else Decimal(limit))
        for record in records
        for feature, limit in record.definition["features"].items()
    ]
    uow.copy_rows("plan_version_features", _FEATURE_COLUMNS, features)

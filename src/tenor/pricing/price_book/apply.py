"""Apply a price book: compare, write the next edition, tell it; all in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from tenor.catalog import add_metrics, upsert_features, upsert_products
from tenor.kernel.ids import PlanVersionId, derived_id
from tenor.kernel.period import EARLIEST
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.definition import PlanVersionRecord
from tenor.pricing.price_book.changes import AppliedCatalog, CatalogPlan, PlanAction, plan_changes
from tenor.pricing.price_book.draft import PriceBookDraft
from tenor.pricing.price_book.store import applied_catalog, lock_catalogue, pinned_counts, write_edition


class AppliedPriceBook(NamedTuple):
    """What an apply did (`changes.is_empty`: nothing), and the version of every plan that the book now sells."""

    changes: CatalogPlan
    plan_versions: Mapping[str, PlanVersionId]


def plan_price_book(uow: UnitOfWork, draft: PriceBookDraft, *, now: datetime) -> CatalogPlan:
    """Return what applying `draft` would change; write nothing.

    Raises:
        ConflictingPriceBook: the draft contradicts what is applied.
    """
    return plan_changes(applied_catalog(uow, draft.code), draft, pinned_counts(uow, draft.code, now=now))


def apply_price_book(uow: UnitOfWork, draft: PriceBookDraft, *, actor: str, now: datetime) -> AppliedPriceBook:
    """Make `draft` the newest edition of its price book; a draft that changes nothing writes nothing.

    Plans that changed get a version more; subscriptions keep the version they have. Two applies of one
    tenant wait for each other. The ids that are written follow from the tenant, `now` and the codes.

    Raises:
        ConflictingPriceBook: the draft contradicts what is applied; nothing has been written.
    """
    lock_catalogue(uow)
    applied = applied_catalog(uow, draft.code)
    changes = plan_changes(applied, draft, pinned_counts(uow, draft.code, now=now))
    new_versions = _new_versions(uow, draft, changes, now)
    sold = {plan.plan: applied.newest[plan.plan].id for plan in draft.plans if plan.plan in applied.newest}
    sold |= {version.plan: version.id for version in new_versions}
    if not changes.is_empty:
        upsert_products(uow, draft.products)
        add_metrics(uow, draft.metrics)
        upsert_features(uow, draft.features)
        write_edition(uow, draft, edition=changes.edition, new_versions=new_versions, sold=sold, actor=actor, now=now)
        _tell(uow, changes, applied, actor, now)
    return AppliedPriceBook(changes, sold)


def _new_versions(
    uow: UnitOfWork, draft: PriceBookDraft, changes: CatalogPlan, now: datetime
) -> list[PlanVersionRecord]:
    versions = {
        change.plan: change.version for change in changes.plans if change.action in {PlanAction.NEW, PlanAction.CHANGED}
    }
    return [
        PlanVersionRecord(
            id=PlanVersionId(
                derived_id(
                    now, uow.tenant_id.bytes, b"plan_version", plan.plan.encode(), versions[plan.plan].to_bytes(8)
                )
            ),
            plan=plan.plan,
            version=versions[plan.plan],
            name=plan.name,
            product=plan.product,
            price_book=draft.code,
            price_book_version=changes.edition,
            currency=draft.currency,
            tax_mode=draft.tax_mode,
            effective_at=draft.effective_at,
            definition=plan.definition,
        )
        for plan in draft.plans
        if plan.plan in versions
    ]


def _tell(uow: UnitOfWork, changes: CatalogPlan, applied: AppliedCatalog, actor: str, now: datetime) -> None:
    price_book_id = derived_id(EARLIEST, uow.tenant_id.bytes, b"price_book", changes.price_book.encode())
    after = changes.to_json()
    before = {"edition": applied.edition.version} if applied.edition else None
    record(
        uow,
        [
            Deed(
                actor=actor,
                action="price_book.apply",
                object_type="price_book",
                object_id=price_book_id,
                reason=f"edition {changes.edition} of {changes.price_book}",
                occurred_at=now,
                before=before,
                after=after,
            )
        ],
    )
    publish(uow, [Event("price_book.applied", price_book_id, after, now)])

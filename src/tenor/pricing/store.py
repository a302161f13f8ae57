"""Read plan versions, and prove on the way that nobody has changed them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tenor.kernel.closest import did_you_mean
from tenor.kernel.errors import NotFound, Refusal
from tenor.kernel.ids import PlanVersionId
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.pricing.definition import PlanVersionRecord, content_hash, plan_version
from tenor.pricing.model import PlanVersion, TaxMode

RECORD_COLUMNS: Final = """v.id, v.plan, v.version, v.name, v.product, v.price_book, v.price_book_version, v.currency,
    v.tax_mode, v.effective_at, v.definition, v.customer_id"""
"""The columns of `plan_versions v` in the order of `PlanVersionRecord`."""


_SOLD_AT: Final = f"""
    select {RECORD_COLUMNS}, v.content_hash
    from (
        select distinct on (price_book) price_book, version
        from price_book_versions where effective_at <= %s order by price_book, version desc
    ) edition
    join price_book_plans p on p.price_book = edition.price_book and p.price_book_version = edition.version
    join plan_versions v on v.id = p.plan_version_id
"""
"""What the newest edition of each price book sells at an instant: never a private edition, which no book lists."""


class TamperedPlanVersion(Refusal):
    """A stored plan version whose content does not give its hash: it was changed behind the engine's back."""

    code = "tampered_plan_version"


class PlanNotSold(NotFound):
    """A plan that no price book sells at the instant asked for."""

    code = "plan_not_sold"


def plan_versions(
    uow: UnitOfWork, ids: Iterable[PlanVersionId], *, is_verified: bool = True
) -> dict[PlanVersionId, PlanVersion]:
    """Return the plan versions of `ids`, in one statement.

    `is_verified` False leaves out the check of the hash, for reports that must show what was changed.

    Raises:
        NotFound: an id is no plan version of this tenant.
        TamperedPlanVersion: the content of one does not give its hash.
    """
    wanted = set(ids)
    rows = uow.fetch_all(
        f"select {RECORD_COLUMNS}, v.content_hash from plan_versions v where v.id = any(%s)", [list(wanted)]
    )
    found = {version.id: version for version in (_plan_version(row, is_verified=is_verified) for row in rows)}
    missing = sorted(wanted - found.keys())
    if missing:
        raise NotFound(f"there is no plan version {missing[0]}", plan_version_ids=[str(one) for one in missing])
    return found


def plan_records(uow: UnitOfWork, ids: Iterable[PlanVersionId]) -> dict[PlanVersionId, PlanVersionRecord]:
    """Return what is stored of those of `ids` that are plan versions of this tenant, in one statement.

    Raises:
        TamperedPlanVersion: the content of one does not give its hash.
    """
    rows = uow.fetch_all(
        f"select {RECORD_COLUMNS}, v.content_hash from plan_versions v where v.id = any(%s)", [list(ids)]
    )
    return {record.id: record for record in map(_verified_record, rows)}


def plan_versions_by_code(uow: UnitOfWork, plans: Collection[str], at: datetime) -> dict[str, PlanVersion]:
    """Return the version of each plan that is sold at an instant, in one statement; plans not sold are left out.

    Raises:
        TamperedPlanVersion: the content of one does not give its hash.
    """
    rows = uow.fetch_all(f"{_SOLD_AT} where p.plan = any(%s)", [at, list(plans)])
    return {version.plan: version for version in (_plan_version(row, is_verified=True) for row in rows)}


def plan_records_sold(uow: UnitOfWork, at: datetime) -> dict[str, PlanVersionRecord]:
    """Return what is stored of the version of every plan that is sold at an instant.

    Raises:
        TamperedPlanVersion: the content of one does not give its hash.
    """
    rows = uow.fetch_all(_SOLD_AT, [at])
    return {record.plan: record for record in (_verified_record(row) for row in rows)}


def newest_plan_version(uow: UnitOfWork, plan: str, at: datetime) -> PlanVersion:
    """Return the version of `plan` that is sold at an instant: what a new subscription pins.

    Raises:
        PlanNotSold: no price book sells the plan then.
        TamperedPlanVersion: its content does not give its hash.
    """
    try:
        return plan_versions_by_code(uow, [plan], at)[plan]
    except KeyError:
        meant = did_you_mean(plan, plans_sold(uow, at))
        raise PlanNotSold(f"no plan {plan!r} is sold at {format_instant(at)}{meant}", plan=plan) from None


def plans_sold(uow: UnitOfWork, at: datetime) -> list[str]:
    """Return the codes of all plans that are sold at an instant."""
    return [plan for (plan,) in uow.fetch_all(f"select sold.plan from ({_SOLD_AT}) sold order by 1", [at])]


def tampered_plan_versions(uow: UnitOfWork) -> tuple[int, list[tuple[PlanVersionId, str]]]:
    """Return how many plan versions there are, and id and name of each whose content does not give its hash."""
    rows = uow.fetch_all(f"select {RECORD_COLUMNS}, v.content_hash from plan_versions v order by v.plan, v.version")
    tampered = []
    for *columns, stored_hash in rows:
        record = record_of(columns)
        if content_hash(record) != stored_hash:
            tampered.append((record.id, f"version {record.version} of plan {record.plan!r}"))
    return len(rows), tampered


def record_of(row: Sequence[Any]) -> PlanVersionRecord:
    """Return the record of a row of `RECORD_COLUMNS`."""
    record = PlanVersionRecord._make(row)
    return record._replace(tax_mode=TaxMode(record.tax_mode), effective_at=record.effective_at.astimezone(UTC))


def _plan_version(row: Row, *, is_verified: bool) -> PlanVersion:
    record = _verified_record(row) if is_verified else record_of(row[:-1])
    return plan_version(record, stored_hash=row[-1])


def _verified_record(row: Row) -> PlanVersionRecord:
    """Return the record of a row of `RECORD_COLUMNS` and the hash, or refuse what does not give that hash."""
    record, stored_hash = record_of(row[:-1]), row[-1]
    if content_hash(record) != stored_hash:
        raise TamperedPlanVersion(
            f"version {record.version} of plan {record.plan!r} is not what was applied: its hash does not fit",
            plan=record.plan,
            version=record.version,
        )
    return record


def tax_categories(uow: UnitOfWork) -> list[str]:
    """Return the tax categories of all charges that were ever sold, `standard` included, sorted."""
    rows = uow.fetch_all(
        """
        select distinct coalesce(charge ->> 'tax_category', 'standard')
        from plan_versions, jsonb_array_elements(definition -> 'charges') charge
        union select 'standard' order by 1
        """
    )
    return [row[0] for row in rows]

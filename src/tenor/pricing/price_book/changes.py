"""What applying a price book would change: a pure comparison of a draft with what is applied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from tenor.catalog import Feature, Metric, Product
from tenor.kernel.period import format_instant
from tenor.pricing.definition import PlanVersionRecord
from tenor.pricing.model import TaxMode
from tenor.pricing.price_book.differences import Difference, definition_differences
from tenor.pricing.price_book.draft import PlanDraft, PriceBookDraft
from tenor.pricing.price_book.problems import ConflictingPriceBook, Problem

PinnedCounts = Mapping[tuple[str, int], int]
"""How many subscriptions have each (plan, version)."""


Declared = Product | Metric | Feature


class Edition(NamedTuple):
    """The newest applied edition of a price book; `plans` are the codes that it sells."""

    version: int
    currency: str
    tax_mode: TaxMode
    effective_at: datetime
    plans: frozenset[str]


@dataclass(frozen=True, slots=True)
class AppliedCatalog:
    """What is applied, as far as a draft of one price book must agree with it.

    `newest` holds the newest version of every plan that this price book ever sold. `books_elsewhere`
    leads from the plans of the other price books to those books.
    """

    edition: Edition | None
    newest: Mapping[str, PlanVersionRecord]
    books_elsewhere: Mapping[str, str]
    products: Mapping[str, Product]
    metrics: Mapping[str, Metric]
    features: Mapping[str, Feature]


class PlanAction(StrEnum):
    """What happens to a plan."""

    NEW = "new"
    CHANGED = "changed"  # a new version; those who have an older one keep it
    RESUMED = "resumed"  # sold again, as it was
    REMOVED = "removed"  # no longer sold; those who have it keep it
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What happens to one plan.

    `version` is the one sold afterwards (of a removed plan: the last one), `previous_version` the newest
    before. `grandfathered` are the versions that are not sold afterwards, with how many have them.
    """

    plan: str
    action: PlanAction
    version: int
    previous_version: int | None
    differences: tuple[Difference, ...]
    grandfathered: tuple[tuple[int, int], ...]

    def render(self) -> Iterator[str]:
        """Yield the change as lines of text."""
        match self.action:
            case PlanAction.NEW:
                yield f"+ plan {self.plan}: version {self.version}"
            case PlanAction.CHANGED:
                yield f"~ plan {self.plan}: version {self.previous_version} → {self.version}"
            case PlanAction.RESUMED:
                yield f"+ plan {self.plan}: sold again, version {self.version}"
            case PlanAction.REMOVED:
                yield f"- plan {self.plan}: no longer sold"
            case PlanAction.UNCHANGED:
                yield f"= plan {self.plan}: version {self.version}"
        yield from (f"    {difference}" for difference in self.differences)
        for version, count in self.grandfathered:
            yield f"    {count:,} subscription{'s stay' if count != 1 else ' stays'} on version {version}"


class Declaration(NamedTuple):
    """A product, metric or feature that is new or gets another name; `old_name` None says that it is new."""

    thing: str
    code: str
    name: str
    old_name: str | None

    def __str__(self) -> str:
        if self.old_name is None:
            return f"+ {self.thing} {self.code}: {self.name}"
        return f"~ {self.thing} {self.code}: {self.old_name} → {self.name}"


@dataclass(frozen=True, slots=True)
class CatalogPlan:
    """Everything that applying a draft would change. `edition` is the number that the book then has."""

    price_book: str
    edition: int
    currency: str
    tax_mode: TaxMode
    effective_at: datetime
    declarations: tuple[Declaration, ...]
    plans: tuple[PlanChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change, so that nothing would be written."""
        return not self.declarations and all(plan.action is PlanAction.UNCHANGED for plan in self.plans)

    def render(self) -> list[str]:
        """Return the changes as lines of text: + what comes, ~ what changes, - what goes, = what stays."""
        book = f"price book {self.price_book} ({self.currency}, tax {self.tax_mode.value})"
        if self.is_empty:
            return [f"{book}: no changes, edition {self.edition} stays"]
        lines = [f"{book}: edition {self.edition}, effective {format_instant(self.effective_at)}"]
        lines += [f"  {declaration}" for declaration in self.declarations]
        lines += [f"  {line}" for plan in self.plans for line in plan.render()]
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return the changes as plain JSON values."""
        return {
            "price_book": self.price_book,
            "edition": self.edition,
            "currency": self.currency,
            "tax_mode": self.tax_mode.value,
            "effective_at": format_instant(self.effective_at),
            "has_changes": not self.is_empty,
            "declarations": [declaration._asdict() for declaration in self.declarations],
            "plans": [
                {
                    "plan": plan.plan,
                    "action": plan.action.value,
                    "version": plan.version,
                    "previous_version": plan.previous_version,
                    "differences": [difference._asdict() for difference in plan.differences],
                    "grandfathered": [
                        {"version": version, "subscriptions": count} for version, count in plan.grandfathered
                    ],
                }
                for plan in self.plans
            ],
        }


def plan_changes(applied: AppliedCatalog, draft: PriceBookDraft, pinned: PinnedCounts) -> CatalogPlan:
    """Return what applying `draft` would change.

    Raises:
        ConflictingPriceBook: the draft contradicts what is applied: another currency or tax mode, another
            meaning of a metric, a plan of another price book, an edition before the newest one. It
            holds every such problem.
    """
    conflicts = list(_conflicts(applied, draft))
    if conflicts:
        raise ConflictingPriceBook(conflicts)
    declarations = tuple(_declarations(applied, draft))
    plans = tuple(_plan_changes(applied, draft, pinned))
    newest = applied.edition.version if applied.edition else 0
    changes = CatalogPlan(draft.code, newest, draft.currency, draft.tax_mode, draft.effective_at, declarations, plans)
    if changes.is_empty:
        return changes
    if applied.edition and draft.effective_at < applied.edition.effective_at:
        newest_at = format_instant(applied.edition.effective_at)
        message = f"{format_instant(draft.effective_at)} is before edition {newest}, which is effective {newest_at}"
        raise ConflictingPriceBook([draft.problem("effective", message, f"write {newest_at} or later")])
    return replace(changes, edition=newest + 1)


def _conflicts(applied: AppliedCatalog, draft: PriceBookDraft) -> Iterator[Problem]:
    another = "a price book keeps its currency and tax mode; write another price book"
    if applied.edition and draft.currency != applied.edition.currency:
        yield draft.problem("currency", f"{draft.code} is applied in {applied.edition.currency}", another)
    if applied.edition and draft.tax_mode != applied.edition.tax_mode:
        yield draft.problem("tax_mode", f"{draft.code} is applied with {applied.edition.tax_mode.value} tax", another)
    for index, metric in enumerate(draft.metrics):
        known = applied.metrics.get(metric.code, metric)
        if metric != known:
            meaning = f"{known.name!r}, {_meaning(known)}"
            message = f"the metric is applied as {meaning}, and a metric never changes"
            yield draft.problem(f"metrics[{index}].code", message, "give the new meaning a new code")
    for index, plan in enumerate(draft.plans):
        book = applied.books_elsewhere.get(plan.plan)
        if book:
            message = f"the plan belongs to price book {book!r}, and a plan belongs to one"
            yield draft.problem(f"plans[{index}].code", message, "give it another code here")


def _meaning(metric: Metric) -> str:
    words = [f"{metric.aggregation.value} of {metric.expression or metric.field or 'events'} in {metric.unit}"]
    words += [word for word in ("recurring", "prorated") if getattr(metric, word)]
    if metric.rounding is not None:
        words.append(f"rounded {metric.rounding.mode.value} to {metric.rounding.digits} digits")
    return ", ".join(words)


def _declarations(applied: AppliedCatalog, draft: PriceBookDraft) -> Iterator[Declaration]:
    for product in draft.products:
        yield from _declaration("product", product, applied.products.get(product.code))
    for metric in draft.metrics:
        yield from _declaration("metric", metric, applied.metrics.get(metric.code))
    for feature in draft.features:
        yield from _declaration("feature", feature, applied.features.get(feature.code))


def _declaration(thing: str, here: Declared, known: Declared | None) -> Iterator[Declaration]:
    if known is None or known.name != here.name:
        yield Declaration(thing, here.code, here.name, known.name if known else None)


def _plan_changes(applied: AppliedCatalog, draft: PriceBookDraft, pinned: PinnedCounts) -> Iterator[PlanChange]:
    on_sale = applied.edition.plans if applied.edition else frozenset()
    for plan in draft.plans:
        newest = applied.newest.get(plan.plan)
        differences = _differences(newest, plan)
        version = newest.version if newest else 0
        if newest is None:
            action = PlanAction.NEW
        elif differences:
            action = PlanAction.CHANGED
        else:
            action = PlanAction.UNCHANGED if plan.plan in on_sale else PlanAction.RESUMED
        sold = version + 1 if action in {PlanAction.NEW, PlanAction.CHANGED} else version
        yield PlanChange(
            plan.plan, action, sold, version or None, differences, _grandfathered(plan.plan, pinned, sold=sold)
        )
    for code in sorted(on_sale - {plan.plan for plan in draft.plans}):
        version = applied.newest[code].version
        yield PlanChange(code, PlanAction.REMOVED, version, version, (), _grandfathered(code, pinned, sold=None))


def _grandfathered(plan: str, pinned: PinnedCounts, *, sold: int | None) -> tuple[tuple[int, int], ...]:
    return tuple(
        (version, count) for (code, version), count in sorted(pinned.items()) if code == plan and version != sold
    )


def _differences(newest: PlanVersionRecord | None, plan: PlanDraft) -> tuple[Difference, ...]:
    new = {"name": plan.name, "product": plan.product, **plan.definition}
    old = {"name": newest.name, "product": newest.product, **newest.definition} if newest else None
    return definition_differences(old, new)

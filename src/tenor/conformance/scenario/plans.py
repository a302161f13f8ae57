"""What a scenario sells, in types: plans as phases with charges, their versions, and the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from tenor.catalog.model import Aggregation
from tenor.conformance.aggregation import read_rounding
from tenor.conformance.rating import read_price
from tenor.conformance.scenario.strict import only, required
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.quantity import parse_decimal
from tenor.metering.model import Metric
from tenor.pricing.charges import Price, from_json

Timing = Literal["advance", "arrears"]

_PLAN = frozenset(
    "id interval interval_count timing trial_days charges phases versions product add_on standalone "
    "included_add_ons anchor_scope phase_alignment change_phase_alignment tax_percents usage_interval "
    "usage_thresholds billing_threshold".split()
)
_CHARGE = frozenset(
    "kind item metric model properties amount quantity timing interval interval_count prorated minimum "
    "invoiceable group_by filters tax_percents".split()
)
_PHASE = frozenset({"type", "length", "charges"})
_VERSION = frozenset({"effective", "applies_to_existing_from", "phases"})
_METRIC = frozenset({"id", "aggregation", "field", "recurring", "prorated", "rounding"})
_ALWAYS_IN_TRIAL = frozenset({"usage", "commitment"})


@dataclass(frozen=True, slots=True)
class Charge:
    """One priced part of a phase. `name` tells it from the others of its plan; amounts are in major units."""

    name: str
    kind: str
    interval: Interval | None
    timing: Timing | None
    amount: Decimal
    quantity: Decimal
    item: str | None
    metric: str | None
    price: Price | None
    is_prorated: bool
    minimum: Decimal | None
    is_invoiceable: bool
    tax_percents: tuple[Decimal, ...] | None
    filters: tuple[Mapping[str, Any], ...]
    group_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a plan; `length` None lasts for ever."""

    type: str
    length: Interval | None
    charges: tuple[Charge, ...]

    @property
    def is_trial(self) -> bool:
        """Whether the phase is a trial."""
        return self.type == "trial"


@dataclass(frozen=True, slots=True)
class Version:
    """An edition of a plan: sold from `effective` on (None: always), given to subscribers from `applies_from` on."""

    effective: date | None
    applies_from: date | None
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sold. A plan that the case writes without phases has one for ever, after its trial days."""

    id: str
    product: str | None
    is_add_on: bool
    included_add_ons: tuple[str, ...]
    anchor_scope: str | None
    phase_alignment: str
    change_phase_alignment: str | None
    timing: Timing | None
    versions: tuple[Version, ...]
    tax_percents: tuple[Decimal, ...] | None
    interval: Interval | None
    body: Mapping[str, Any]

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of the first version."""
        return self.versions[0].phases

    @property
    def has_trial(self) -> bool:
        """Whether the plan opens with a trial."""
        return bool(self.phases) and self.phases[0].is_trial


def read_plan(body: Mapping[str, Any]) -> Plan:
    """Read one plan; keys that nothing here knows are refused."""
    only(body, _PLAN, "plan")
    first = Version(None, None, _phases(body, body))
    later = [
        Version(_day(version, "effective"), _day(version, "applies_to_existing_from"), _phases(version, body))
        for version in (only(version, _VERSION, "version of a plan") for version in body.get("versions", ()))
    ]
    return Plan(
        id=required(body, "id", "plan"),
        product=body.get("product"),
        is_add_on=body.get("add_on", False),
        included_add_ons=tuple(body.get("included_add_ons", ())),
        anchor_scope=body.get("anchor_scope"),
        phase_alignment=body.get("phase_alignment", "start_of_subscription"),
        change_phase_alignment=body.get("change_phase_alignment"),
        timing=body.get("timing"),
        versions=(first, *later),
        tax_percents=percents(body),
        interval=read_interval(body),
        body=body,
    )


def priced(plan: Plan, unit_amount: Decimal) -> Plan:
    """Return `plan` at a price of its own: every recurring charge costs `unit_amount`; without any it gets one."""
    return replace(plan, versions=tuple(_repriced(version, plan, unit_amount) for version in plan.versions))


def _repriced(version: Version, plan: Plan, unit_amount: Decimal) -> Version:
    bodies = [{"kind": "recurring", "amount": str(unit_amount)}]
    added = _charges(bodies, plan.body)

    def with_price(phase: Phase) -> Phase:
        if not any(charge.kind == "recurring" for charge in phase.charges):
            return phase if phase.is_trial else replace(phase, charges=(*phase.charges, *added))
        return replace(
            phase,
            charges=tuple(
                replace(charge, amount=unit_amount) if charge.kind == "recurring" else charge
                for charge in phase.charges
            ),
        )

    return replace(version, phases=tuple(with_price(phase) for phase in version.phases))


def read_metric(body: Mapping[str, Any]) -> Metric:
    """Read one metric; units without a field of their own are its field `units`."""
    only(body, _METRIC, "metric")
    aggregation = Aggregation(body["aggregation"])
    field = body.get("field", None if aggregation is Aggregation.COUNT else "units")
    return Metric(
        code=body["id"],
        aggregation=aggregation,
        field=field,
        recurring=body.get("recurring", False),
        prorated=body.get("prorated", False),
        rounding=read_rounding(body.get("rounding"), 0),
    )


def read_interval(body: Mapping[str, Any]) -> Interval | None:
    """Return the interval that `body` names, None where it names none."""
    return Interval(Unit(body["interval"]), body.get("interval_count", 1)) if "interval" in body else None


def percents(body: Mapping[str, Any]) -> tuple[Decimal, ...] | None:
    """Return the tax percentages that `body` names; None where it leaves them to what stands above it."""
    if "tax_percents" not in body:
        return None
    return tuple(parse_decimal(percent, name="tax_percents") for percent in body["tax_percents"])


def _phases(body: Mapping[str, Any], plan: Mapping[str, Any]) -> tuple[Phase, ...]:
    if "phases" in body:
        return tuple(_phase(phase, plan) for phase in body["phases"])
    charges = _charges(body.get("charges", ()), plan)
    days = plan.get("trial_days", 0)
    for_ever = Phase("evergreen", None, charges)
    if not days:
        return (for_ever,)
    used = tuple(charge for charge in charges if charge.kind in _ALWAYS_IN_TRIAL)
    return Phase("trial", Interval(Unit.DAY, days), used), for_ever


def _phase(body: Mapping[str, Any], plan: Mapping[str, Any]) -> Phase:
    only(body, _PHASE, "phase")
    return Phase(body["type"], read_interval(body.get("length", {})), _charges(body["charges"], plan))


def _charges(bodies: Any, plan: Mapping[str, Any]) -> tuple[Charge, ...]:
    found = []
    for position, body in enumerate(bodies):
        only(body, _CHARGE, "charge")
        kind = body["kind"]
        own = body.get("item") or body.get("metric") or ""
        found.append(
            Charge(
                name=f"{kind}:{own}:{position}",
                kind=kind,
                interval=read_interval(body) or _usual_interval(kind, plan),
                timing=body.get("timing") or (None if kind == "usage" else plan.get("timing")),
                amount=parse_decimal(body.get("amount", "0"), name="amount"),
                quantity=parse_decimal(body.get("quantity", "1"), name="quantity"),
                item=body.get("item"),
                metric=body.get("metric"),
                price=_price(body),
                is_prorated=body.get("prorated", kind != "usage"),
                minimum=parse_decimal(body["minimum"], name="minimum") if "minimum" in body else None,
                is_invoiceable=body.get("invoiceable", True),
                tax_percents=percents(body),
                filters=tuple(body.get("filters", ())),
                group_by=tuple(body.get("group_by", ())),
            )
        )
    return tuple(found)


def _usual_interval(kind: str, plan: Mapping[str, Any]) -> Interval | None:
    """Return the interval of a charge that names none: that of the plan, of its usage perhaps a finer one."""
    usage = plan.get("usage_interval", {}) if kind == "usage" else {}
    return read_interval(usage) or read_interval(plan)


def _price(body: Mapping[str, Any]) -> Price | None:
    """Return the price of a charge; graduated by a level that is prorated, each move of it is priced by itself."""
    if "model" not in body:
        return None
    moves = body["kind"] == "usage" and body["model"] == "graduated" and body.get("prorated", False)
    return from_json(read_price("prorated_graduated" if moves else body["model"], body["properties"]))


def _day(body: Mapping[str, Any], name: str) -> date | None:
    return date.fromisoformat(body[name]) if name in body else None

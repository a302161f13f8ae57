"""Read the file of a contract: a plan of the price books, and what is agreed otherwise, step by step.

Charges and features have the form that they have in a price book, and its readers read them. A charge that the plan
has already is overridden: its price is said anew and whole; what else is left unsaid stays as it is.
"""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from tenor.kernel.errors import Malformed
from tenor.pricing.contracts.errors import MalformedContract
from tenor.pricing.contracts.model import AgreedPayment, ContractDraft, PaymentTermsKind, StepDraft, StepStart
from tenor.pricing.definition import PlanVersionRecord, interval_from_json
from tenor.pricing.model import ChargeKind
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.charges import ChargeBody, Surroundings, read_charge, written
from tenor.pricing.price_book.fields import (
    Field,
    Spot,
    Unreadable,
    code,
    instant,
    nearest,
    peek,
    read_document,
    read_fields,
    read_items,
    text,
    whole_number,
)
from tenor.pricing.price_book.intervals import interval
from tenor.pricing.price_book.plans import (
    PROFILE,
    TRIAL_DAYS,
    granted_features,
    money,
    read_charges,
    report_rival_bounds,
)
from tenor.pricing.price_book.problems import MalformedPriceBook

STEPS_MAX: Final = 100
PAYMENT_DAYS_MAX: Final = 365

_IN_THE_CATALOGUE: Final = "in the catalogue"
_FIRST: Final = StepStart()


class Catalogue(NamedTuple):
    """What a contract may refer to: the plans as they are sold now, and the codes of metrics and features."""

    plans: Mapping[str, PlanVersionRecord]
    metrics: frozenset[str]
    features: frozenset[str]


def read_contract(source: bytes, catalogue: Catalogue) -> ContractDraft:
    """Read the YAML (or JSON) of a contract, as docs/price-books.md describes it.

    Raises:
        MalformedContract: with every problem of the file, each with its line and column.
    """
    try:
        return read_document(source, partial(_read, catalogue=catalogue))
    except MalformedPriceBook as refusal:
        raise MalformedContract(refusal.problems) from None


def _read(root: Spot, *, catalogue: Catalogue) -> ContractDraft:
    def plan(spot: Spot) -> tuple[Spot, PlanVersionRecord]:
        word = code(spot)
        if word not in catalogue.plans:
            spot.report(f"no plan {word!r} is sold now", nearest(word, catalogue.plans))
            raise Unreadable
        return spot, catalogue.plans[word]

    named = peek(root, "plan", plan)
    if named is None:  # what charges and steps mean hangs on the plan
        read_fields(root, {**_FRAME, "plan": Field(plan)}, may_hold_others=True)
        raise Unreadable
    spot, base = named
    agreed = _Agreed(spot, base, catalogue, term_months=peek(root, "term", _months))
    values = read_fields(root, {**_FRAME, "plan": Field(plan), **agreed.fields, "ramp": Field(agreed.read_ramp, None)})
    frame = {key: values[key] for key in ("trial_days", "profile") if values[key] is not None}
    return ContractDraft(
        code=values["contract"],
        base=base,
        name=values["name"] or base.name,
        payment=values["payment_terms"],
        po_number=values["po_number"],
        term_months=values["term"],
        steps=tuple(
            StepDraft(step.start, {**base.definition, **frame, "features": step.features, "charges": step.charges})
            for step in values["ramp"] or [agreed.holding(_FIRST)]
        ),
    )


class _Step(NamedTuple):
    """When a step begins, and the features and charges that then hold."""

    start: StepStart
    features: dict[str, str | None]
    charges: list[ChargeBody]


class _Agreed:
    """What is agreed as the file is read: the plan's features and charges, under what each step has put over them."""

    def __init__(self, spot: Spot, base: PlanVersionRecord, catalogue: Catalogue, *, term_months: int | None) -> None:
        self._catalogue = catalogue
        self._term_months = term_months
        self._interval = interval_from_json(base.definition["interval"])
        self._around = Surroundings(money(base.currency), catalogue.metrics, self._interval, _IN_THE_CATALOGUE)
        self._features: dict[str, str | None] = dict(base.definition["features"])
        self._charges: dict[str, tuple[Spot, ChargeBody]] = {
            body["code"]: (spot, body) for body in base.definition["charges"]
        }
        self._paid: set[str] = set()  # codes of the one-offs that an earlier step has brought
        self.fields: Final = {"features": Field(self._read_features, None), "charges": Field(self._read_charges, None)}
        """The fields of a step that say what is agreed from it on."""

    def holding(self, start: StepStart) -> _Step:
        """Return what holds now as the step that begins at `start`: a one-off is due in the step that names it."""
        charges = [body for word, (_, body) in self._charges.items() if word not in self._paid]
        return _Step(start, dict(self._features), charges)

    def read_ramp(self, spot: Spot) -> list[_Step]:
        """Return the first step, and those that the ramp brings, each on top of those before it."""
        first = self.holding(_FIRST)
        steps = read_items(spot, self._read_step)
        if len(steps) >= STEPS_MAX:
            raise Malformed(f"{len(steps)} steps are too many; a ramp has at most {STEPS_MAX - 1} after the first")
        for (_, earlier), (item, later) in pairwise(steps):
            if not _begins_after(later.start, earlier.start):
                item.report("this step does not begin after the one before it; let all begin 'after', or all 'from'")
        for item, step in steps:
            months, term = step.start.after_months, self._term_months
            if months is not None and term is not None and months >= term:
                item.report(f"this step begins after {months} months, when the term of {term} months has ended")
        return [first, *(step for _, step in steps)]

    def _read_step(self, spot: Spot) -> _Step:
        self._paid = {word for word, (_, body) in self._charges.items() if body["kind"] == ChargeKind.ONE_OFF}
        values = read_fields(spot, {"after": Field(_months, None), "from": Field(instant, None), **self.fields})
        start = StepStart(values["after"], values["from"])
        if (start.after_months is None) == (start.at is None):
            raise Malformed("a step begins 'after' so many months or 'from' an instant; write one of the two")
        return self.holding(start)

    def _read_features(self, spot: Spot) -> None:
        self._features |= granted_features(spot, features=self._catalogue.features, declared=_IN_THE_CATALOGUE)

    def _read_charges(self, spot: Spot) -> None:
        for item, body in read_charges(spot, self._read_charge):
            self._charges[body["code"]] = (item, body)
            self._paid.discard(body["code"])
        report_rival_bounds(self._charges.values(), self._interval)

    def _read_charge(self, spot: Spot) -> ChargeBody:
        known = self._charges.get(peek(spot, "code", code) or "")
        return read_charge(_completed(spot, known[1]) if known else spot, self._around)


def _completed(spot: Spot, body: ChargeBody) -> Spot:
    """Return an override together with all that it leaves unsaid of the charge `body`, apart from the price.

    Raises:
        Malformed: it makes another kind of charge of it.
    """
    node = spot.node
    if not isinstance(node, tree.Mapping):
        return spot
    said = {word.text for word, _ in node.entries}
    kind = peek(spot, "kind", text) or body["kind"]
    if kind != body["kind"]:
        raise Malformed(f"{body['code']!r} is a {body['kind']} charge already; give the {kind} charge another code")
    unsaid = (
        (tree.Scalar(key, is_null=False, place=node.place), tree.node_of(value, node.place))
        for key, value in written(body).items()
        if key not in said
    )
    return spot._replace(node=tree.Mapping((*node.entries, *unsaid), node.place, node.size))


def _begins_after(later: StepStart, earlier: StepStart) -> bool:
    """Whether a step begins after the one before it, both counted the same way."""
    if later.at is not None and earlier.at is not None:
        return later.at > earlier.at
    if later.after_months is not None and earlier.after_months is not None:
        return later.after_months > earlier.after_months
    return False


def _months(spot: Spot) -> int:
    months = interval(spot).months
    if not months:
        raise Malformed("a contract counts months or years, for example '18 months'")
    return months


def _payment(spot: Spot) -> AgreedPayment:
    if not isinstance(spot.node, tree.Mapping) or len(spot.node.entries) != 1:
        raise Malformed("payment terms are {net: 30} or {end_of_month: 15}")
    days = read_fields(spot, {kind: Field(whole_number(at_most=PAYMENT_DAYS_MAX), None) for kind in _PAYMENT_KINDS})
    ((kind, count),) = ((kind, count) for kind, count in days.items() if count is not None)
    return AgreedPayment(cast(PaymentTermsKind, kind), count)


_PAYMENT_KINDS: Final = ("net", "end_of_month")

_FRAME: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "contract": Field(code),
        "name": Field(text, None),
        "payment_terms": Field(_payment, None),
        "po_number": Field(text, None),
        "term": Field(_months, None),
        "trial_days": Field(TRIAL_DAYS, None),
        "profile": Field(PROFILE, None),
    }
)
"""What does not hang on the plan."""

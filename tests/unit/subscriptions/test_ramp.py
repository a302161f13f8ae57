"""Ramps: which steps of a contract are ahead of a subscription, and which of them would cut a period in two."""

from uuid import UUID

import pytest

from tenor.kernel.ids import PlanVersionId
from tenor.pricing.contracts.model import StepStart
from tenor.pricing.model import PlanVersion
from tenor.subscriptions.rules.ramp import Step, begun_by, instant_after, stages_ahead
from tests.support.invoicing import QUARTER, at, base, commitment, item, phase, plan
from tests.support.subscriptions import running

ITEM = item(phase("2026-01-31"))
SUBSCRIPTION = running()


def edition(number: int, *, minimum: bool = False) -> PlanVersion:
    charges = [base("30.00"), *([commitment("500.00", interval=QUARTER)] if minimum else [])]
    return plan(*charges, version_id=PlanVersionId(UUID(int=100 + number)))


STEPS = [
    Step(StepStart(), edition(1)),
    Step(StepStart(after_months=3), edition(2)),
    Step(StepStart(at=at("2026-07-31")), edition(3)),
]


def test_months_of_a_ramp_are_counted_on_the_calendar_of_the_item() -> None:
    assert [instant_after(months, ITEM, SUBSCRIPTION) for months in (0, 1, 3)] == [
        at("2026-01-31"),
        at("2026-02-28"),
        at("2026-04-30"),
    ]


@pytest.mark.parametrize(
    ("instant", "place"), [("2026-01-31", 0), ("2026-04-29", 0), ("2026-04-30", 1), ("2026-07-31", 2)]
)
def test_the_step_that_holds_is_the_last_that_has_begun(instant: str, place: int) -> None:
    assert begun_by(STEPS, at(instant), ITEM, SUBSCRIPTION) == place


@pytest.mark.parametrize(
    ("until", "begins"),
    [
        (None, ["2026-04-30", "2026-07-31"]),
        ("2026-08-01", ["2026-04-30", "2026-07-31"]),
        ("2026-07-31", ["2026-04-30"]),  # a step that would begin with the end never comes
        ("2026-04-30", []),
    ],
)
def test_steps_ahead_are_those_that_begin_before_the_end(until: str | None, begins: list[str]) -> None:
    end = None if until is None else at(until)

    stages, flaws = stages_ahead(STEPS, 0, ITEM, SUBSCRIPTION, quantities={}, until=end)

    assert flaws == []
    assert [stage.at for stage in stages] == [at(text) for text in begins]
    assert [stage.follows for stage in stages] == [step.plan for step in STEPS[: len(begins)]]


def test_a_step_must_not_cut_a_period_over_which_a_commitment_is_measured() -> None:
    def flaws_of(after_months: int) -> list[str]:
        steps = [Step(StepStart(), edition(1, minimum=True)), Step(StepStart(after_months=after_months), edition(2))]
        return [flaw.field for flaw in stages_ahead(steps, 0, ITEM, SUBSCRIPTION, quantities={}, until=None)[1]]

    assert flaws_of(2) == ["charges.minimum"]  # in the quarter from 31 January to 30 April
    assert flaws_of(3) == []

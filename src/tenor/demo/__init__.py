"""The demo: published usage and published subscribers billed in two sandboxes, then checked and proven."""

from tenor.demo.ai_service import ai_story
from tenor.demo.inputs import ATTRIBUTION
from tenor.demo.story import (
    Audit,
    Check,
    CreditFigures,
    NotTheDemos,
    Step,
    StepDone,
    Story,
    Tell,
    audit,
    open_sandbox,
    play,
)
from tenor.demo.telco import telco_story

__all__ = [
    "ATTRIBUTION",
    "Audit",
    "Check",
    "CreditFigures",
    "NotTheDemos",
    "Step",
    "StepDone",
    "Story",
    "Tell",
    "ai_story",
    "audit",
    "open_sandbox",
    "play",
    "stories",
    "telco_story",
]


def stories(*, every: int = 1) -> tuple[Story, Story]:
    """Return both stories on every `every`-th row of the data; each share of the data has sandboxes of its own."""
    suffix = "" if every == 1 else f"-{every}"
    return ai_story(slug=f"ai-demo{suffix}", every=every), telco_story(slug=f"telco-demo{suffix}", every=every)

"""Conformance: run neutral billing cases on the engine's own rules and score them."""

from tenor.conformance.cases import Case, MalformedCaseFile, NotACaseFile, read_cases
from tenor.conformance.runner import Outcome, as_json, run_case, totals

__all__ = ["Case", "MalformedCaseFile", "NotACaseFile", "Outcome", "as_json", "read_cases", "run_case", "totals"]

"""The language in which a metric says what an event measures. Pure."""

from tenor.catalog.rules.expression import Expression, NoResult, Said
from tenor.catalog.rules.parsing import MalformedExpression, parse_expression

__all__ = ["Expression", "MalformedExpression", "NoResult", "Said", "parse_expression"]

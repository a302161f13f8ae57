"""The adapters of the port `TaxEngine`: our own table of rates, and a server that is asked by HTTP."""

from tenor.taxes.engines.breaker import CircuitBreaker
from tenor.taxes.engines.http import HttpTaxEngine
from tenor.taxes.engines.table import TableEngine

__all__ = ["CircuitBreaker", "HttpTaxEngine", "TableEngine"]

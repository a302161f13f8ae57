"""The log of the API: one JSON object a line on stderr. Each field is named by code: no header, no body, no query."""

import logging
import sys
from typing import Any, Final

import structlog

LOG: Final[Any] = structlog.wrap_logger(
    structlog.PrintLogger(sys.stderr),
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
)

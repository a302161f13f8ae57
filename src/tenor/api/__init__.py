"""API: the engine over HTTP. Parse a call, call one operation, render the answer."""

from tenor.api.app import create_app, openapi_document
from tenor.api.server import serve

__all__ = ["create_app", "openapi_document", "serve"]

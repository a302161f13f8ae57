"""API: the engine over HTTP. Parse a call, call one operation, render the answer."""

from tenor.api.app import create_app, openapi_document
from tenor.api.server import listen, serve

__all__ = ["create_app", "listen", "openapi_document", "serve"]

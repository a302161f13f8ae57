"""The reference as pages: the OpenAPI document for people, from this server alone, without a script."""

from tenor.api.reference.routes import reference_router

__all__ = ["reference_router"]

"""What is refused about entitlements, each with its code."""

from tenor.kernel.errors import Conflict, Malformed, NotFound


class FeatureNotFound(NotFound):
    """A feature that no price book of the tenant has declared."""

    code = "feature_not_found"


class OverrideNotFound(NotFound):
    """No override of this id."""

    code = "override_not_found"


class OverrideRevoked(Conflict):
    """An override that has been revoked before."""

    code = "override_revoked"


class MalformedOverride(Malformed):
    """An override that ends before it begins, has no sensible limit, or names a subscription of another customer."""

    code = "malformed_override"

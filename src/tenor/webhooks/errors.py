"""What webhooks refuse."""

from tenor.kernel.errors import Conflict, Malformed, NotFound, Refusal


class UnsafeUrl(Malformed):
    """A URL that webhooks are not sent to: not https, with credentials, or with a host or port that could be inside."""

    code = "unsafe_url"


class UnsafeAddress(Refusal):
    """The name of a webhook endpoint leads to an address that is not public."""

    code = "unsafe_address"


class MalformedEndpoint(Malformed):
    """A description, a list of event types or a secret that no endpoint can have."""

    code = "malformed_endpoint"


class EndpointNotFound(NotFound):
    """There is no webhook endpoint of this id."""

    code = "endpoint_not_found"


class TooManyEndpoints(Conflict):
    """The tenant has as many webhook endpoints as it may have."""

    code = "too_many_endpoints"

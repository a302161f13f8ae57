"""What is wrong with a call before any operation has seen it."""

from tenor.kernel.errors import Malformed, NotFound, Refusal


class RouteUnknown(NotFound):
    """A path that leads nowhere."""

    code = "route_unknown"


class MethodNotAllowed(Refusal):
    """A method that this path does not have."""

    code = "method_not_allowed"


class BodyTooLarge(Refusal):
    """A body beyond the bound of its path."""

    code = "body_too_large"


class BodyTooSlow(Refusal):
    """A body that has not arrived in time."""

    code = "body_too_slow"


class MediaTypeUnsupported(Refusal):
    """A body of a media type that this path does not read."""

    code = "media_type_unsupported"


class RequestMalformed(Malformed):
    """A body, a parameter or a header that does not say what it has to; `errors` names each with its path."""

    code = "request_malformed"


class HeaderMalformed(Malformed):
    """A header that is missing or says what it cannot; `errors` names each."""

    code = "header_malformed"


class IdempotencyKeyMissing(HeaderMalformed):
    """A POST without the header Idempotency-Key, under which its answer is kept for a repetition."""

    code = "idempotency_key_missing"


class VersionUnknown(HeaderMalformed):
    """A Tenor-Version that there is not."""

    code = "version_unknown"


class NotACursor(Malformed):
    """A text that is not what a page of the list said as `next`."""

    code = "not_a_cursor"


class RateLimited(Refusal):
    """More calls with one key than its rate allows; `retry_after_seconds` says when the next one is let in."""

    code = "rate_limited"


class TryAgain(Refusal):
    """The engine could not do its work now; nothing has changed, and the same call may well succeed later."""

    code = "try_again"


class InternalError(Refusal):
    """Something that nobody expected. Nothing has changed; the request id finds it in the log."""

    code = "internal_error"


class AddressTaken(Refusal):
    """The address on which to listen is in use by another process, or is none of this machine."""

    code = "address_taken"

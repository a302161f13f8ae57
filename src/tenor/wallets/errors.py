"""What is refused about wallets, each with its code."""

from tenor.kernel.errors import Conflict, Malformed, NotFound, Refusal


class MalformedWallet(Malformed):
    """A wallet, a grant or a setting that cannot be as it is described."""

    code = "malformed_wallet"


class WalletNotFound(NotFound):
    """No wallet of this id, or none of this code for the customer."""

    code = "wallet_not_found"


class WalletExists(Conflict):
    """The customer has a wallet of this code with other terms."""

    code = "wallet_exists"


class GrantNotFound(NotFound):
    """No grant of this id."""

    code = "grant_not_found"


class UseNotFound(NotFound):
    """No use or reservation of this id."""

    code = "use_not_found"


class TopUpNotFound(NotFound):
    """No top-up of this id."""

    code = "top_up_not_found"


class CreditExhausted(Refusal):
    """Less is left than what is to be used, and the wallet may not be overdrawn."""

    code = "credit_exhausted"


class UseKeyReused(Conflict):
    """The key names a use of another amount or feature."""

    code = "use_key_reused"


class UsePaysDocument(Conflict):
    """The use pays a document: only what takes the document back gives it back."""

    code = "use_pays_document"


class ReservationSettled(Conflict):
    """The reservation was committed or released before, or its time is over."""

    code = "reservation_settled"


class TopUpSettled(Conflict):
    """The top-up was settled before in another way."""

    code = "top_up_settled"

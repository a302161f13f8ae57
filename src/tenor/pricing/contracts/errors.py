"""What is refused about contracts, each with its code."""

from tenor.kernel.errors import Conflict, NotFound
from tenor.pricing.price_book.problems import RefusedFile


class MalformedContract(RefusedFile):
    """A file that says something a contract cannot say, or contradicts the plan that it departs from."""

    code = "malformed_contract"
    thing = "the contract"


class ContractNotFound(NotFound):
    """No contract of this code and version."""

    code = "contract_not_found"


class ContractOfAnother(Conflict):
    """A contract code, or a contract, that belongs to another customer."""

    code = "contract_of_another"

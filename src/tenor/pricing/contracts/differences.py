"""What the steps of a contract change, told in the words of its file."""

from itertools import pairwise

from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.contracts.model import Contract
from tenor.pricing.price_book.differences import Difference, definition_differences
from tenor.pricing.store import plan_records


def contract_differences(uow: UnitOfWork, contract: Contract) -> list[tuple[Difference, ...]]:
    """Return what each step changes: the first of the plan that is departed from, a later one of the one before it.

    Raises:
        TamperedPlanVersion: the content of a plan version does not give its hash.
    """
    ids = [contract.base_id, *(step.plan_version_id for step in contract.steps)]
    records = plan_records(uow, ids)
    definitions = [records[plan_version_id].definition for plan_version_id in ids]
    return [definition_differences(former, following) for former, following in pairwise(definitions)]

"""`/v1/ledger`: the books."""

from typing import Annotated

from fastapi import Query, Security
from starlette.responses import Response

from tenor.api.call import Call, Work, a_call
from tenor.api.pages import After, Limit, Page, cursor, page, whole
from tenor.api.resource import resource
from tenor.kernel.ids import TransferId, from_wire
from tenor.ledger import list_transfers, trial_balance
from tenor.wire import AccountJson, TransferJson, TrialBalanceJson, balance_json, transfer_json

router = resource("Ledger")
Reads = Annotated[Call, Security(a_call, scopes=["ledger:read"])]


@router.get("/ledger/trial-balance", response_model=TrialBalanceJson)
def retrieve_trial_balance(call: Reads) -> Response:
    """Return every account with both its sides, and the difference, which is zero."""
    return call.show(lambda work: balance_json(trial_balance(work.uow)))


@router.get("/ledger/accounts", response_model=Page[AccountJson])
def list_accounts(call: Reads) -> Response:
    """List the accounts, one per code and currency."""
    return call.show(lambda work: whole(balance_json(trial_balance(work.uow))["accounts"]))


@router.get("/ledger/transfers", response_model=Page[TransferJson])
def list_transfers_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    invoice: Annotated[str | None, Query(max_length=60, description="Only those of this document (`inv_…`).")] = None,
) -> Response:
    """List transfers, the newest first."""

    def read(work: Work) -> Page[TransferJson]:
        since = cursor("trf", after)
        found = list_transfers(
            work.uow,
            limit=limit + 1,
            after=None if since is None else TransferId(since),
            source_id=None if invoice is None else from_wire("inv", invoice),
        )
        return page(found, "trf", limit=limit, id_of=lambda one: one.id, shown=transfer_json)

    return call.show(read)

"""Check wallets: what grants have left is what their entries say, and the ledger owes what was paid for it."""

from tenor.invoicing.proof import Proof
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets import wallets_booked_otherwise, wallets_that_do_not_add_up


def check_wallets(uow: UnitOfWork, proof: Proof) -> None:
    """Find wallets that do not add up, and those that the ledger does not hold as they are."""
    (wallet_count,) = uow.fetch_one("select count(*) from wallets") or (0,)
    if wallet_count:
        proof.checked["wallets"] = wallet_count
    for wallet_id in wallets_that_do_not_add_up(uow):
        proof.found("wallet_differs", to_wire("wal", wallet_id), "what its grants or uses hold is not what entries say")
    for drift in wallets_booked_otherwise(uow):
        name = (
            "a wallet that its customer does not have" if drift.wallet_code is None else f"wallet {drift.wallet_code}"
        )
        proof.found(
            "ledger_differs",
            to_wire("wal", drift.wallet_id),
            f"{name} is booked as {drift.account} {format_minor(drift.booked_minor, drift.currency)} instead of "
            f"{format_minor(drift.expected_minor, drift.currency)} {drift.currency}, debits counted as positive",
        )

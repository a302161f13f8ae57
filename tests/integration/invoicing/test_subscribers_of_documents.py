"""Who follows documents hears of each once, in the transaction that issues it: by a run's worker or outside of runs."""

from tenor.invoicing import AdjustmentRequest, charge_once
from tenor.platform.database import Database
from tests.integration.invoicing.conftest import EVE
from tests.support.company import Company, instant
from tests.support.following import write_down_documents, written_down

FOLLOWING = {"invoice.finalised": (write_down_documents,), "one_off.finalised": (write_down_documents,)}


def test_the_workers_of_a_run_tell_of_every_invoice_once_it_has_its_number(company: Company) -> None:
    with Database.open(company.settings, subscribers=FOLLOWING) as database:
        Company(database, company.settings, company.tenant_id).run(EVE, workers=2)
    with company.work() as uow:
        issued = uow.fetch_all(
            "select i.series || '-' || i.number, i.due_minor from invoices i where i.kind = 'invoice'"
            " and i.run_id = (select id from bill_runs order by as_of desc limit 1) order by i.number"
        )

    heard = [(told["name"], told["due_minor"]) for told in written_down(company.database, company.tenant_id)]
    assert len(issued) > 6  # more than two batches of three
    assert sorted(heard) == sorted(issued)


def test_a_document_outside_of_runs_is_told_of_too(company: Company) -> None:
    ann = company.customer_of("ann")
    asked = AdjustmentRequest(customer_id=ann, currency="EUR", amount_minor=25_00, description="Setup")
    with Database.open(company.settings, subscribers=FOLLOWING) as database:
        with database.transaction(company.tenant_id) as uow:
            name = charge_once(uow, asked, key="setup", now=instant(EVE), actor="test", reason="a test").document

        # 25.00 and the tax of 20 % on it
        assert written_down(database, company.tenant_id) == [{"name": name, "due_minor": 30_00}]

"""What the audit trail says of a call."""

import json

from tests.integration.api.conftest import World
from tests.integration.api.things import BOOK
from tests.support.api import answer


def test_every_record_of_a_call_names_its_request(world: World) -> None:
    tenant = world.tenant()
    body = json.dumps({"source": BOOK}).encode()
    made = world.caller(tenant).send("/price-books/apply", body, Request_Id="req_from-the-caller.1")
    answer(made, made.status_code)
    assert made.is_success
    with world.database.transaction(tenant) as uow:
        named = uow.fetch_all("select distinct action, request_id from audit_records where action like 'price_book%'")
    assert named == [("price_book.apply", made.headers["request-id"])]

"""Correct usage: records in the flat form or CloudEvents, each of which counts in the place of what it names."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import InvalidOperation
from typing import Any

from tenor.metering.model import Amendment
from tenor.metering.operations.amend_usage import AmendmentReceipt, amend_usage
from tenor.metering.operations.record_usage import Rejection
from tenor.metering.queries import find_metrics
from tenor.metering.rules.forms import ReadingTerms, WrongPart, payload_of_record, read_record
from tenor.platform.unit_of_work import UnitOfWork


def correct_usage(
    uow: UnitOfWork,
    records: Sequence[Mapping[str, Any]],
    *,
    default_source: str,
    now: datetime,
    actor: str,
    reason: str,
) -> AmendmentReceipt:
    """Have each record count in the place of the event that has its source and id; see `amend_usage`.

    Positions count the records from 0. One that cannot be read is rejected and keeps no other from being amended.
    """
    terms = ReadingTerms(find_metrics(uow), default_source)
    positions: list[int] = []
    amendments: list[Amendment] = []
    unreadable: list[Rejection] = []
    for position, record in enumerate(records):
        try:
            event = read_record(record, terms)
        except WrongPart as error:
            unreadable.append(Rejection(position, error.field, error.reason, payload_of_record(record, terms)))
        except InvalidOperation as error:
            unreadable.append(Rejection(position, "", f"is not JSON: {error}", payload_of_record(record, terms)))
        else:
            positions.append(position)
            amendments.append(Amendment(event.source, event.event_id, event))
    receipt = amend_usage(uow, amendments, now=now, actor=actor, reason=reason)
    rejected = [one._replace(position=positions[one.position]) for one in receipt.rejected]
    return AmendmentReceipt(
        tuple(positions[position] for position in receipt.amended),
        tuple(positions[position] for position in receipt.unchanged),
        tuple(sorted([*rejected, *unreadable])),
        receipt.touched,
    )

"""The adapter that asks a server by HTTP: one JSON object there, one back, everything about it bounded.

The question is `{"requests": [{"seller_country", "country", "region", "tax_id", "category", "on"}]}`, the answer
`{"answers": [{"rates": [{"name", "percent", "jurisdiction", "is_inclusive"}], "is_charged", "note"}]}` in the same
order. Percentages are decimals, as text or number; an answer that charges nothing must say why in `note`.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec

from tenor.kernel.errors import Malformed
from tenor.taxes.engines.breaker import CircuitBreaker
from tenor.taxes.errors import MalformedTax
from tenor.taxes.model import TEXT_LENGTH_MAX, AppliedRate, TaxAnswer, TaxRequest, require_rates
from tenor.taxes.ports import TaxEngineFailed

DEADLINE_SECONDS: Final = 5
RESPONSE_BYTES_MAX: Final = 1_000_000
RATES_MAX: Final = 20


class _Rate(msgspec.Struct):
    name: str
    percent: Decimal
    jurisdiction: str = ""
    is_inclusive: bool | None = None


class _Answer(msgspec.Struct):
    rates: list[_Rate]
    is_charged: bool = True
    note: str = ""


class _Reply(msgspec.Struct):
    answers: list[_Answer]


class HttpTaxEngine:
    """A tax engine at `url` (http or https), asked with a bearer `token` where one is given.

    Each wait and the whole reply end within `deadline_seconds`, a reply has at most 1 MB, no redirect is followed,
    and no proxy or password is taken from the environment. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = _checked(url)
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._breaker = breaker or CircuitBreaker(clock)
        headers = {"accept": "application/json", "accept-encoding": "identity", "content-type": "application/json"}
        self._client = httpx.Client(
            headers=headers | ({"authorization": f"Bearer {token}"} if token else {}),
            timeout=deadline_seconds,
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def answers(self, requests: Sequence[TaxRequest]) -> list[TaxAnswer]:
        """Return one answer for each request, in their order; see `TaxEngine`."""
        return self._breaker.call(lambda: self._ask(requests))

    def _ask(self, requests: Sequence[TaxRequest]) -> list[TaxAnswer]:
        body = msgspec.json.encode({"requests": [_question(request) for request in requests]})
        try:
            reply = msgspec.json.decode(self._post(body), type=_Reply)
            answers = [_answer(answer) for answer in reply.answers]
        except httpx.HTTPError as error:
            raise TaxEngineFailed(f"no reply: {type(error).__name__}") from error
        except (msgspec.MsgspecError, UnicodeDecodeError, Malformed) as error:
            raise TaxEngineFailed(f"the reply is no answer: {error}") from error
        if len(answers) != len(requests):
            raise TaxEngineFailed(f"{len(requests)} questions were asked, {len(answers)} answered")
        return answers

    def _post(self, body: bytes) -> bytes:
        ends_at = self._clock() + self._deadline_seconds
        received = bytearray()
        with self._client.stream("POST", self._url, content=body) as response:
            if response.status_code != HTTPStatus.OK:
                raise TaxEngineFailed(f"it replied with status {response.status_code}")
            for chunk in response.iter_raw():
                received += chunk
                if len(received) > RESPONSE_BYTES_MAX:
                    raise TaxEngineFailed(f"the reply has more than {RESPONSE_BYTES_MAX:,} bytes")
                if self._clock() > ends_at:
                    raise TaxEngineFailed(f"the reply took longer than {self._deadline_seconds} seconds")
        return bytes(received)


def _checked(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise MalformedTax(f"the address of the tax engine: {error}") from None
    if address.scheme not in {"http", "https"} or not address.host:
        raise MalformedTax("the address of a tax engine is like https://tax.example/rates")
    return address


def _question(request: TaxRequest) -> dict[str, object]:
    situation, category = request
    return {
        "seller_country": situation.seller_country,
        "country": situation.jurisdiction.country,
        "region": situation.jurisdiction.region,
        "tax_id": situation.tax_id,
        "category": category,
        "on": situation.on.isoformat(),
    }


def _answer(answer: _Answer) -> TaxAnswer:
    charges_nothing = not answer.is_charged or not any(rate.percent for rate in answer.rates)
    if charges_nothing and not answer.note.strip():
        raise MalformedTax("it charges no tax and does not say why")
    if len(answer.rates) > RATES_MAX:
        raise MalformedTax(f"it has more than {RATES_MAX} rates")
    for text in (answer.note, *(rate.jurisdiction for rate in answer.rates)):
        if len(text) > TEXT_LENGTH_MAX or "\0" in text:
            raise MalformedTax(f"a text of it is longer than {TEXT_LENGTH_MAX} characters, or holds a null")
    rates = tuple(AppliedRate(rate.name, rate.percent, rate.jurisdiction, rate.is_inclusive) for rate in answer.rates)
    require_rates(rates)
    return TaxAnswer(rates, "engine", is_charged=answer.is_charged, note=answer.note)

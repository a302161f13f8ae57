"""No call, however strange, is answered by an error of the server or by something that the document does not say."""

from tests.integration.api.conftest import World
from tests.integration.api.things import furnished
from tests.support.api import fuzzed


def test_strange_calls_get_documented_answers(world: World) -> None:
    """A glimpse of what `make fuzz` does with a hundred examples for each operation."""
    caller = world.caller(world.tenant())
    furnished(caller)
    assert fuzzed(str(world.client.base_url).rstrip("/"), caller.secret, examples=1, phases="fuzzing") == 0

"""The text of a key: it says its tenant, and a typo is known without asking anybody."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.access import Mode, NotACredential, read_credential
from tenor.access.credentials import HINT_LENGTH, write_credential
from tenor.kernel.ids import TenantId

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@given(
    st.sampled_from(Mode), st.uuids(), st.binary(min_size=24, max_size=24), st.integers(9, 60), st.sampled_from(LETTERS)
)
def test_a_key_is_read_as_it_was_written_and_not_with_another_letter(
    mode: Mode, tenant: UUID, secret: bytes, place: int, letter: str
) -> None:
    text = write_credential(mode, TenantId(tenant), secret)
    found = read_credential(text)
    assert (found.mode, found.tenant_id, len(found.digest)) == (mode, tenant, 32)
    assert text not in repr(found)

    place += len(mode) - len("live")
    mistyped = text[:place] + letter + text[place + 1 :]
    if mistyped != text:
        with pytest.raises(NotACredential) as refusal:
            read_credential(mistyped)
        assert mistyped[HINT_LENGTH:] not in refusal.value.message


def test_the_largest_and_the_smallest_numbers_have_the_same_length() -> None:
    lengths = {
        len(write_credential(Mode.LIVE, TenantId(UUID(int=number)), secret))
        for number, secret in ((0, b"\0" * 24), (2**128 - 1, b"\xff" * 24))
    }
    assert lengths == {70}

"""Seals open with their own key at their own place, and nowhere else; files of keys are made once and kept safe."""

import base64
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.platform.sealing import EncryptionKeyMissing, KeyRing, MalformedKeysFile, SealBroken, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@given(st.text(max_size=600), st.text(max_size=40))
def test_what_was_sealed_opens_at_its_place(text: str, place: str) -> None:
    try:
        text.encode(), place.encode()
    except UnicodeEncodeError:
        return
    assert unseal(KEY, seal(KEY, text, place=place), place=place) == text


def test_it_opens_with_no_other_key_at_no_other_place_and_not_when_a_bit_was_changed() -> None:
    sealed = seal(KEY, "Ada Lovelace", place="acme/1/name")
    assert len(sealed) == 1 + 12 + len("Ada Lovelace") + 16
    assert seal(KEY, "Ada Lovelace", place="acme/1/name") != sealed  # a nonce of its own

    for key, place in ((OTHER, "acme/1/name"), (KEY, "acme/2/name"), (KEY, "umbra/1/name")):
        with pytest.raises(SealBroken):
            unseal(key, sealed, place=place)
    for position in range(len(sealed)):
        changed = bytes(byte ^ (position == at) for at, byte in enumerate(sealed))
        with pytest.raises(SealBroken):
            unseal(KEY, changed, place="acme/1/name")
    for cut in (b"", sealed[:1], sealed[:13], sealed[:-1]):
        with pytest.raises(SealBroken):
            unseal(KEY, cut, place="acme/1/name")


def test_a_key_is_wrapped_under_the_newest_and_unwrapped_under_any() -> None:
    old = KeyRing([KEY])
    both, new = KeyRing([OTHER, KEY]), KeyRing([OTHER])
    data_key = os.urandom(32)

    wrapped = old.wrap(data_key, place="p")
    assert both.unwrap(wrapped, place="p") == data_key
    assert both.wrap(data_key, place="p").key_id == new.newest
    with pytest.raises(EncryptionKeyMissing, match=wrapped.key_id):
        new.unwrap(wrapped, place="p")
    with pytest.raises(SealBroken):
        both.unwrap(wrapped, place="q")


def test_a_file_of_keys_is_made_once_whoever_comes_first_and_read_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "keys"
    assert KeyRing.read(file) is None
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(KeyRing.begin(file).newest)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len(found) == 8
    assert len(set(found)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["keys"]


def test_a_new_key_comes_in_front_and_old_ones_go_when_told(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    first = KeyRing.begin(file)
    both = first.with_new_key(file)
    assert both.key_ids == (both.newest, first.newest)
    assert KeyRing.read(file).key_ids == both.key_ids  # type: ignore[union-attr]

    left = both.without([first.newest, both.newest], file)  # the newest is never given up
    assert left.key_ids == (both.newest,)
    assert KeyRing.read(file).key_ids == left.key_ids  # type: ignore[union-attr]


LINES = ["hello", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(), "é"]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_no_key_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# comment\n\n{base64.b64encode(KEY).decode()}\n{line}\n", encoding="utf-8")
    with pytest.raises(MalformedKeysFile, match="line 4"):
        KeyRing.read(file)


def test_an_empty_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# nothing\n")
    with pytest.raises(MalformedKeysFile, match="holds no key"):
        KeyRing.read(tmp_path / "keys")
    with pytest.raises(MalformedKeysFile, match="directory"):
        KeyRing.read(tmp_path)

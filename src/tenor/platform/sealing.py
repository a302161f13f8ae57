"""Sealing: authenticated encryption of single fields (AES-256-GCM) under keys that other keys wrap."""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenor.kernel.errors import Malformed, Refusal

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_FORM: Final = b"\x01"
"""The first byte of everything sealed: AES-256-GCM, a nonce of 12 random bytes, then the text with its tag of 16."""

_HEAD: Final = "# Key-encryption keys of Tenor, newest first. Who has this file can read all personal data: guard it.\n"


class EncryptionKeyMissing(Refusal):
    """What is asked for was sealed under a key that this machine does not have."""

    code = "encryption_key_missing"


class SealBroken(Refusal):
    """What is stored does not open under its own key: it was changed, or moved here from another place."""

    code = "seal_broken"


class MalformedKeysFile(Malformed):
    """The file of key-encryption keys holds a line that is no key."""

    code = "malformed_keys_file"


class WrappedKey(NamedTuple):
    """A data key as it is stored: sealed under the key-encryption key `key_id`."""

    key_id: str
    wrapped: bytes


def seal(key: bytes, text: str, *, place: str) -> bytes:
    """Return `text` sealed under a key of 32 bytes; it opens at the same `place` only, which is what it belongs to."""
    return _seal(key, text.encode(), place)


def unseal(key: bytes, sealed: bytes, *, place: str) -> str:
    """Return what was sealed.

    Raises:
        SealBroken: it was sealed under another key or for another place, or was changed.
    """
    return _unseal(key, sealed, place).decode()


class KeyRing:
    """The key-encryption keys of this installation, newest first; the newest wraps, the others only unwrap."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}
        self.newest = next(iter(self._keys))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """What the keys are called where they wrapped something: the first 64 bits of SHA-256, in hexadecimal."""
        return tuple(self._keys)

    def wrap(self, data_key: bytes, *, place: str) -> WrappedKey:
        """Return a data key sealed under the newest key."""
        return WrappedKey(self.newest, _seal(self._keys[self.newest], data_key, place))

    def unwrap(self, wrapped: WrappedKey, *, place: str) -> bytes:
        """Return the data key.

        Raises:
            EncryptionKeyMissing: it is wrapped under a key that is not here.
            SealBroken: it was changed, or belongs to another place.
        """
        key = self._keys.get(wrapped.key_id)
        if key is None:
            raise EncryptionKeyMissing(
                f"personal data is sealed under the key {wrapped.key_id}, which is not in the keys file of this"
                " machine; name the right file in TENOR_KEYS_FILE",
                key_id=wrapped.key_id,
            )
        return _unseal(key, wrapped.wrapped, place)

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Return the keys of a file; None when there is no such file.

        Raises:
            MalformedKeysFile: with the line that is no key.
        """
        return cls._of(file) if file.exists() else None

    @classmethod
    def _of(cls, file: Path) -> Self:
        try:
            text = file.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise MalformedKeysFile(f"{file}: {error.strerror}") from None
        lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
        keys = [_key(file, number, line) for number, line in lines if line and not line.startswith("#")]
        if not keys:
            raise MalformedKeysFile(f"{file} holds no key")
        return cls(keys)

    @classmethod
    def begin(cls, file: Path) -> "KeyRing":
        """Make the file with one new key, readable by its owner only, and return what is in it.

        A file that another process has made by now stays as it is.
        """
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = _written(file, [os.urandom(KEY_BYTES)])
        try:
            os.link(unfinished, file)  # all of it or nothing, and never over another process's file
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
        return cls._of(file)

    def with_new_key(self, file: Path) -> "KeyRing":
        """Write the file with a new key in front of these; return all of them."""
        keys = [os.urandom(KEY_BYTES), *self._keys.values()]
        _written(file, keys).replace(file)
        return KeyRing(keys)

    def without(self, key_ids: Sequence[str], file: Path) -> "KeyRing":
        """Write the file without these keys, of which none may be the newest; return the others."""
        keys = [key for key_id, key in self._keys.items() if key_id not in key_ids or key_id == self.newest]
        _written(file, keys).replace(file)
        return KeyRing(keys)


def _written(file: Path, keys: Sequence[bytes]) -> Path:
    """Write keys beside `file` and to disk; return where."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as output:
        output.write(_HEAD + "".join(base64.b64encode(key).decode() + "\n" for key in keys))
        output.flush()
        os.fsync(output.fileno())
    return unfinished


def _key(file: Path, number: int, line: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):  # the latter for what is not ASCII
        key = b""
    if len(key) != KEY_BYTES:
        raise MalformedKeysFile(f"{file}, line {number}: not a key, which is {KEY_BYTES} bytes in base64")
    return key


def _seal(key: bytes, content: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _FORM + nonce + AESGCM(key).encrypt(nonce, content, _FORM + place.encode())


def _unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, content, sealed[:1] + place.encode())
    except (InvalidTag, ValueError):
        raise SealBroken(f"what is sealed for {place} does not open: it was changed, or moved") from None

"""Passwords of users, kept as scrypt hashes (RFC 7914). A hash takes some 50 ms and 16 MiB: make it in a thread.

A hash reads ``scrypt$LN$R$P$SALT$KEY``: cost as a power of two, block size, parallelism, salt and key in base64.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from typing import Final

LN: Final = 14
_R: Final = 8
_P: Final = 1
_MAX_LN: Final = 20
_MEMORY: Final = 256 << 20
MAX_PASSWORD: Final = 1024
"""Octets; longer ones are nobody's password."""

NOBODY: Final = "scrypt$14$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""Hash that no password has, so that an unknown user costs as much time as a known one."""


class PasswordHashError(ValueError):
    """A stored hash is none; the sentence says why."""


def hash_password(password: str) -> str:
    """A new hash with a new salt.

    Raises:
        ValueError: the password is empty, longer than :data:`MAX_PASSWORD` octets, or holds a NUL.
    """
    octets = password.encode()
    if not _possible(octets):
        raise ValueError(f"a password has 1 to {MAX_PASSWORD} octets and no NUL")
    salt = os.urandom(16)
    key = _scrypt(octets, salt, LN, _R, _P)
    return f"scrypt${LN}${_R}${_P}${b64encode(salt).decode()}${b64encode(key).decode()}"


def verify_password(password: str, kept: str) -> bool:
    """Whether a password is the one that was hashed; an empty one never is.

    Raises:
        PasswordHashError: ``kept`` is no hash of ours.
    """
    try:
        name, ln, r, p, salt, key = kept.split("$")
        cost = (int(ln), int(r), int(p))
        salted, wanted = b64decode(salt, validate=True), b64decode(key, validate=True)
    except ValueError as error:
        raise PasswordHashError("the password hash is damaged") from error
    if name != "scrypt" or not (0 < cost[0] <= _MAX_LN and 0 < cost[1] <= 32 and 0 < cost[2] <= 16) or not wanted:
        raise PasswordHashError("the password hash is of no kind that provd makes")
    octets = password.encode("utf-8", "surrogatepass")
    if not _possible(octets):
        return False
    return hmac.compare_digest(_scrypt(octets, salted, *cost, length=len(wanted)), wanted)


def _possible(octets: bytes) -> bool:
    # HMAC fills short keys with NULs (RFC 2104 section 2), so a password and the same with NULs behind it are one key.
    return 0 < len(octets) <= MAX_PASSWORD and b"\0" not in octets


def _scrypt(password: bytes, salt: bytes, ln: int, r: int, p: int, length: int = 32) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=1 << ln, r=r, p=p, maxmem=_MEMORY, dklen=length)

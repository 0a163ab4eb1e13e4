"""Paths and texts without the secrets that may stand in them."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"
"""Stands where a secret was."""

_TOKEN: Final = re.compile(r"\b(answer|callback)/+[^/\s\"'?#]+", re.IGNORECASE)


_SAID: Final = re.compile(
    r"""((?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|credential|community|bearer|authorization)"""
    r"""[\w./-]{0,64}["']?\s?(?:[=:]|\s(?:password|string|select)\s)\s?)(?:"[^"]*"|'[^']*'|\S+)""",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"\b(bearer|basic)\s+[\w.+/=~-]{8,}", re.IGNORECASE)
_HASH: Final = re.compile(r"\$(?:[1567y]|2[abxy]?|gy|7|sha1|argon2\w{0,2}|scrypt)\$[^\s'\",:]+")
_USER_INFO: Final = re.compile(
    r"""\b([a-z][a-z0-9+.-]{0,20}://[^\s/@:"\[\]]{0,128}):(?:[^\s/"]{1,512}@|(?!\d{0,5}(?:[/?#\s"]|$))[^\s@"]{1,512}@)""",
    re.IGNORECASE,
)
"""Scheme and user of a URL with a password (RFC 3986 section 3.2.1), up to the last ``@`` before the path; a password
whose slash nobody encoded ends at the first ``@``."""
MASKED_URL: Final = re.compile(rf"""://[^\s/@:"]*:{re.escape(HIDDEN)}@""")
"""A URL as :func:`scrub_path` leaves one that had a password."""
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)


def scrub_line(text: str) -> str:
    """A line that somebody else wrote, without what looks like a secret.

    Cut out are our own tokens, what follows a word like ``password=`` or debconf's ``.../root-password password``,
    hashes of crypt(5), passwords in URLs, HTTP credentials and private keys.
    """
    text = _SCHEME.sub(rf"\1 {HIDDEN}", scrub_path(text))
    text = _HASH.sub(HIDDEN, _SAID.sub(rf"\1{HIDDEN}", text))
    return _KEY.sub(HIDDEN, text)


def scrub_path(text: str) -> str:
    """The text with the token of every ``answer/TOKEN`` and ``callback/TOKEN`` cut out, and the password of every URL.

    Works on served paths, URLs and whole kernel command lines; everything that is logged or put into an event goes
    through it.
    """
    return _TOKEN.sub(rf"\1/{HIDDEN}", scrub_urls(text))


def scrub_urls(text: str) -> str:
    """The text with the password of every URL in it (``http://user:password@host``) replaced by ``***``."""
    return _USER_INFO.sub(rf"\1:{HIDDEN}@", text) if "://" in text and "@" in text else text


def without_url_passwords(value: object) -> object:
    """Plain JSON values with the password of every URL in them replaced by ``***``; the value itself where none is."""
    if isinstance(value, str):
        return scrub_urls(value)
    if isinstance(value, dict):
        return {key: without_url_passwords(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_url_passwords(inner) for inner in value]
    if isinstance(value, tuple):
        return tuple(without_url_passwords(inner) for inner in value)
    return value

"""Paths and texts without the secrets that may stand in them."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"\b(answer|callback)/+[^/\s\"'?#]+", re.IGNORECASE)


_SAID: Final = re.compile(
    r"""((?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|credential|community|bearer|authorization)"""
    r"""[\w./-]{0,64}["']?\s?(?:[=:]|\s(?:password|string|select)\s)\s?)(?:"[^"]*"|'[^']*'|\S+)""",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"\b(bearer|basic)\s+[\w.+/=~-]{8,}", re.IGNORECASE)
_HASH: Final = re.compile(r"\$(?:[1567y]|2[abxy]?|gy|7|sha1|argon2\w{0,2}|scrypt)\$[^\s'\",:]+")
_USER_INFO: Final = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://[^\s/@:]{0,128}):[^\s/@]{1,256}@", re.IGNORECASE)
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)


def scrub_line(text: str) -> str:
    """A line that somebody else wrote, without what looks like a secret.

    Cut out are our own tokens, what follows a word like ``password=`` or debconf's ``.../root-password password``,
    hashes of crypt(5), passwords in URLs, HTTP credentials and private keys.
    """
    text = _SCHEME.sub(r"\1 ***", scrub_path(text))
    text = _HASH.sub("***", _USER_INFO.sub(r"\1:***@", _SAID.sub(r"\1***", text)))
    return _KEY.sub("***", text)


def scrub_path(text: str) -> str:
    """The text with the token of every ``answer/TOKEN`` and ``callback/TOKEN`` cut out.

    Works on served paths, URLs and whole kernel command lines; everything that is logged or put into an event goes
    through it.
    """
    return _TOKEN.sub(r"\1/***", text)

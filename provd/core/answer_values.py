"""Whether single answers have the form that installed systems read: hashes, SSH keys, time zones, keyboards, proxies.

None of the sentences holds the value: it may be a password.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import cache
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from provd.model.scrub import HIDDEN

Rule = Callable[[str], str]
"""What is wrong with a text, or empty."""
UNKNOWN: Final = HIDDEN
"""Stands for a secret that is read later; it has every form."""

_TEMPLATE: Final = ("{{", "{%")
_HASH: Final = re.compile(r"[!*]+|!{0,2}\$(?:1|5|6|7|y|gy|2[abxy]?|sha1|md5)\$[^\s:;*!\\]+")
"""crypt(5): hashes with a prefix, and what locks an account."""
_KEY_TYPE: Final = re.compile(
    r"(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)(?=[-@]))"
    r"(?:-cert-v01@openssh\.com|@openssh\.com)?"
)
"""sshd(8), AUTHORIZED_KEYS FILE FORMAT, and the certificates of PROTOCOL.certkeys."""
_OPTIONS: Final = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+\s+')
_KEYBOARD: Final = re.compile(r"[A-Za-z0-9_(),-]+(?: [A-Za-z0-9_(),-]+)*")
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_OLDER_NAME: Final = "US/Eastern"
"""Some distributions keep the older names in a package of their own."""
_OLDER: Final = frozenset({"US", "Canada", "Brazil", "Chile", "Mexico"})
"""What only older names begin with."""


def later(text: str) -> bool:
    """Whether the value is made later, out of a secret or a template."""
    return text == UNKNOWN or any(mark in text for mark in _TEMPLATE)


def line_fault(text: str) -> str:
    """What is wrong with a text that stands on one line of an answer file, or empty."""
    if not all(one.isprintable() or one == "\t" for one in text):
        return "must be one line without control characters"
    return "must not end with a backslash, which would take the next line with it" if text.endswith("\\") else ""


def hash_fault(text: str) -> str:
    """What is wrong with a password's hash, or empty; an empty one is none."""
    if not text or later(text) or _HASH.fullmatch(text):
        return ""
    return "is no hash of crypt(5), as $6$SALT$HASH; a password in clear is not taken, `openssl passwd -6` makes a hash"


def key_fault(text: str) -> str:
    """What is wrong with a line of ``authorized_keys``, or empty."""
    line = text.strip()
    if later(line):
        return ""
    if not line.replace("\t", " ").isprintable():
        return "must be one line"
    if "PRIVATE KEY" in line:
        return "is a private key; the public one is expected, as in the file id_ed25519.pub"
    words = line.split(None, 2)
    if not words or not _KEY_TYPE.fullmatch(words[0]):
        options = _OPTIONS.match(line)
        words = line[options.end() :].split(None, 2) if options else []
    if len(words) < 2 or not _KEY_TYPE.fullmatch(words[0]):
        return "is no public key of SSH, as 'ssh-ed25519 AAAA... name': its type is not known"
    named = words[0].encode()
    try:
        blob = binascii.a2b_base64(words[1].encode(), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return f"is a key of the type {words[0]} whose second word is no base64: it is cut off or changed"
    if blob[:4] != len(named).to_bytes(4) or blob[4 : 4 + len(named)] != named or len(blob) <= 4 + len(named):
        return f"is a key of the type {words[0]} whose second word is of another type, or cut off"
    return ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_fault(text: str) -> str:
    """What is wrong with a time zone's name, or empty; nothing is, where this machine has no list of them."""
    zones = _zones()
    if later(text) or text in zones:
        return ""
    if _ZONE.fullmatch(text):
        if not zones:
            return ""
        areas = {zone.partition("/")[0] for zone in zones} | _OLDER
        if _OLDER_NAME not in zones and text.partition("/")[0] in areas:
            return ""
    return "is no time zone of the IANA's list, as Europe/Berlin or Etc/UTC"


def keyboard_fault(text: str) -> str:
    """What is wrong with a keyboard's layout, or empty."""
    if not text or later(text) or _KEYBOARD.fullmatch(text):
        return ""
    return "is no keyboard layout, as us, de-latin1 or cz(qwerty): letters, digits and - _ ( ) , are expected"


def proxy_fault(text: str) -> str:
    """What is wrong with a proxy's URL, or empty; an empty one is none."""
    if not text or later(text):
        return ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if good and not re.search(r"[\s\"'\\<>]", text):
        return ""
    return "is no URL of a proxy: http://HOST:PORT is expected, signs of a password percent-encoded"

"""Option 119: a list of domains with the compression of DNS (RFC 3397 section 2, RFC 1035 section 4.1.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from provd.wire.errors import WireError

_FIELD: Final = "option 119"
_POINTER: Final = 0xC0
_MAX_OFFSET: Final = 0x3FFF
_MAX_HOPS: Final = 32
_MAX_NAME: Final = 253
_MAX_NAMES: Final = 128
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def encode_domain_search(names: Sequence[str]) -> bytes:
    """Octets of the list; a suffix seen before becomes a pointer.

    Raises:
        WireError: a name that is no DNS name (RFC 1123 section 2.1), or an empty list.
    """
    if not names:
        raise WireError(_FIELD, "has no domain (RFC 3397 section 2)")
    out = bytearray()
    seen: dict[tuple[str, ...], int] = {}
    for name in names:
        labels = tuple(name.rstrip(".").lower().split("."))
        if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
            raise WireError(_FIELD, f"{name!r} is no DNS name (RFC 1123 section 2.1)")
        for position in range(len(labels)):
            suffix = labels[position:]
            if suffix in seen:
                out += (_POINTER << 8 | seen[suffix]).to_bytes(2)
                break
            if len(out) <= _MAX_OFFSET:
                seen[suffix] = len(out)
            label = labels[position].encode("ascii")
            out.append(len(label))
            out += label
        else:
            out.append(0)
    return bytes(out)


def decode_domain_search(data: bytes) -> tuple[str, ...]:
    """Names in order, lower case.

    Raises:
        WireError: a pointer that does not lead back, more than 32 pointers in one name, a label or name that is too
            long or holds foreign octets, more than 128 names, or octets that end early.
    """
    names: list[str] = []
    at = 0
    while at < len(data):
        if len(names) == _MAX_NAMES:
            raise WireError(_FIELD, f"has more than {_MAX_NAMES} names", at)
        name, at = _read_name(data, at)
        names.append(name)
    return tuple(names)


def _read_name(data: bytes, start: int) -> tuple[str, int]:
    labels: list[str] = []
    at, after, hops, size = start, -1, 0, 0
    segment = start
    while True:
        if at >= len(data):
            raise WireError(_FIELD, "ends inside a name (RFC 1035 section 3.1)", at)
        length = data[at]
        if length == 0:
            break
        if length >= _POINTER:
            target = _pointer(data, at, segment)
            hops += 1
            if hops > _MAX_HOPS:
                raise WireError(_FIELD, f"has a name with more than {_MAX_HOPS} pointers", at)
            after = at + 2 if after < 0 else after
            at = segment = target
            continue
        label = data[at + 1 : at + 1 + length].decode("latin-1").lower()
        size += length + 1
        if len(label) != length or not _LABEL.fullmatch(label) or size > _MAX_NAME + 1:
            raise WireError(_FIELD, "has a label that is no DNS label (RFC 1035 section 2.3.1)", at)
        labels.append(label)
        at += 1 + length
    if not labels:
        raise WireError(_FIELD, "has an empty name", start)
    return ".".join(labels), at + 1 if after < 0 else after


def _pointer(data: bytes, at: int, segment: int) -> int:
    if at + 1 >= len(data):
        raise WireError(_FIELD, "ends inside a pointer (RFC 1035 section 4.1.4)", at)
    target = (data[at] << 8 | data[at + 1]) & _MAX_OFFSET
    if target >= segment:
        raise WireError(
            _FIELD, f"has a pointer to octet {target}, which does not lead back (RFC 1035 section 4.1.4)", at
        )
    return target

"""Options inside an option: code, length, value (RFC 3046 section 2, RFC 2132 section 8.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provd.wire.errors import WireError

_PAD: Final = 0
_END: Final = 255


def decode_suboptions(data: bytes, field: str, *, markers: bool) -> dict[int, bytes]:
    """Read sub-options in order of first appearance; a repeated one is joined to the first.

    Args:
        data: value of the outer option.
        field: its name, for the error.
        markers: 0 is padding and 255 ends the list (vendor options); without, they are codes as any other (option 82).

    Raises:
        WireError: a sub-option that runs past the end.
    """
    found: dict[int, list[bytes]] = {}
    at, end = 0, len(data)
    while at < end:
        code = data[at]
        if markers and code == _END:
            break
        if markers and code == _PAD:
            at += 1
            continue
        if at + 2 > end:
            raise WireError(field, f"sub-option {code} has no length octet", at)
        stop = at + 2 + data[at + 1]
        if stop > end:
            raise WireError(field, f"sub-option {code} says {data[at + 1]} octets, {end - at - 2} are left", at)
        found.setdefault(code, []).append(data[at + 2 : stop])
        at = stop
    return {code: b"".join(values) for code, values in found.items()}


def encode_suboptions(values: Mapping[int, bytes], field: str, *, markers: bool) -> bytes:
    """Write sub-options in the order of ``values``; with ``markers`` they end in 255.

    Raises:
        WireError: a code that does not fit into an octet or is a marker, or a value over 255 octets.
    """
    low, high = (1, 254) if markers else (0, 255)
    parts: list[bytes] = []
    for code, value in values.items():
        if not low <= code <= high:
            raise WireError(field, f"sub-option code {code} is outside {low} to {high}")
        if len(value) > 255:
            raise WireError(field, f"sub-option {code} is {len(value)} octets long, at most 255")
        parts.append(bytes((code, len(value))) + value)
    if markers:
        parts.append(bytes((_END,)))
    return b"".join(parts)

"""Values of a chosen type, and options that hold further ones: 43, 125 (RFC 2132 section 8.4, RFC 3925 section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from provd.wire.errors import WireError
from provd.wire.option_codecs import PLAIN, VALUE_ERRORS, Codec, OptionValue

_END: Final = "end"


def encode_typed(value: object, codec: Codec) -> bytes:
    """Octets of a value; a table with one key names another type than ``codec``, ``{hex = "0a:0b"}``.

    Raises:
        WireError: the value is not of its type.
    """
    if isinstance(value, Mapping):
        if len(value) != 1 or next(iter(value)) not in CODECS:
            raise WireError("value", f"a table needs exactly one key, one of {', '.join(CODECS)}")
        kind, value = next(iter(value.items()))
        codec = CODECS[kind]
    try:
        return codec.encode(value)
    except WireError:
        raise
    except VALUE_ERRORS as error:
        raise WireError("value", f"{value!r} is not {codec.wants}") from error


def _encode_suboptions(value: object) -> bytes:
    """Sub-options in the order of the table; a plain value is a text or whole octets as elsewhere by ``{TYPE = ...}``.

    ``end = true`` adds the octet 255 that some clients want behind the last one (RFC 2132 section 8.4).
    """
    parts = list(_suboptions(value))
    if not parts:
        raise ValueError
    return b"".join(parts)


def _suboptions(value: object) -> Iterator[bytes]:
    if not isinstance(value, Mapping):
        raise TypeError
    for key, inner in value.items():
        if key == _END:
            continue
        code = _code(key, 254)
        try:
            octets = encode_typed(inner, PLAIN["text"])
        except WireError as error:
            raise WireError("value", f"sub-option {key}: {error.problem}") from error
        if len(octets) > 255:
            raise WireError("value", f"sub-option {key}: is {len(octets)} octets long, at most 255")
        yield bytes((code, len(octets))) + octets
    if value.get(_END, False) is True:
        yield b"\xff"
    elif _END in value:
        raise WireError("value", "end is not true; leave it out for false")


def _code(key: object, last: int) -> int:
    text = str(key)
    code = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= code <= last:
        raise WireError("value", f"{text!r} is no number from 1 to {last}")
    return code


def _encode_vendors(value: object) -> bytes:
    """Enterprise number, length, sub-options, once per vendor (RFC 3925 section 4)."""
    if not isinstance(value, Mapping) or not value:
        raise TypeError
    parts = []
    for enterprise, inner in value.items():
        octets = _encode_suboptions(inner)
        if len(octets) > 255:
            raise WireError("value", f"vendor {enterprise}: is {len(octets)} octets long, at most 255")
        parts.append(_code(enterprise, 0xFFFFFFFF).to_bytes(4) + bytes((len(octets),)) + octets)
    return b"".join(parts)


def _hex(data: bytes) -> OptionValue:
    return data.hex(":")


CODECS: Final[Mapping[str, Codec]] = {
    **PLAIN,
    "suboptions": Codec("suboptions", "a table of sub-options by number", _encode_suboptions, _hex),
    "vendors": Codec("vendors", "a table of sub-options by enterprise number", _encode_vendors, _hex),
}
"""Every type by name. What vendors put into their options is shown as octets: only they know its form."""

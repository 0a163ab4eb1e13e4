"""Types of option values: what a person writes (TOML values) to octets and back.

``decode(encode(value))`` gives the value in its usual form: addresses as dotted quads, octets as hexadecimal text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Final

from provd.wire.classless_routes import Route, decode_classless_routes, encode_classless_routes
from provd.wire.domain_search import decode_domain_search, encode_domain_search
from provd.wire.errors import WireError
from provd.wire.pxe import decode_user_class

OptionValue = str | int | bool | list[str] | list[int]


@dataclass(frozen=True, slots=True)
class Codec:
    """One type of value.

    Attributes:
        kind: its name.
        wants: what a person must write, for the error.
        encode: value to octets; raises ``ValueError``, ``TypeError`` or ``WireError``.
        decode: octets to value; raises ``ValueError`` or ``WireError``.
    """

    kind: str
    wants: str
    encode: Callable[[object], bytes]
    decode: Callable[[bytes], OptionValue]


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _encode_ip(value: object) -> bytes:
    if not isinstance(value, str | IPv4Address):
        raise TypeError
    return IPv4Address(value).packed


def _decode_ip(data: bytes) -> str:
    return str(IPv4Address(data))


def _encode_ips(value: object) -> bytes:
    packed = b"".join([_encode_ip(item) for item in _listed(value)])
    if not packed:
        raise ValueError
    return packed


def _decode_ips(data: bytes) -> list[str]:
    if not data or len(data) % 4:
        raise ValueError
    return [_decode_ip(data[at : at + 4]) for at in range(0, len(data), 4)]


def _encode_pairs(value: object) -> bytes:
    packed = _encode_ips(value)
    if len(packed) % 8:
        raise ValueError
    return packed


def _decode_pairs(data: bytes) -> list[str]:
    if len(data) % 8:
        raise ValueError
    return _decode_ips(data)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _integer(kind: str, size: int, *, signed: bool = False) -> Codec:
    def encode(value: object) -> bytes:
        return _number(value).to_bytes(size, signed=signed)

    def decode(data: bytes) -> int:
        if len(data) != size:
            raise ValueError
        return int.from_bytes(data, signed=signed)

    low, high = (-(1 << size * 8 - 1), (1 << size * 8 - 1) - 1) if signed else (0, (1 << size * 8) - 1)
    return Codec(kind, f"a whole number from {low} to {high}", encode, decode)


def _integers(kind: str, size: int) -> Codec:
    def encode(value: object) -> bytes:
        packed = b"".join([_number(item).to_bytes(size) for item in _listed(value)])
        if not packed:
            raise ValueError
        return packed

    def decode(data: bytes) -> list[int]:
        if not data or len(data) % size:
            raise ValueError
        return [int.from_bytes(data[at : at + size]) for at in range(0, len(data), size)]

    return Codec(kind, f"a list of whole numbers from 0 to {(1 << size * 8) - 1}", encode, decode)


def within(codec: Codec, low: int, high: int) -> Codec:
    """A codec of numbers that takes those from ``low`` to ``high`` only; what arrives is shown whatever it is."""

    def encode(value: object) -> bytes:
        if any(not low <= _number(item) <= high for item in _listed(value)):
            raise ValueError
        return codec.encode(value)

    what = "a list of whole numbers" if codec.kind.endswith("s") else "a whole number"
    return Codec(codec.kind, f"{what} from {low} to {high}", encode, codec.decode)


def _encode_text(value: object) -> bytes:
    raw = _text(value).encode()
    if not raw or b"\0" in raw:
        raise ValueError
    return raw


def _decode_text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")


def _encode_bool(value: object) -> bytes:
    if not isinstance(value, bool):
        raise TypeError
    return b"\1" if value else b"\0"


def _decode_bool(data: bytes) -> bool:
    if data not in {b"\0", b"\1"}:
        raise ValueError
    return data == b"\1"


def _encode_flag(value: object) -> bytes:
    if value is not True:
        raise ValueError
    return b""


def _decode_flag(data: bytes) -> bool:
    if data:
        raise ValueError
    return True


def _encode_hex(value: object) -> bytes:
    # Pair by pair: "0:a1:b" is 3 octets to whoever writes it, not 2.
    octets = b"".join([bytes.fromhex(part) for part in _text(value).split(":")])
    if not octets:
        raise ValueError
    return octets


def _encode_domains(value: object) -> bytes:
    return encode_domain_search([_text(item) for item in _listed(value)])


def _route(value: object) -> Route:
    to, via, router = _text(value).partition(" via ")
    if not via or not router:
        raise ValueError
    network = IPv4Network(to.strip())
    return Route(int(network.network_address), network.prefixlen, int(IPv4Address(router.strip())))


def _encode_routes(value: object) -> bytes:
    return encode_classless_routes([_route(item) for item in _listed(value)])


def _decode_routes(data: bytes) -> list[str]:
    routes = decode_classless_routes(data)
    return [f"{IPv4Address(route.network)}/{route.prefix} via {IPv4Address(route.router)}" for route in routes]


def _encode_user_class(value: object) -> bytes:
    if isinstance(value, str):
        return _encode_text(value)
    classes = [_encode_text(item) for item in _listed(value)]
    if not classes:
        raise ValueError
    return b"".join([bytes((len(item),)) + item for item in classes])


def _decode_user_class(data: bytes) -> str | list[str]:
    classes = [item.decode("utf-8", "replace") for item in decode_user_class(data)]
    return classes[0] if classes and classes[0].encode() == data else classes


PLAIN: Final[Mapping[str, Codec]] = {
    codec.kind: codec
    for codec in (
        Codec("ip", "one IPv4 address", _encode_ip, _decode_ip),
        Codec("ips", "one or more IPv4 addresses", _encode_ips, _decode_ips),
        Codec("ip-pairs", "an even number of IPv4 addresses, two by two", _encode_pairs, _decode_pairs),
        Codec(
            "ips-or-none",
            "IPv4 addresses, or an empty list",
            lambda value: b"" if value == [] else _encode_ips(value),
            lambda data: _decode_ips(data) if data else [],
        ),
        _integer("u8", 1),
        _integer("u16", 2),
        _integer("u32", 4),
        _integer("i32", 4, signed=True),
        _integers("u8s", 1),
        _integers("u16s", 2),
        _integers("u32s", 4),
        Codec("text", "a text that is not empty", _encode_text, _decode_text),
        Codec("bool", "true or false", _encode_bool, _decode_bool),
        Codec("flag", "true; leave it out for false", _encode_flag, _decode_flag),
        Codec("hex", "octets as hexadecimal text, '0a:0b' or '0a0b'", _encode_hex, lambda data: data.hex(":")),
        Codec("domains", "one or more DNS names", _encode_domains, lambda data: list(decode_domain_search(data))),
        Codec("routes", "routes as '10.1.0.0/16 via 10.0.0.1'", _encode_routes, _decode_routes),
        Codec("user-class", "a text, or a list of texts for RFC 3004", _encode_user_class, _decode_user_class),
    )
}

VALUE_ERRORS: Final = (TypeError, ValueError, OverflowError, AddressValueError, NetmaskValueError, WireError)
"""What a codec may raise on a value that is not of its type."""

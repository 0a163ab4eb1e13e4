"""Options of a reply from every level that may set them, each with its origin.

Levels from general to particular: global, subnet, class, profile, system, boot loader, plugins. A later level wins; two
plugins that disagree are reported, and the first in the configured order is kept. A key ``"!name"`` takes away what
more general levels say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from provd.model.dhcp import OptionSet
from provd.model.subnet import Subnet, edges
from provd.wire import codes
from provd.wire.errors import WireError
from provd.wire.options import REFUSED, encode_option, option_code, option_name

ALWAYS: Final = frozenset(
    {
        codes.SUBNET_MASK,
        codes.ROUTER,
        codes.DNS_SERVERS,
        codes.HOST_NAME,
        codes.LEASE_TIME,
        codes.MESSAGE,
        codes.RENEWAL_TIME,
        codes.REBINDING_TIME,
        codes.CLIENT_ID,
        codes.CLIENT_UUID,
        codes.SUBNET_SELECTION,
    }
)
"""Sent whether the parameter request list names them or not."""

ONLY_WHEN_ASKED: Final = frozenset({codes.IPV6_ONLY, codes.AUTO_CONFIGURE})
"""Never sent unasked, though configured (RFC 8925 section 3.3, RFC 2563 section 2)."""

DEFAULT: Final = "default"
"""Key of what nobody wrote down."""

REMOVE: Final = "!"


@dataclass(frozen=True, slots=True)
class Level:
    """Options of one place.

    Attributes:
        origin: the place, as ``provd explain`` shows it.
        options: code to octets.
        force: codes that are sent though the client did not ask (RFC 2132 section 9.8).
        pxe: option 43 of PXE clients, None where this place says nothing; other clients never get it (rule P06).
        removes: codes that more general levels set and this one takes away.
        keys: code to the key inside the place that says so, ``default`` for what nobody wrote down.
    """

    origin: str
    options: Mapping[int, bytes]
    force: frozenset[int] = frozenset()
    removes: frozenset[int] = frozenset()
    keys: Mapping[int, str] = field(default_factory=dict)
    pxe: bytes | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """Options of one reply before the client's wishes.

    Attributes:
        options: code to octets.
        origins: code to the place that decided it.
        force: codes that are sent though the client did not ask.
        conflicts: one sentence per disagreement between plugins.
    """

    options: Mapping[int, bytes] = field(default_factory=dict)
    origins: Mapping[int, str] = field(default_factory=dict)
    force: frozenset[int] = frozenset()
    conflicts: tuple[str, ...] = ()


def configured(options: Mapping[str, object], origin: str) -> Level:
    """Options as people write them in TOML, encoded; a configured option is always sent.

    Raises:
        WireError: an unknown name, one option under two names, or a value of the wrong type; the sentence begins with
            ``origin``.
    """
    for _, rule in option_faults(options):
        raise WireError(origin, rule)
    removes = frozenset(option_code(key.removeprefix(REMOVE)) for key in options if key.startswith(REMOVE))
    encoded = {key: encode_option(key, value) for key, value in options.items() if not key.startswith(REMOVE)}
    values = dict(encoded.values())
    keys = {code: f"options.{key}" for key, (code, _) in encoded.items()}
    pxe = values.pop(codes.PXE_VENDOR, None)
    return Level(origin, values, frozenset(values) - ONLY_WHEN_ASKED, removes, keys, pxe)


def option_faults(options: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Key and rule of every configured option that cannot be sent as it is written."""
    seen: dict[int, str] = {}
    for key, value in options.items():
        try:
            code = _code_of(key, value)
        except WireError as error:
            yield key, str(error)
            continue
        if code in seen:
            yield key, f"option {key}: is the same as {seen[code]}, which stands here too"
        seen[code] = key


def _code_of(key: str, value: object) -> int:
    if not key.startswith(REMOVE):
        return encode_option(key, value)[0]
    code = option_code(key.removeprefix(REMOVE))
    if code == codes.PXE_VENDOR:
        raise WireError("option pxe", "is replaced by another one and never taken away")
    name = key.removeprefix(REMOVE)
    if code in REFUSED:
        raise WireError(f"option {name}", REFUSED[code])
    if value is not True:
        raise WireError(f"option {name}", "is taken away by true; leave it out to keep it")
    return code


_SUBNET_KEYS: Final = {
    codes.SUBNET_MASK: "network",
    codes.BROADCAST_ADDRESS: "network",
    codes.ROUTER: "routers",
    codes.DNS_SERVERS: "dns",
    codes.DOMAIN_NAME: "domain",
    codes.NTP_SERVERS: "ntp",
}


def subnet_level(subnet: Subnet, server: int) -> Level:
    """What every client of the subnet gets.

    Option 6 is always there, with the server's own address where none is configured: installers stop without it.

    Raises:
        WireError: as :func:`configured`.
    """
    network = subnet.network
    options = {
        codes.SUBNET_MASK: network.netmask.packed,
        codes.DNS_SERVERS: _addresses(subnet.dns) or server.to_bytes(4),
    }
    options.update((codes.BROADCAST_ADDRESS, broadcast.packed) for broadcast in edges(network)[1:])
    if subnet.routers:
        options[codes.ROUTER] = _addresses(subnet.routers)
    if subnet.domain:
        options.update([encode_option(codes.DOMAIN_NAME, subnet.domain)])
    if subnet.ntp:
        options[codes.NTP_SERVERS] = _addresses(subnet.ntp)
    own = configured(subnet.options, f"subnet {subnet.name}")
    keys = {code: _SUBNET_KEYS.get(code, DEFAULT) for code in options}
    if not subnet.dns:
        keys[codes.DNS_SERVERS] = DEFAULT
    settled = {code: octets for code, octets in options.items() if code not in own.removes}
    return Level(own.origin, {**settled, **own.options}, own.force, own.removes, {**keys, **own.keys}, own.pxe)


def merge(levels: Iterable[Level], plugins: Sequence[tuple[str, OptionSet]] = ()) -> Merged:
    """Join the levels, later ones win; among plugins the earlier one wins and the conflict is reported."""
    options: dict[int, bytes] = {}
    origins: dict[int, str] = {}
    force: set[int] = set()
    for level in levels:
        for code in level.removes:
            options.pop(code, None)
            origins.pop(code, None)
        options.update(level.options)
        origins.update(dict.fromkeys(level.options, level.origin))
        force |= level.force
    conflicts: list[str] = []
    setters: dict[int, str] = {}
    for name, wanted in plugins:
        for code, octets in wanted.options.items():
            if code in setters:
                if options[code] != octets:
                    conflicts.append(
                        f"option {option_name(code)}: plugin {name} wants another value than plugin {setters[code]}, "
                        "which comes first"
                    )
                continue
            setters[code] = name
            options[code] = octets
            origins[code] = f"plugin {name}"
            if wanted.force:
                force.add(code)
    return Merged(options, origins, frozenset(force), tuple(conflicts))


def wanted(merged: Merged, requested: bytes, always: frozenset[int] = ALWAYS) -> dict[int, bytes]:
    """The options this client gets (RFC 2131 section 4.3.1): what it asked for and what it cannot do without.

    A client without a parameter request list gets everything but what only those get that ask for it.
    """
    if not requested:
        return {code: octets for code, octets in merged.options.items() if code not in ONLY_WHEN_ASKED}
    asked = frozenset(requested)
    return {
        code: octets
        for code, octets in merged.options.items()
        if code in asked or code in always or code in merged.force
    }


def _addresses(addresses: Iterable[IPv4Address]) -> bytes:
    return b"".join(address.packed for address in addresses)

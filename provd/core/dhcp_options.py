"""Options of a reply from every level that may set them, each with its origin.

Levels from general to particular: subnet, profile, system, boot loader, plugins. A later level wins; two plugins that
disagree are reported, and the first in the configured order is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from provd.model.dhcp import OptionSet
from provd.model.subnet import Subnet
from provd.wire import codes
from provd.wire.errors import WireError
from provd.wire.options import encode_option, option_name

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


@dataclass(frozen=True, slots=True)
class Level:
    """Options of one place.

    Attributes:
        origin: the place, as ``provd explain`` shows it.
        options: code to octets.
        force: codes that are sent though the client did not ask (RFC 2132 section 9.8).
        pxe: option 43 of PXE clients, None where this place says nothing; other clients never get it (rule P06).
    """

    origin: str
    options: Mapping[int, bytes]
    force: frozenset[int] = frozenset()
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
        WireError: an unknown name or a value of the wrong type; the sentence begins with ``origin``.
    """
    encoded: dict[int, bytes] = {}
    for key, value in options.items():
        try:
            code, octets = encode_option(key, value)
        except WireError as error:
            raise WireError(f"{origin}: {error.field}", error.problem) from error
        encoded[code] = octets
    pxe = encoded.pop(codes.PXE_VENDOR, None)
    return Level(origin, encoded, frozenset(encoded), pxe)


def subnet_level(subnet: Subnet, server: int) -> Level:
    """What every client of the subnet gets.

    Option 6 is always there, with the server's own address where none is configured: installers stop without it.

    Raises:
        WireError: as :func:`configured`.
    """
    network = subnet.network
    options = {
        codes.SUBNET_MASK: network.netmask.packed,
        codes.BROADCAST_ADDRESS: network.broadcast_address.packed,
        codes.DNS_SERVERS: _addresses(subnet.dns) or server.to_bytes(4),
    }
    if subnet.routers:
        options[codes.ROUTER] = _addresses(subnet.routers)
    if subnet.domain:
        options.update([encode_option(codes.DOMAIN_NAME, subnet.domain)])
    if subnet.ntp:
        options[codes.NTP_SERVERS] = _addresses(subnet.ntp)
    own = configured(subnet.options, f"subnet {subnet.name}")
    return Level(own.origin, {**options, **own.options}, own.force, own.pxe)


def merge(levels: Iterable[Level], plugins: Sequence[tuple[str, OptionSet]] = ()) -> Merged:
    """Join the levels, later ones win; among plugins the earlier one wins and the conflict is reported."""
    options: dict[int, bytes] = {}
    origins: dict[int, str] = {}
    force: set[int] = set()
    for level in levels:
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

    A client without a parameter request list gets everything.
    """
    if not requested:
        return dict(merged.options)
    asked = frozenset(requested)
    return {
        code: octets
        for code, octets in merged.options.items()
        if code in asked or code in always or code in merged.force
    }


def _addresses(addresses: Iterable[IPv4Address]) -> bytes:
    return b"".join(address.packed for address in addresses)

"""Explains the DHCP options of one boot: each with the file and key, or the plugin, that decided it (row 52)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from provd.core.client_facts import client_facts
from provd.core.dhcp_options import DEFAULT, Level
from provd.core.dhcp_times import time_options
from provd.model.boot import BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import DhcpRequest, OptionSet
from provd.model.lease import Lease
from provd.model.origin import Origin
from provd.model.profile import Profile
from provd.model.subnet import PROXY, Subnet
from provd.model.system import System
from provd.service.boot_fields import boot_fields
from provd.service.dhcp_levels import OptionLevels
from provd.service.dhcp_proxy import BOOT_OPTIONS
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.errors import WireError
from provd.wire.options import decode_option, option_name
from provd.wire.packet import DhcpPacket
from provd.wire.pxe import encode_uuid


class OptionHooks(Protocol):
    """What plugins say of a client."""

    def labels(self, request: DhcpRequest) -> frozenset[str]:
        """Client classes."""
        ...

    def options(
        self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None
    ) -> Sequence[tuple[str, OptionSet]]:
        """Options by plugin."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where configuration stands.

    Attributes:
        file: path of ``provd.toml``.
        tables: ``subnet NAME`` and ``class NAME`` to key path in that file.
    """

    file: str
    tables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Imagined:
    """The boot that is explained.

    Attributes:
        system: the machine.
        profile: its profile with everything inherited, or None.
        subnet: its subnet.
        server: provd's address there, as an int.
        plan: its plan.
        boot: the file it fetches first, or None.
    """

    system: System
    profile: Profile | None
    subnet: Subnet
    server: int
    plan: BootPlan
    boot: BootFile | None


class OptionExplainer:
    """Merges the levels as a reply would, and remembers who said what.

    Args:
        levels: configured options.
        hooks: the plugin host.
        places: where configuration stands now.
    """

    def __init__(self, levels: OptionLevels, hooks: OptionHooks, places: Callable[[], Places]) -> None:
        self._levels, self._hooks, self._places = levels, hooks, places

    def rows(self, imagined: Imagined) -> list[dict[str, object]]:
        """One row per option that may be sent, by number: key, number, value, origin, and what it hides."""
        request = _discover(imagined.plan.client)
        labels = self._hooks.labels(request) | self._levels.labels(request.client)
        client = replace(request.client, labels=labels)
        request = replace(request, client=client)
        mac = client.mac.octets
        levels = self._levels.of(imagined.subnet, imagined.server, imagined.profile, imagined.system, mac, labels)
        boot_fields(imagined.server, imagined.subnet, client, imagined.plan, imagined.boot, levels)
        told: dict[int, list[tuple[bytes, str]]] = {}
        for level in levels:
            for code in level.removes:
                told.pop(code, None)
            for code, octets in level.options.items():
                told.setdefault(code, []).append((octets, self._origin(level, code, imagined)))
        for name, options in reversed(self._hooks.options(request, None, imagined.plan)):
            for code, octets in options.options.items():
                told.setdefault(code, []).append((octets, f"plugin {name}"))
        if imagined.subnet.mode == PROXY:
            # The other server says all the rest.
            told = {code: says for code, says in told.items() if code in BOOT_OPTIONS}
        else:
            told[codes.LEASE_TIME] = list(self._lease(imagined, labels))
            _settle_times(told)
        return [_row(code, says) for code, says in sorted(told.items())]

    def _origin(self, level: Level, code: int, imagined: Imagined) -> str:
        key = level.keys.get(code, DEFAULT)
        if key == DEFAULT:
            return level.origin if level.origin.startswith("boot loader") else str(Origin(DEFAULT, level.origin))
        kind, _, name = level.origin.partition(" ")
        if kind == "profile" and imagined.profile is not None:
            return str(imagined.profile.origins.get(key) or Origin(kind, name))
        if kind == "system":
            return str(Origin(kind, name, imagined.system.file, key))
        return self._setting(level.origin, key)

    def _setting(self, table: str, key: str) -> str:
        """Origin of a key of a subnet or class, or of the top of ``provd.toml``."""
        places = self._places()
        path = places.tables.get(table, "")
        return str(Origin("settings", table, places.file, f"{path}.{key}" if path else key))

    def _lease(self, imagined: Imagined, labels: frozenset[str]) -> Iterator[tuple[bytes, str]]:
        """Option 51, the most general first; a client that asks for another time may get it (RFC 2131 section 3.3)."""
        subnet, profile = imagined.subnet, imagined.profile
        yield subnet.lease_s.to_bytes(4), self._setting(f"subnet {subnet.name}", "lease_s")
        found = self._levels.lease_class(labels)
        if found is not None:
            yield found.lease_s.to_bytes(4), self._setting(f"class {found.name}", "lease_s")
        if profile is not None and profile.boot.lease_s:
            yield profile.boot.lease_s.to_bytes(4), str(profile.origins.get("boot.lease_s") or profile.name)


def _settle_times(told: dict[int, list[tuple[bytes, str]]]) -> None:
    """T1 and T2 that do not count for this lease give way to those that are sent."""
    times: tuple[int, ...] = (codes.RENEWAL_TIME, codes.REBINDING_TIME)
    wishes = {code: told[code][-1][0] for code in times if code in told}
    sent = time_options(int.from_bytes(told[codes.LEASE_TIME][-1][0]), wishes)
    for code, octets in wishes.items():
        if code not in sent:
            del told[code]
        elif sent[code] != octets:
            told[code].append((sent[code], DEFAULT))


def _row(code: int, says: Sequence[tuple[bytes, str]]) -> dict[str, object]:
    octets, origin = says[-1]
    try:
        value: object = decode_option(code, octets)
    except WireError:
        value = octets.hex(":")
    return {
        "key": option_name(code),
        "number": code,
        "value": value,
        "origin": origin,
        "hides": [hidden for _, hidden in says[:-1]],
    }


def _discover(client: ClientFacts) -> DhcpRequest:
    """The DISCOVER that such a client would send."""
    options = {codes.MESSAGE_TYPE: bytes((MessageType.DISCOVER,)), codes.VENDOR_CLASS: client.vendor_class.encode()}
    if client.arch is not None:
        options[codes.CLIENT_ARCHITECTURE] = client.arch.code.to_bytes(2)
    if client.uuid:
        options[codes.CLIENT_UUID] = encode_uuid(UUID(client.uuid))
    chaddr = client.mac.octets.ljust(16, b"\0")
    packet = DhcpPacket(1, 1, len(client.mac.octets), 0, 0, 0, 0, 0, 0, 0, 0, chaddr, b"", b"", options)
    return DhcpRequest(packet, client_facts(packet), interface="", local=0)

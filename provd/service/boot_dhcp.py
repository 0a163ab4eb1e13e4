"""What DHCP and boots have to say to each other: the first file of an offer, and every message in the boot's story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address

from provd.core.session_rules import SILENCE_S
from provd.model.arch import arch_words
from provd.model.boot import Action, BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import DhcpRequest
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.service.adoption import NOBODY, Adopted
from provd.service.boot import BootDirector, Sending
from provd.service.sessions import Boot, Sessions, left_firmware
from provd.wire import codes
from provd.wire.packet import DhcpPacket
from provd.wire.pxe import decode_architectures

_DISCOVER, _REQUEST = 1, 3
_GIVEN = frozenset({"dhcp.ack", "dhcp.elsewhere"})
"""The machine has its address: by our ACK, or, beside another DHCP server, by its word that it takes that server's."""
_STEPS = {"dhcp.discover": "discover", "dhcp.offer": "offer", "dhcp.ack": "ack", "dhcp.elsewhere": "ack"}


class BootDhcp:
    """The boot director as the DHCP service sees it."""

    def __init__(
        self,
        director: BootDirector,
        sessions: Sessions,
        http_port: int,
        wall: Callable[[], float],
        adopt: Callable[[ClientFacts, Subnet], Adopted] = lambda _client, _subnet: NOBODY,
    ) -> None:
        """Take collaborators.

        Args:
            director: decides boots.
            sessions: running boots.
            http_port: port of the HTTP listener, for URLs.
            wall: seconds since the epoch.
            adopt: makes a system of an unknown machine where a rule says so.
        """
        self._adopt = adopt
        self._director = director
        self._sessions = sessions
        self._http_port = http_port
        self._wall = wall

    def offer(
        self, request: DhcpRequest, system: System | None, subnet: Subnet, _address: int, server: str
    ) -> tuple[BootPlan, BootFile | None]:
        """The plan of a network boot client and the first file it is told to fetch, or None.

        Args:
            request: its DISCOVER or REQUEST.
            system: the known machine, or None.
            subnet: where it is.
            server: provd's address as the client reaches it.
        """
        sending = Sending(server, self._http_port)
        first = system is None and _type(request.packet) == _DISCOVER
        adopted = self._adopt(request.client, subnet) if first else NOBODY
        system = system or adopted.system
        decide = self._director.discover if _type(request.packet) == _DISCOVER else self._director.request
        boot = decide(request.client, system, sending)
        if adopted.told:
            self._sessions.note(boot, adopted.told, adopted.fields)
        file = self._director.boot_file(boot, request.client)
        plan = boot.plan
        assert plan is not None  # noqa: S101  the director gives every boot a plan
        if file is None and _type(request.packet) == _DISCOVER:
            lacks = self._director.lacking(boot, request.client)
            arch = arch_words(request.client.arch, _types(request.packet))
            reason = plan.reason if plan.action in {Action.NONE, Action.HOLD} else _no_loader(arch)
            told = {"reason": reason, "arch": arch, **({"missing": lacks} if lacks else {})}
            self._sessions.note(boot, "boot.none", told)
        return plan, file

    def booting(self, mac: bytes) -> bool:
        """A boot of this hardware address is known."""
        return self._sessions.any and self._sessions.of_mac(mac.hex(":")) is not None

    def holds(self, address: int) -> bool:
        """The address is that of a machine whose boot is known."""
        return self._sessions.any and self._sessions.of_address(str(IPv4Address(address))) is not None

    def seen(
        self, kind: str, request: DhcpRequest, system: System | None, address: int, fields: Mapping[str, object]
    ) -> None:
        """One DHCP message came in or went out; it joins the newest boot of that hardware address, if one is recent.

        Args:
            kind: ``dhcp.discover``, ``dhcp.offer``, ``dhcp.ack``, ``dhcp.nak``, ...
            request: the client's message.
            system: the machine it belongs to, or None.
            address: address offered, acknowledged or asked for, as an int; 0 for none.
            fields: details, as the reason of a refusal.
        """
        mac = request.client.mac.octets.hex(":")
        where = str(IPv4Address(address)) if address else ""
        # An ACK of an INFORM gives nothing: its address is what the client says of itself (RFC 2131 section 4.3.5).
        # An ACK of a DISCOVER gives one with rapid commit (RFC 4039).
        leased = kind in _GIVEN and bool(address) and _type(request.packet) in {_DISCOVER, _REQUEST}
        if leased:
            self._sessions.given(where, mac)
        boot = self._sessions.of_mac(mac)
        if kind == "dhcp.dropped" and request.client.is_netboot and self._asks(request, boot):
            # Nobody would know of a machine whose first message gets no answer: its boot begins, and may end, here.
            # A message that is dropped before anybody looked whose it is changes no plan of the boot that runs.
            name, basis = (boot.record.system, boot.basis) if boot is not None else ("", None)
            boot = self._sessions.firmware_discover(mac, system=system.name if system else name, basis=basis)
        if boot is None or self._is_over(boot):
            return
        details = {**fields, "address": where} if where else dict(fields)
        installed_system = not request.client.is_netboot and left_firmware(boot)
        if leased:
            if installed_system and boot.record.address:
                details["same_address"] = boot.record.address == where
            self._sessions.move(boot, where)
        step = "installer-dhcp" if installed_system and kind in _GIVEN else _STEPS.get(kind)
        if step is not None and (step == "installer-dhcp" or not installed_system):
            self._sessions.reach(boot, step)
        if kind in {"dhcp.discover", "dhcp.dropped"}:
            details.update(_identity(request))
        self._sessions.note(boot, kind, details)

    def _asks(self, request: DhcpRequest, boot: Boot | None) -> bool:
        """A boot may begin with this message."""
        return boot is None or _type(request.packet) == _DISCOVER or self._is_over(boot)

    def _is_over(self, boot: Boot) -> bool:
        """Renewals of an installed system go on for months; they are no part of the boot that installed it."""
        return boot.record.outcome != "running" and self._wall() - boot.session.last_at > SILENCE_S


def _types(packet: DhcpPacket) -> tuple[int, ...]:
    return decode_architectures(packet.options.get(codes.CLIENT_ARCHITECTURE, b""))


def _no_loader(arch: str) -> str:
    named = f"is {arch}" if arch else "does not say its architecture (option 93)"
    return f"the firmware {named}, and no boot loader that is enabled has a first file for it"


def _type(packet: DhcpPacket) -> int:
    return packet.message_type


def _arch(request: DhcpRequest) -> str:
    return request.client.arch.name if request.client.arch else ""


def _identity(request: DhcpRequest) -> dict[str, object]:
    """What tells the stages of one boot apart in a timeline."""
    client = request.client
    giaddr = client.relay.giaddr
    circuit = client.relay.circuit_id
    found = {
        "arch": _arch(request),
        "vendor": client.vendor_class,
        "uuid": client.uuid,
        "quirks": " ".join(client.quirks),
        "relay": str(IPv4Address(giaddr)) if giaddr else "",
        "port": circuit.decode("ascii") if circuit.isascii() and circuit.decode().isprintable() else circuit.hex(),
    }
    return {key: value for key, value in found.items() if value}

"""The operation that wakes machines by Wake-on-LAN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address
from typing import Annotated, Final

from msgspec import Meta

from provd.model.subnet import Subnet
from provd.model.system import System
from provd.plugin.contract import Operation
from provd.service.operations import Arguments, OperationError
from provd.service.operations_systems import refused
from provd.service.systems import Systems, check_owner
from provd.wire.magic_packet import magic_packet

SMALLEST_NETWORK: Final = 30
"""Longest prefix of a network that has a broadcast address (RFC 3021 section 2.1 takes it from 31)."""

Row = dict[str, object]


class Wake(Arguments, frozen=True):
    """Which machine, and how."""

    name: Annotated[str, Meta(description="System.")]
    interface: Annotated[str, Meta(description="This card alone; empty for every card.")] = ""
    port: Annotated[int, Meta(ge=1, le=65535, description="UDP port that the packets go to.")] = 9
    dry_run: Annotated[bool, Meta(description="Tell where packets would go, and send none.")] = False


class WakeOperation:
    """``system.wake``.

    Args:
        systems: the systems service.
        subnets: those of the configuration.
        address_of: address that a hardware address has now (dotted quad), empty for none.
        send: sends octets to a broadcast address and UDP port.
    """

    def __init__(
        self,
        systems: Systems,
        subnets: Callable[[], Sequence[Subnet]],
        address_of: Callable[[bytes], str],
        send: Callable[[bytes, str, int], None],
    ) -> None:
        self._systems, self._subnets, self._address_of, self._send = systems, subnets, address_of, send

    def operations(self) -> tuple[Operation, ...]:
        """The one."""
        return (
            Operation(
                "system.wake", "Wake a machine: send Wake-on-LAN packets to the subnets of its cards.", "operate",
                Wake, self._wake, "provd system wake web1",
                result="One row per packet: `interface`, `mac`, `subnet`, `broadcast`, `port`, and its `error` if any.",
            ),
        )  # fmt: skip

    def _wake(self, arguments: Wake) -> object:
        system = self._systems.get(arguments.name)
        if system is None:
            raise OperationError(f"there is no system {arguments.name}", field="name", kind="not-found")
        refused(lambda: check_owner(system, "woken"))
        rows = list(self._packets(system, arguments))
        if not rows:
            raise OperationError(f"system {system.name} has no subnet with a broadcast address", field="name")
        if not arguments.dry_run:
            for row in rows:
                row["error"] = self._sent(row)
            if all(row["error"] for row in rows):
                raise OperationError(f"no packet could be sent: {rows[0]['error']}")
        return rows

    def _packets(self, system: System, arguments: Wake) -> Iterator[Row]:
        cards = [card for card in system.interfaces if arguments.interface in {"", card.name}]
        if not cards:
            there = ", ".join(card.name for card in system.interfaces) or "none"
            what = f"interface {arguments.interface}" if arguments.interface else "network card"
            raise OperationError(f"system {system.name} has no {what}; it has {there}", field="interface")
        for card in cards:
            for subnet in self._near(self._address_of(card.mac.octets)):
                yield {
                    "interface": card.name,
                    "mac": str(card.mac),
                    "subnet": subnet.name,
                    "broadcast": str(subnet.network.broadcast_address),
                    "port": arguments.port,
                    "error": "",
                }

    def _near(self, address: str) -> list[Subnet]:
        """The subnet that a card has its address in, else every one: the machine is in one of them."""
        usable = [subnet for subnet in self._subnets() if subnet.network.prefixlen <= SMALLEST_NETWORK]
        own = [subnet for subnet in usable if address and _holds(subnet, address)]
        return own or usable

    def _sent(self, row: Row) -> str:
        try:
            self._send(
                magic_packet(bytes.fromhex(str(row["mac"]).replace(":", ""))),
                str(row["broadcast"]),
                int(str(row["port"])),
            )
        except OSError as error:
            return f"{row['broadcast']}: {error.strerror or error}"
        return ""


def _holds(subnet: Subnet, address: str) -> bool:
    return IPv4Address(address) in subnet.network

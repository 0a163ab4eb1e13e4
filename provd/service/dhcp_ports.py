"""What the DHCP service gets from below and asks of those beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from provd.model.boot import BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import Destination, DhcpRequest, GateVerdict, OptionSet, Reply
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a datagram came in.

    Attributes:
        interface: name of the receiving interface; the answer leaves there (RFC 2131 section 4.1).
        local: address it was sent to, or the interface's first address where it was broadcast.
        source: IP source address.
        source_port: UDP source port.
        unicast: it was sent to one of our addresses, not broadcast.
        addresses: every address of the interface.
        mtu: of the interface, the bound of every reply.
        pxe: it came in at the PXE port (4011), not at the DHCP port.
    """

    interface: str
    local: int
    source: int = 0
    source_port: int = 68
    unicast: bool = False
    addresses: tuple[int, ...] = ()
    mtu: int = 1500
    pxe: bool = False


Send = Callable[[str, bytes, Destination, int], None]
"""Sends one datagram: interface it leaves by, octets, receiver, our address. Raises nothing."""


Foreign = Callable[[DhcpRequest, int], None]
"""Told of a REQUEST that takes another server's offer, and of that server's identifier. Raises nothing."""


Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after some seconds, on the reactor's thread."""


class DhcpHooks(Protocol):
    """What the service asks of the plugin host."""

    @property
    def epoch(self) -> tuple[int, int]:
        """Changes when remembered answers are void, and when a plugin failed to answer."""
        ...

    def hook_is_pure(self, hook: str) -> bool:
        """Whether answers of this hook may be remembered."""
        ...

    def hook_is_shared(self, hook: str) -> bool:
        """Whether answers of this hook are the same for machines that differ in nothing but their identity."""
        ...

    def hook_concerns(self, hook: str, options: frozenset[int]) -> bool:
        """Whether anybody is to be asked about a message with these options."""
        ...

    def gate(self, request: DhcpRequest) -> GateVerdict:
        """May this client be answered?"""
        ...

    def labels(self, request: DhcpRequest) -> frozenset[str]:
        """Client classes."""
        ...

    def subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        """The client's subnet, None where no plugin knows."""
        ...

    def options(
        self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None
    ) -> Sequence[tuple[str, OptionSet]]:
        """Options by plugin, in configured order."""
        ...

    def reply(self, request: DhcpRequest, reply: Reply) -> Reply:
        """The reply after every plugin saw it."""
        ...


class BootDirector(Protocol):
    """Boot decisions and the story of each boot."""

    def offer(
        self, request: DhcpRequest, system: System | None, subnet: Subnet, address: int, server: str
    ) -> tuple[BootPlan, BootFile | None]:
        """The plan and the first file of a network boot client that gets ``address``."""
        ...

    def booting(self, mac: bytes) -> bool:
        """A boot of this hardware address is known: its messages belong to a story."""
        ...

    def holds(self, address: int) -> bool:
        """The address is that of a machine whose boot is known."""
        ...

    def seen(
        self, kind: str, request: DhcpRequest, system: System | None, address: int, fields: Mapping[str, object]
    ) -> None:
        """One message came in or went out; called after the reply has left."""
        ...


class KnownSystems(Protocol):
    """The index of systems."""

    def find(self, client: ClientFacts) -> System | None:
        """The system of a client: by MAC, then by UUID."""
        ...

    def find_leased(self, client: ClientFacts, leased_as: Callable[[bytes], str]) -> System | None:
        """The system without a card that a hardware address had its lease as."""
        ...

    def knows(self, mac: bytes, client_id: bytes) -> bool:
        """Whether this hardware address or client-id may mean a system; UUID and port are not weighed."""
        ...


class SystemProfiles(Protocol):
    """The catalogue, as far as DHCP needs it."""

    def profile_for(self, system: System) -> Profile | None:
        """The system's profile with its inheritance resolved."""
        ...


class Turn(Protocol):
    """What is done once for all datagrams that were read together."""

    def begin_turn(self) -> None:
        """They are about to be handled."""
        ...

    def end_turn(self) -> None:
        """They were."""
        ...


class ShortWay(Protocol):
    """Answers messages of kinds that were answered before."""

    def answer(self, data: bytes, arrival: Arrival) -> bool:
        """Answer a message; False, with nothing done, where it must go the long way."""
        ...

    def clear(self) -> None:
        """Forget what was answered."""
        ...


class LeaseWriter(Protocol):
    """The lease store."""

    def commit(self, leases: Sequence[Lease], removed: Sequence[int], done: Callable[[Exception | None], None]) -> None:
        """Write leases; ``done`` is called on the reactor thread once they are durable, or with what went wrong."""
        ...

"""Stand-ins for everything the DHCP service asks: lease store, plugin host, boot director, systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from plugins.relay import Relay, RelaySettings
from provd.model.boot import Action, BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import Allow, DhcpRequest, GateVerdict, OptionSet, Reply
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.service.dhcp_probe import Question


class MemoryLeases:
    """A lease store that writes at once, later or not at all."""

    def __init__(self) -> None:
        self.rows: dict[int, Lease] = {}
        self.commits = 0
        self.hold = False
        self.problem: Exception | None = None
        self._waiting: list[tuple[Callable[[], None], Callable[[Exception | None], None]]] = []

    def commit(self, leases: Sequence[Lease], removed: Sequence[int], done: Callable[[Exception | None], None]) -> None:
        self.commits += 1

        def write() -> None:
            self.rows.update((lease.address, lease) for lease in leases)
            for address in removed:
                self.rows.pop(address, None)

        self._waiting.append((write, done))
        if not self.hold:
            self.flush()

    def flush(self) -> None:
        """Write what waits, and tell."""
        waiting, self._waiting = self._waiting, []
        for write, done in waiting:
            if self.problem is None:
                write()
            done(self.problem)

    def crash(self, written: int) -> None:
        """The process ends: the first of what waits was written, the rest was not, and nobody is told."""
        waiting, self._waiting = self._waiting, []
        for write, _ in waiting[:written]:
            write()


class FakeHooks:
    """The plugin host with the real relay plugin and one plugin made of attributes."""

    def __init__(self) -> None:
        self.relay = Relay(RelaySettings())
        self.verdict: GateVerdict = Allow()
        self.given_labels: frozenset[str] = frozenset()
        self.sets: list[tuple[str, OptionSet]] = []
        self.change: Callable[[Reply], Reply] = lambda reply: reply
        self.epoch = (0, 0)

    def hook_is_pure(self, hook: str) -> bool:
        """Tests change labels and options between packets; the relay plugin is what it always is."""
        return hook == "provd_dhcp_subnet"

    def hook_is_shared(self, hook: str) -> bool:
        """Nor does anything here say that it does not look at the machine."""
        return False

    def hook_concerns(self, hook: str, options: frozenset[int]) -> bool:
        return True

    def gate(self, request: DhcpRequest) -> GateVerdict:
        return self.verdict

    def labels(self, request: DhcpRequest) -> frozenset[str]:
        return self.given_labels

    def subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        return self.relay.provd_dhcp_subnet(request, subnets)

    def options(
        self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None
    ) -> Sequence[tuple[str, OptionSet]]:
        return self.sets

    def reply(self, request: DhcpRequest, reply: Reply) -> Reply:
        return self.change(self.relay.provd_dhcp_reply(request, reply) or reply)


class FakeProbe:
    """Remembers what was asked for; a test answers."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.waiting: dict[int, Callable[[str], None]] = {}

    def ask(self, question: Question, done: Callable[[str], None]) -> None:
        self.asked.append(question)
        self.waiting[question.address] = done

    def answer(self, address: int, who: str) -> None:
        """Somebody answers, or with an empty text nobody does in time."""
        self.waiting.pop(address)(who)


@dataclass
class Seen:
    """One call of the director."""

    kind: str
    request: DhcpRequest
    system: System | None
    address: int
    fields: Mapping[str, object]


class FakeBootDirector:
    """Gives every netboot client one file, and remembers what it heard."""

    def __init__(self) -> None:
        self.file: BootFile | None = BootFile("pxelinux.0")
        self.heard: list[Seen] = []
        self.asked: list[tuple[int, str]] = []

    def offer(
        self, request: DhcpRequest, system: System | None, subnet: Subnet, address: int, server: str
    ) -> tuple[BootPlan, BootFile | None]:
        self.asked.append((address, server))
        plan = BootPlan(Action.INSTALL, "test", request.client, system, loader="fake", server=server)
        return plan, self.file

    def booting(self, mac: bytes) -> bool:
        """It hears of every machine."""
        return True

    def holds(self, address: int) -> bool:
        return True

    def seen(
        self, kind: str, request: DhcpRequest, system: System | None, address: int, fields: Mapping[str, object]
    ) -> None:
        self.heard.append(Seen(kind, request, system, address, fields))

    @property
    def kinds(self) -> list[str]:
        """What it heard, in order."""
        return [seen.kind for seen in self.heard]


class FakeSystems:
    """Systems by MAC, then by UUID, and their profiles."""

    def __init__(self) -> None:
        self.all: list[System] = []
        self.profiles: dict[str, Profile] = {}

    def find(self, client: ClientFacts) -> System | None:
        for system in self.all:
            if any(card.mac == client.mac for card in system.interfaces):
                return system
        return next((system for system in self.all if system.uuid and system.uuid == client.uuid), None)

    def find_leased(self, _client: ClientFacts, _leased_as: Callable[[bytes], str]) -> System | None:
        return None

    def knows(self, mac: bytes, client_id: bytes) -> bool:
        return any(card.mac.octets == mac for system in self.all for card in system.interfaces)

    def profile_for(self, system: System) -> Profile | None:
        return self.profiles.get(system.profile)

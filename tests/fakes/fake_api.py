"""A backend in memory for the operations, and a client that calls the table directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from provd.api.client import ApiError
from provd.config.sources import Sources
from provd.config.systems import check_system
from provd.model.account import Caller
from provd.model.boot import BootFile, BootPlan, Location
from provd.model.client import ClientFacts
from provd.model.content import Content, FileRequest
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.mac import Mac
from provd.model.origin import Origin
from provd.model.profile import Profile
from provd.model.session import BootSession
from provd.model.subnet import Subnet
from provd.model.system import InstallState, Interface, System
from provd.plugin.contract import BootLoader, Change, Operation, Veto
from provd.plugin.contract_install import Installer
from provd.plugin.host import PluginHost
from provd.service.dhcp_counters import Throttle
from provd.service.dhcp_levels import OptionLevels
from provd.service.explain import Explainer
from provd.service.explain_options import OptionExplainer, Places
from provd.service.operations import OperationError, OperationTable
from provd.service.operations_boots import BootOperations
from provd.service.operations_catalogue import catalogue_operations
from provd.service.operations_leases import LeaseOperations
from provd.service.operations_plugins import plugin_operations
from provd.service.operations_server import server_operations
from provd.service.operations_systems import SystemOperations
from provd.service.systems import Systems
from provd.store.memory import MemorySystems
from tests.fakes.dhcp_fakes import FakeHooks

MAC = Mac.parse("52:54:00:00:00:01")
SUBNET = Subnet("lan", IPv4Network("10.0.0.0/24"), options={"ntp-servers": "10.0.0.9"})
DISTRO = Distro("debian-12", family="debian", installer="preseed", tree="mirror:debian/", vars={"suite": "bookworm"})
PROFILE = Profile(
    "web",
    DISTRO,
    kernel_args=("quiet",),
    answers={"timezone": "UTC", "password": "hunter2", "root": {"file": "/secret"}},
    options={"domain-name": "example.org"},
    origins={
        "kernel_args[0]": Origin("profile", "web", "profiles/web.toml", "kernel_args"),
        "answers.timezone": Origin("profile", "base", "profiles/base.toml", "answers.timezone"),
        "distro.tree": Origin("distro", "debian-12", "distros/debian-12.toml", "tree"),
    },
)


@dataclass
class FakeCatalogue:
    distros: Mapping[str, Distro] = field(default_factory=lambda: {"debian-12": DISTRO})
    profiles: Mapping[str, Profile] = field(default_factory=lambda: {"web": PROFILE})
    files: Mapping[str, str] = field(default_factory=lambda: {"distro debian-12": "distros/debian-12.toml"})
    problems: Sequence[object] = ()
    generation: str = "g1"

    @property
    def sources(self) -> Sources:
        return Sources((), {f"{kind}s": {} for kind in ("distro", "profile", "repo", "image", "menu")}, 0)

    def revision(self, kind: str, name: str) -> str:
        return f"{kind}-{name}-1"

    def resolve(self, system: System) -> Profile:
        if system.profile not in self.profiles:
            raise LookupError(f"no such profile: {system.profile}")
        return self.profiles[system.profile]


class _NoVetoes:
    def change(self, change: Change) -> Veto | None:
        return None


def systems_in_memory(states: FakeStates) -> Systems:
    """The real service over a store in memory, with the system ``web1``."""
    store = MemorySystems()
    store.put(System("web1", profile="web", interfaces=(Interface("eth0", MAC),)), expected="")
    systems = Systems(
        store=store,
        host=_NoVetoes(),
        states=states,
        check=lambda system, others: check_system(system, others, {"web"}, None),
        publish=lambda _event: None,
        wall=lambda: 1010.0,
    )
    systems.rebuild({})
    return systems


class FakeStates:
    def put(self, system: str, state: InstallState) -> None:
        """Forgotten at once."""

    def sync(self, system: str) -> None:
        """There is no disk."""

    def remove(self, system: str) -> None:
        """There is nothing to remove."""

    def get(self, system: str) -> InstallState:
        return InstallState(state="held", held_reason="two attempts") if system == "held1" else InstallState()


class FakeKept:
    """One boot with three events."""

    def __init__(self) -> None:
        self.boot = BootSession(
            "b1", str(MAC), "web1", 1000.0, 1009.5, "answers", "install", "web", "pxelinux", "10.0.0.10", "10.0.0.10"
        )
        self.kept = [
            Event("dhcp.discover", 1000.0, "b1", "web1", str(MAC), {"arch": "bios"}, 1),
            Event("http.sent", 1004.25, "b1", "web1", str(MAC), {"path": "boot/x/linux", "bytes": 8_200_000}, 2),
            Event("answer.served", 1009.5, "b1", "web1", str(MAC), {"path": "answer/CANARY/preseed.cfg"}, 3),
        ]

    def session(self, session: str) -> BootSession | None:
        return self.boot if session == "b1" else None

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        return [self.boot][:limit] if system in {"", "web1"} and mac in {"", str(MAC)} else []

    def events(self, session: str) -> Sequence[Event]:
        return self.kept


class FakeExplainHost:
    def __init__(self) -> None:
        self.boot_loaders = {
            "pxelinux": BootLoader(
                "pxelinux",
                lambda client, _plan: (
                    BootFile("lpxelinux.0") if client.arch and client.arch.firmware == "bios" else None
                ),
                dict,
                lambda _path: False,
                _no_config,
                lambda _plan: "LOCALBOOT -1",
            )
        }
        self.installers = {
            "preseed": Installer(
                "preseed",
                ("debian",),
                {},
                lambda plan: (f"url={plan.answer_url('preseed.cfg')}",),
                defaults={"lang": "C"},
            )
        }

    def boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        return None

    def kernel_args(self, plan: BootPlan) -> Sequence[tuple[str, Sequence[str]]]:
        return (("console", ("console=ttyS0",)),)

    def answer_vars(self, system: System, profile: Profile) -> Mapping[str, tuple[str, object]]:
        return {"api_token": ("site_vars", "CANARY"), "rack": ("site_vars", "r1")}


def _no_config(_request: FileRequest, _plan: BootPlan | None) -> Content:
    return Content.text("")


async def at_once(work: Callable[[], Any]) -> Any:
    """A thread pool that is never busy."""
    return work()


class Backend:
    """Everything that the operations stand on."""

    def __init__(self, theirs: Mapping[str, Operation] | None = None) -> None:
        self.catalogue = FakeCatalogue()
        self.systems = systems_in_memory(FakeStates())
        self.kept = FakeKept()
        self.problems: list[str] = []
        self.table = OperationTable(lambda: theirs or {})
        self.table.add(catalogue_operations(lambda: self.catalogue))
        self.table.add(SystemOperations(self.systems, FakeStates()).operations())
        self.leases = [Lease(int(IPv4Address("10.0.0.10")), "lan", MAC.octets, expires_at=5000.0, system="web1")]
        self.freed: list[int] = []
        self.table.add(
            BootOperations(self.kept, self.systems, lambda: 1010.0, lambda _session, _events: []).operations()
        )
        self.table.add(LeaseOperations(lambda: self.leases, self.free, lambda: 1010.0, at_once).operations())
        self.table.add(
            server_operations(
                status=lambda: {"version": "0.1.0"}, problems=lambda: self.problems, reload=lambda _dry_run: None
            )
        )
        self.table.add(plugin_operations(dict, lambda: PluginHost([], {}, clock=lambda: 0.0)))
        self.table.add(
            Explainer(
                host=FakeExplainHost(),
                catalogue=lambda: self.catalogue,
                systems=self.systems,
                states=FakeStates(),
                location=lambda _plan: Location("http", "10.0.0.1", "/mirror/debian"),
                subnet_of=lambda _system: SUBNET,
                server_of=lambda _subnet: "10.0.0.1",
                options=OptionExplainer(
                    OptionLevels(Throttle(Logger(), lambda: 0.0)),
                    FakeHooks(),
                    lambda: Places("provd.toml", {"subnet lan": "subnet[0]"}),
                ),
            ).operations()
        )

    def free(self, address: int, done: Callable[[Exception | None], None] | None) -> str:
        """Addresses below 10.0.0.128 can be freed, all but .66, where the store fails."""
        if address & 0xFF > 127:
            return "it has no running lease and is in no quarantine"
        if done is None:
            return ""
        self.freed.append(address)
        done(OSError("disk full") if address & 0xFF == 66 else None)
        return ""

    def call(self, name: str, arguments: object = None, role: str = "admin") -> Any:
        """Run an operation that does not wait."""
        outcome: list[Any] = []
        Deferred.fromCoroutine(self.table.call(name, arguments or {}, caller=Caller("ann", role))).addBoth(
            outcome.append
        )
        result = outcome[0]
        if hasattr(result, "raiseException"):
            result.raiseException()
        return result


class TableClient:
    """The local client without a socket."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        try:
            return self.backend.call(operation, {**(given or {}), **arguments})
        except OperationError as error:
            raise ApiError(str(error), error.field, error.kind) from error

    def operations(self) -> list[dict[str, Any]]:
        import msgspec

        return [
            {
                "name": one.name,
                "summary": one.summary,
                "example": one.example,
                "arguments": msgspec.json.schema(one.arguments),
            }
            for one in self.backend.table.all()
        ]

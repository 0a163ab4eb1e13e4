"""A world in memory around the boot services: fake plugin host, fake stores, a clock that is a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from provd.core.boot_policy import after_fetched, after_local_boot, policy_of
from provd.model.arch import BIOS
from provd.model.boot import Action, BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.content import Content, FileRequest, NotFound
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.menu import Menu
from provd.model.profile import BootPolicy, Profile
from provd.model.session import BootSession
from provd.model.subnet import Subnet
from provd.model.system import InstallState, Interface, System
from provd.model.token import InstallToken
from provd.plugin.contract import BootLoader, Change, InstallSource, Veto
from provd.plugin.contract_install import Answer, Callback, CallbackCall, CallbackResult, Document, Installer
from provd.service.answers import Answers
from provd.service.boot import BootDirector, Sending
from provd.service.boot_files import BootFiles
from provd.service.files import FileService
from provd.service.installs import Installs
from provd.service.menu_choices import MenuChoices
from provd.service.menu_passwords import MenuPasswords
from provd.service.plan_contents import PlanContents
from provd.service.sessions import Boot, Sessions
from provd.service.tokens import Tokens
from provd.store.interface import StoreError, SystemWrite

MAC = Mac.parse("52:54:00:00:00:01")
ADDRESS = "10.0.0.10"
SYSTEM = System("web1", profile="web", interfaces=(Interface("eth0", MAC),), version="1")
SUBNET = Subnet("lan", IPv4Network("10.0.0.0/24"), routers=(IPv4Address("10.0.0.1"),), dns=(IPv4Address("10.0.0.2"),))
SENDING = Sending("10.0.0.1", 80)
FIRMWARE = ClientFacts(mac=MAC, arch=BIOS, vendor_class="PXEClient:Arch:00000:UNDI:002001")


class FakeSessionLog:
    """Sessions in a dictionary."""

    def __init__(self) -> None:
        self.sessions: dict[str, BootSession] = {}

    def save_session(self, session: BootSession) -> None:
        self.sessions[session.id] = session

    def session(self, session: str) -> BootSession | None:
        return self.sessions.get(session)

    def recent_sessions(self, since: float) -> Iterable[BootSession]:
        newest: dict[str, BootSession] = {}
        for session in self.sessions.values():
            if session.last_at >= since:
                newest[session.mac] = session
        return newest.values()


class FakeTokenStore:
    """Tokens in a dictionary."""

    def __init__(self) -> None:
        self.tokens: dict[str, InstallToken] = {}

    def find(self, token: str) -> InstallToken | None:
        return self.tokens.get(token)

    def of_session(self, session: str) -> InstallToken | None:
        return next((token for token in self.tokens.values() if token.session == session), None)

    def save(self, token: InstallToken) -> None:
        self.tokens[token.token] = token


class FakeStates:
    """Install states in a dictionary."""

    def __init__(self) -> None:
        self.states: dict[str, InstallState] = {}
        self.full = False

    def get(self, system: str) -> InstallState:
        return self.states.get(system, InstallState())

    def put(self, system: str, state: InstallState) -> None:
        self.states[system] = state

    def sync(self, _system: str) -> None:
        if self.full:
            raise StoreError("the disk is full")

    def remove(self, system: str) -> None:
        self.states.pop(system, None)


class FakeSystemStore:
    """Systems in a dictionary; every write gives a new version."""

    def __init__(self) -> None:
        self.systems: dict[str, System] = {}
        self.writes = 0
        self.full = False

    def all(self) -> Iterable[System]:
        return tuple(self.systems.values())

    def put(self, system: System, *, expected: str) -> System:
        current = self.systems[system.name].version if system.name in self.systems else ""
        assert current == expected, "stale write"
        if self.full:
            raise StoreError("the disk is full")
        self.writes += 1
        self.systems[system.name] = kept = replace(system, version=str(self.writes))
        return kept

    def get(self, name: str) -> System | None:
        return self.systems.get(name)

    def remove(self, name: str, *, expected: str) -> None:
        assert self.systems[name].version == expected, "stale write"
        del self.systems[name]

    def change(self, writes: Sequence[SystemWrite]) -> Sequence[System]:
        kept = []
        for write in writes:
            if write.system is None:
                self.remove(write.name, expected=write.expected)
            else:
                kept.append(self.put(write.system, expected=write.expected))
        return kept


def _config(request: FileRequest, plan: BootPlan | None) -> Content | NotFound:
    if plan is None:
        return NotFound("nobody knows this machine", expected=True)
    return Content.text(f"{plan.action.value} {plan.kernel} {' '.join(plan.kernel_args)}")


def _render(answer: Answer) -> str:
    return f"host={answer.vars['hostname']} address={answer.vars['interface']['address']}\n" + answer.render("t.j2")  # type: ignore[index]


@dataclass
class FakeHost:
    """Stands for the plugin host: one loader, one installer, one callback of each outcome."""

    payload_dir: Path
    vetoes: list[str] = field(default_factory=list)
    extra_args: Sequence[tuple[str, Sequence[str]]] = (("serial", ("console=ttyS0",)),)
    vars: Mapping[str, tuple[str, object]] = field(default_factory=dict)
    files: dict[str, Content | NotFound] = field(default_factory=dict)
    not_ready: str = ""
    wish: Action | None = None
    install_sources: Mapping[str, InstallSource] = field(default_factory=dict)
    more_loaders: Mapping[str, BootLoader] = field(default_factory=dict)

    @property
    def boot_loaders(self) -> Mapping[str, BootLoader]:
        loader = BootLoader(
            name="fakelinux",
            select=lambda client, _plan: BootFile("fakelinux.0") if client.arch is BIOS else None,
            files=lambda: {"fakelinux.0": self.payload_dir / "fakelinux.0"},
            is_config=lambda path: path.startswith("fake.cfg/"),
            config=_config,
            local_boot=lambda _plan: "local",
        )
        return {**self.more_loaders, loader.name: loader}

    @property
    def installers(self) -> Mapping[str, Installer]:
        installer = Installer(
            name="fake",
            families=("debian",),
            documents={"answers.cfg": Document(_render)},
            kernel_args=lambda plan: (f"url={plan.answer_url('answers.cfg')}",),
            ready=lambda _profile: self.not_ready,
        )
        return {installer.name: installer}

    @property
    def callbacks(self) -> Mapping[str, Callback]:
        def callback(name: str, outcome: str) -> Callback:
            def run(call: CallbackCall) -> CallbackResult:
                return CallbackResult(f"install.{call.name}", {"octets": len(call.body)}, outcome=outcome)

            return Callback(name, 1024, run)

        outcomes = {"started": "started", "progress": "", "log": "", "finished": "finished", "failed": "failed"}
        return {name: callback(name, outcome) for name, outcome in {**outcomes, "firstboot": "firstboot"}.items()}

    def boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        if self.wish is None:
            return None
        return BootPlan(self.wish, "a plugin wants it", client)

    def kernel_args(self, plan: BootPlan) -> Sequence[tuple[str, Sequence[str]]]:
        return self.extra_args

    def answer_vars(self, system: System, profile: Profile) -> Mapping[str, tuple[str, object]]:
        return self.vars

    def file(self, request: FileRequest) -> Content | NotFound | None:
        return self.files.get(request.path)

    def change(self, change: Change) -> Veto | None:
        return Veto(self.vetoes[0]) if self.vetoes else None


@dataclass
class FakeProfiles:
    """A catalogue with one profile."""

    profile: Profile | None
    generation: str = "g1"
    menus: Mapping[str, Menu] = field(default_factory=dict)

    def profile_for(self, system: System) -> Profile | None:
        return self.profile if self.profile and system.profile == self.profile.name else None


class BootWorld:
    """All boot services around one machine, wired as the composition root wires them."""

    def __init__(self, payload_dir: Path) -> None:
        self.now = 1000.0
        for name in ("fakelinux.0", "linux", "initrd.gz"):
            (payload_dir / name).write_bytes(name.encode() * 10)
        distro = Distro("debian-12", family="debian", kernel="payload:linux", initrd=("payload:initrd.gz",))
        self.profile = Profile("web", distro, installer="fake", kernel_args=("quiet",), boot=BootPolicy())
        self.system: System | None = SYSTEM
        self.payload_dir = payload_dir
        self.host = FakeHost(payload_dir)
        self.profiles = FakeProfiles(self.profile)
        self.session_log, self.token_store, self.states = FakeSessionLog(), FakeTokenStore(), FakeStates()
        self.events: list[Event] = []
        self.secret_is_once = False
        self.restart()

    def wall(self) -> float:
        return self.now

    def restart(self) -> None:
        """Build every service anew over the same stores, as a restart of provd does."""
        self.sessions = Sessions(self.session_log, self.events.append, self.wall)
        self.sessions.load(0.0)
        self.boot_files = BootFiles(self.payload_dir)
        contents = PlanContents(self.host, self.boot_files)
        self.director = BootDirector(
            host=self.host,
            profiles=lambda: self.profiles,
            sessions=self.sessions,
            states=self.states,
            contents=contents,
        )
        self.tokens = Tokens(
            store=self.token_store,
            sessions=self.sessions,
            addresses_of=lambda _system: frozenset({ADDRESS}),
            subnet_of=lambda address: "lan" if address.startswith("10.0.0.") else "",
            plan_of=self.plan_of,
            wall=self.wall,
        )
        self.answers = Answers(
            host=self.host,
            render=lambda _installer, _folder, template, variables: f"{template} {variables.get('secret', '-')}",
            secrets=lambda value: (value, self.secret_is_once),
            subnet_of=lambda _address: SUBNET,
            address_of=lambda _mac: ADDRESS,
        )
        self.installs = Installs(
            host=self.host,
            tokens=self.tokens,
            answers=self.answers,
            sessions=self.sessions,
            states=self.states,
            installed=self.installed,
            wall=self.wall,
        )
        self.files = FileService(
            seconds=self.wall,
            host=self.host,
            sessions=self.sessions,
            with_arguments=contents.with_arguments,
            files=self.boot_files,
            installs=self.installs,
            tokens=self.tokens,
            plan_of=self.plan_of,
            served_local=self.served_local,
            boot_of=self.sessions.of_address,
            menus=MenuChoices(
                sessions=self.sessions,
                decide=lambda boot, system: self.director.anew(boot, system, SENDING),
                passwords=MenuPasswords(lambda value: (value, False)),
                adopt=lambda _client, _peer, _name, _profile: "nobody is adopted here",
            ),
        )

    def plan_of(self, boot: Boot) -> BootPlan:
        return self.director.plan_of(boot, self.system, SENDING)

    def installed(self, name: str, _choice: str = "") -> None:
        assert self.system is not None
        if policy_of(self.system, self.profiles.profile) == "always":
            return
        self.system = replace(self.system, netboot=False, version="2")

    def served_local(self, boot: Boot) -> None:
        assert self.system is not None
        policy = policy_of(self.system, self.profiles.profile)
        self.states.put(self.system.name, after_local_boot(policy, self.states.get(self.system.name)))

    def fetched_all(self, boot: Boot) -> None:
        self.states.put(boot.session.system, after_fetched(self.states.get(boot.session.system), boot.session.id))

    def discover(self, client: ClientFacts = FIRMWARE) -> Boot:
        """Firmware DISCOVER and the lease that follows."""
        boot = self.director.discover(client, self.system, SENDING)
        self.sessions.lease(boot, ADDRESS)
        return boot

    def get(
        self, path: str, *, peer: str = ADDRESS, method: str = "GET", body: bytes = b"", protocol: str = "http"
    ) -> Content | NotFound:
        """One request that runs to its end: ``on_sent`` is called as a listener does."""
        answer = self.files.open(FileRequest(protocol, path, peer, "10.0.0.1", method=method, body=body))
        if isinstance(answer, Content) and answer.on_sent is not None and method != "HEAD":
            answer.on_sent(answer.length)
        return answer

    def text(self, path: str, *, peer: str = ADDRESS, method: str = "GET") -> str:
        """Body of a request that must succeed."""
        answer = self.get(path, peer=peer, method=method)
        assert isinstance(answer, Content), answer
        assert isinstance(answer.body, bytes)
        return answer.body.decode()

    def post(self, name: str, *, token: str, peer: str = ADDRESS) -> Content | NotFound:
        """One callback."""
        return self.get(f"callback/{token}/{name}", peer=peer, method="POST", body=b"x=1")

    def kinds(self) -> list[str]:
        """Kinds of all events so far."""
        return [event.kind for event in self.events]

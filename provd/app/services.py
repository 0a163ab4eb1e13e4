"""Builds the services around one store, one plugin host and one catalogue, and ties them together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from provd.config.catalogue import Catalogue
from provd.config.queue import queue_limits
from provd.config.quirks import read_quirks
from provd.config.schema import ServerConfig
from provd.config.secrets import SecretReader
from provd.config.settings import model_classes, model_subnets
from provd.config.systems import check_system, plugin_faults
from provd.core.boot_policy import after_fetched, after_local_boot, after_started, policy_of
from provd.model.boot import BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import Destination
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.plugin.contract import Adoption
from provd.plugin.host import PluginHost
from provd.plugin.templates import Templates
from provd.service.access import Access, InThread
from provd.service.admission import Admission, AdmissionRules
from provd.service.adoption import Adopter
from provd.service.answers import Answers
from provd.service.boot import BootDirector, Sending
from provd.service.boot_dhcp import BootDhcp
from provd.service.boot_files import BootFiles
from provd.service.catalogue_changes import CatalogueChanges
from provd.service.dhcp import Clocks, DhcpService
from provd.service.dhcp_ports import Foreign
from provd.service.dhcp_probe import AddressProbe
from provd.service.dhcp_reply import Ports
from provd.service.events import EventBus
from provd.service.file_events import FileEvents
from provd.service.files import FileService
from provd.service.installer_logs import InstallerLogs, LogLimits
from provd.service.installs import Installs
from provd.service.inventories import Inventories
from provd.service.menu_choices import MenuChoices
from provd.service.menu_passwords import MenuPasswords
from provd.service.operations_answers import MaskedHost, unresolved
from provd.service.power import Power
from provd.service.power_tables import power_faults, table_of
from provd.service.proxy_claims import ProxyClaims
from provd.service.recorder import ENDS, Recorder
from provd.service.sessions import Boot, Sessions
from provd.service.system_doubts import source_doubts, template_doubts
from provd.service.system_problems import SystemProblems
from provd.service.systems import Systems
from provd.service.tokens import Tokens
from provd.service.triggers import Triggers
from provd.store.interface import Store

Send = Callable[[str, bytes, Destination, int], None]


async def _at_once(work: Callable[[], bool]) -> bool:
    return work()


@dataclass(slots=True)
class Current:
    """What a reload replaces."""

    config: ServerConfig
    catalogue: Catalogue
    subnets: tuple[Subnet, ...] = ()
    problems: list[str] = field(default_factory=list)
    file: str = "provd.toml"


class Services:
    """Everything between the listeners and the stores.

    Args:
        clock: the reactor's time.
        current: configuration and catalogue.
        host: the plugin host.
        store: the store.
        send: sends one DHCP reply.
        probe: asks the network whether an address is in use.
        in_thread: runs what takes long off the reactor's thread.
        send_service: sends one reply from the PXE port; by default as ``send``.
        foreign: told of other DHCP servers that clients choose.
    """

    def __init__(
        self,
        *,
        clock: IReactorTime,
        current: Current,
        host: PluginHost,
        store: Store,
        send: Send,
        probe: AddressProbe | None = None,
        in_thread: InThread = _at_once,
        send_service: Send | None = None,
        foreign: Foreign = lambda _request, _server: None,
    ) -> None:
        self.clock, self.current, self.host, self.store = clock, current, host, store
        self.wall: Callable[[], float] = time.time  # noqa: TID251  the root's clock
        self.current.subnets = model_subnets(current.config)
        self._rules: tuple[ServerConfig, AdmissionRules] | None = None
        self._templates: dict[tuple[Path, ...], Templates] = {}
        self.bus = EventBus(clock, store.sessions)
        self.sessions = Sessions(store.sessions, self.bus.publish, self.wall, self.bus.tell)
        self.systems = Systems(
            store=store.systems,
            host=host,
            states=store.installs,
            check=self._check_system,
            publish=self.bus.publish,
            wall=self.wall,
        )
        self._adopter = Adopter(host.adopt, self.systems, self.wall)
        self.problems = SystemProblems(
            self.systems,
            lambda: self.current.subnets,
            lambda: self.current.catalogue.profiles,
            clock.callLater,
            self._doubts,
        )
        self.changes = CatalogueChanges(
            current=lambda: self.current.catalogue,
            swap=self._swap_catalogue,
            writable=self._why_not_writable,
            systems=self.systems,
            host=host,
            publish=self.bus.publish,
            wall=self.wall,
        )
        self.access = Access(
            accounts=store.accounts,
            authenticators=lambda: host.authenticators,
            in_thread=in_thread,
            wall=self.wall,
            monotonic=time.monotonic,
        )
        self.log_port: Callable[[], int] = lambda: 0
        self._build_boots()
        self._build_installs()
        self._build_files()
        config = current.config
        self.dhcp = DhcpService(
            hooks=host,
            director=BootDhcp(
                self.director,
                self.sessions,
                config.listen.http_port,
                self.wall,
                self._adopter.adopt,
            ),
            systems=self.systems,
            profiles=_CurrentProfiles(current),
            store=store.leases,
            send=send,
            clocks=Clocks(self.wall, time.monotonic, _this_boot()),
            identity=config.identity,
            ports=Ports(config.listen.dhcp_port, config.listen.dhcp_client_port),
            probe=probe,
            send_service=send_service,
            foreign=foreign,
            publish=self.bus.publish,
            later=self.clock.callLater,
        )
        self.triggers = Triggers(
            lambda: host.triggers,
            clock=clock,
            wall=self.wall,
            log=store.trigger_runs,
            publish=self.bus.publish,
        )
        self.power = Power(
            find=self.systems.get,
            drivers=lambda: host.power_drivers,
            secrets=SecretReader(os.environ).resolve,
            publish=self.bus.publish,
            clock=clock,
            wall=lambda: self.wall(),  # noqa: PLW0108  tests set it
        )
        self.inventories = Inventories(lambda: host.inventories, self._inventory_loaded, clock)

    def _build_boots(self) -> None:
        payload = Path(self.current.config.data_dir) / "payload"
        self.boot_files = BootFiles(payload, lambda: self.host.install_sources)
        self.director = BootDirector(
            host=self.host,
            profiles=lambda: self.current.catalogue,
            sessions=self.sessions,
            states=self.store.installs,
            files=self.boot_files,
            log_port=lambda: self.log_port(),  # noqa: PLW0108  the listener is bound later
        )

        self.admission = Admission(
            sessions=self.sessions,
            rules=self._admission_rules,
            subnet_of=self._subnet_name,
            again=self._plan_again,
            wall=self.wall,
        )

    def _admission_rules(self) -> AdmissionRules:
        config = self.current.config
        if self._rules is None or self._rules[0] is not config:
            self._rules = (config, AdmissionRules(queue_limits(config), config.queue.wait_s))
        return self._rules[1]

    def _subnet_name(self, address: str) -> str:
        return subnet.name if address and (subnet := self.subnet_of(address)) else ""

    def _build_installs(self) -> None:
        self.tokens = Tokens(
            store=self.store.tokens,
            sessions=self.sessions,
            addresses_of=self._addresses_of,
            subnet_of=self._subnet_name,
            plan_of=self.plan_of,
            wall=self.wall,
        )
        self.answers = Answers(
            host=self.host,
            render=self._render,
            secrets=SecretReader(os.environ).resolve,
            subnet_of=self.subnet_of,
            address_of=self.address_of,
        )
        self.installs = Installs(
            host=self.host,
            tokens=self.tokens,
            answers=self.answers,
            sessions=self.sessions,
            states=self.store.installs,
            installed=self._installed,
            wall=self.wall,
        )

    def preview_answers(self) -> Answers:
        """Renders answers for people to look at: no secret is read for it, none is shown."""
        return Answers(
            host=MaskedHost(self.host),
            render=self._render,
            secrets=unresolved,
            subnet_of=self.subnet_of,
            address_of=self.address_of,
        )

    def _build_files(self) -> None:
        self.files = FileService(
            host=self.host,
            sessions=self.sessions,
            director=self.director,
            files=self.boot_files,
            installs=self.installs,
            tokens=self.tokens,
            plan_of=self.plan_of,
            served_local=self._served_local,
            boot_of=self.sessions.of_address,
            admitted=self.admission.ask,
            menus=MenuChoices(
                sessions=self.sessions,
                decide=self._decide_anew,
                passwords=MenuPasswords(SecretReader(os.environ).resolve),
                adopt=self._adopt_chosen,
            ),
            claimed=ProxyClaims(self.sessions, self.subnet_of, self._is_config).boot_of,
            seconds=self.clock.seconds,
        )
        self.file_events = FileEvents(
            sessions=self.sessions,
            boot_of=self.sessions.of_address,
            is_config=self._is_config,
            fetched_all=self._fetched_all,
        )

        listen = self.current.config.listen
        ports = (listen.dhcp_port, listen.pxe_port, listen.tftp_port)
        self.recorder = Recorder(self.sessions.of_address, ports, lambda: self.wall())  # noqa: PLW0108  tests set it
        self.installer_logs = InstallerLogs(
            boot_of=self.sessions.of_address, note=self.sessions.note, clock=self.clock, limits=self._log_limits
        )

    def _log_limits(self) -> LogLimits:
        syslog = self.current.config.syslog
        return LogLimits(syslog.lines_per_second, syslog.lines_per_boot, syslog.line_max)

    def _is_config(self, path: str) -> bool:
        return any(loader.is_config(path) for loader in self.host.boot_loaders.values())

    def load(self) -> None:
        """Read what survived the last run, and let events flow."""
        self.systems.rebuild(self.current.catalogue.systems)
        self.sessions.load(self.wall() - 86_400)
        self.admission.load()
        config = self.current.config
        self.dhcp.classify(config.options, model_classes(config), read_quirks(config.site_dir))
        self.dhcp.reconfigure(self.current.subnets)
        self.dhcp.reserve(self.systems.all())
        self.dhcp.load(self.store.leases.load())
        self.bus.listen(self.host.event, wanted=self.host.hears_events)
        self.bus.listen(self.triggers.on_event, wanted=lambda: bool(self.host.triggers))
        self.bus.listen(self.admission.on_event, {"session.stalled"})
        self.bus.listen(self._reservations_follow, {"system.changed"})
        self.bus.listen(self.recorder.on_event, ENDS)

    def plan_of(self, boot: Boot) -> BootPlan:
        """The plan of a boot, made again after a restart."""
        return self.director.plan_of(boot, *self._basis_of(boot))

    def _plan_again(self, boot: Boot) -> BootPlan:
        return self.director.renewed(boot, *self._basis_of(boot))

    def _decide_anew(self, boot: Boot, system: System | None) -> BootPlan:
        """The plan of a boot in which somebody chose from the menu."""
        _, sending = self._basis_of(boot)
        return self.director.anew(boot, system, sending)

    def _adopt_chosen(self, client: ClientFacts, peer: str, name: str, profile: str) -> System | str:
        subnet = self.subnet_of(peer)
        if subnet is None:
            return f"{peer} is in no subnet"
        made = self._adopter.adopt_as(client, subnet, Adoption(name, profile, reason="chosen at the menu"))
        return made.system or str(made.fields.get("reason", "it was refused a moment ago"))

    def _basis_of(self, boot: Boot) -> tuple[System | None, Sending]:
        system = self.systems.get(boot.session.system) if boot.session.system else None
        subnet = self.subnet_of(boot.session.address) if boot.session.address else None
        return system, Sending(self.server_of(subnet), self.current.config.listen.http_port)

    def server_of(self, subnet: Subnet | None) -> str:
        """This server's address (dotted quad) for machines of a subnet, where no packet says so."""
        if subnet is not None and subnet.server_address is not None:
            return str(subnet.server_address)
        if subnet is not None:
            near = next((own for own in sorted(self.dhcp.tables.host) if IPv4Address(own) in subnet.network), None)
            if near is not None:
                return str(IPv4Address(near))
        return str(IPv4Address(min(self.dhcp.tables.host))) if self.dhcp.tables.host else "127.0.0.1"

    def subnet_of(self, address: str) -> Subnet | None:
        """The subnet that an address (dotted quad) belongs to."""
        place = IPv4Address(address)
        return next((subnet for subnet in self.current.subnets if place in subnet.network), None)

    def address_of(self, mac: bytes) -> str:
        """Address that a hardware address has now: its lease's, else its reservation's, else empty."""
        leased = self.dhcp.tables.leased_to(mac)
        if leased:
            return str(IPv4Address(leased))
        boot = self.sessions.of_mac(mac.hex(":"))
        if boot is not None and boot.session.address and self.sessions.of_address(boot.session.address) is boot:
            return boot.session.address
        system = self.systems.of_mac(mac)
        cards = system.interfaces if system is not None else ()
        return next((str(card.address) for card in cards if card.mac.octets == mac and card.address), "")

    def _addresses_of(self, system: System) -> frozenset[str]:
        found = (self.address_of(card.mac.octets) for card in system.interfaces)
        return frozenset(address for address in found if address)

    def _render(self, installer: str, folder: Path | None, template: str, variables: Mapping[str, object]) -> str:
        return self._templates_of(installer, folder).render(template, variables)

    def _templates_of(self, installer: str, folder: Path | None) -> Templates:
        site = Path(self.current.config.site_dir) / "templates"
        folders = (site / installer, site, *((folder,) if folder is not None else ()))
        templates = self._templates.get(folders)
        if templates is None:
            templates = self._templates[folders] = Templates(folders, clock=time.monotonic)
        return templates

    def _check_system(self, system: System, others: Iterable[System]) -> Sequence[str]:
        faults = check_system(system, tuple(others), self.current.catalogue.profiles, self.current.subnets)
        return (*faults, *self._plugin_faults(system))

    def _plugin_faults(self, system: System) -> Iterable[str]:
        yield from plugin_faults(system, self.host.installers, self.host.boot_loaders)
        yield from power_faults(system.power, self.host.power_drivers)

    def _doubts(self, system: System) -> Iterator[str]:
        yield from self._plugin_faults(system)
        if self.host.power_drivers and not system.power:
            # What Cobbler's clients say of power is theirs to say; it is used where somebody here does.
            yield from power_faults(table_of(system), self.host.power_drivers)
        yield from source_doubts(system, {one for each in self.host.install_sources.values() for one in each.schemes})
        profile = self.current.catalogue.profile_for(system) if system.templates else None
        installer = self.host.installers.get(profile.installer or profile.distro.installer) if profile else None
        if installer is not None:
            templates = self._templates_of(installer.name, installer.templates)
            yield from template_doubts(system, installer, lambda name: templates.source(name) is not None)

    def _swap_catalogue(self, catalogue: Catalogue) -> None:
        """Put a changed catalogue into force; running boots keep their plans."""
        before, self.current.catalogue = self.current.catalogue, catalogue
        if catalogue.systems is not before.systems and catalogue.systems != before.systems:
            self.systems.rebuild(catalogue.systems)
        self.dhcp.forget()

    def _why_not_writable(self) -> str:
        if self.current.config.api_writes:
            return ""
        return "distros and profiles are changed in their files only: api_writes = true in provd.toml allows it here"

    def _installed(self, name: str) -> None:
        system = self.systems.get(name)
        if system is not None and self._policy_of(system) != "always":
            self.systems.set_netboot(name, wanted=False)

    def _served_local(self, boot: Boot) -> None:
        system = self.systems.get(boot.session.system)
        if system is not None:
            state = self.store.installs.get(system.name)
            if (after := after_local_boot(self._policy_of(system), state)) != state:
                self.store.installs.put(system.name, after)

    def _policy_of(self, system: System) -> str:
        return policy_of(system, self.current.catalogue.profile_for(system))

    def _fetched_all(self, boot: Boot) -> None:
        if boot.session.action == "start":
            self._started(boot)
        if boot.session.action == "install" and boot.session.system:
            state = self.store.installs.get(boot.session.system)
            self.store.installs.put(boot.session.system, after_fetched(state, boot.session.id))

    def _started(self, boot: Boot) -> None:
        """The machine has all of something that installs nothing: that was it, for the network."""
        self.sessions.note(boot, "boot.handed_over", {"profile": boot.session.profile})
        self.sessions.end(boot, "started")
        system = self.systems.get(boot.session.system)
        if system is not None and not boot.session.choice:
            state = self.store.installs.get(system.name)
            self.store.installs.put(system.name, after_started(state, boot.session.id))
            if self._policy_of(system) == "once":
                self.systems.set_netboot(system.name, wanted=False)

    def _inventory_loaded(self, name: str, systems: Iterable[System]) -> None:
        self.systems.inventory(name, systems)
        self.dhcp.reserve(self.systems.all())

    def _reservations_follow(self, event: object) -> None:
        if getattr(event, "kind", "") == "system.changed":
            name = getattr(event, "system", "")
            self.dhcp.follow(name, self.systems.get(name))
            if self.systems.get(name) is None:
                self.installs.revoke(name)


def _this_boot() -> str:
    """Which run of this machine this is, as Linux names it (random(4)); empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""


class _CurrentProfiles:
    """The catalogue of this moment, for a service that outlives it; a system is resolved once for each version."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._kept: dict[str, tuple[System, Catalogue, Profile | None]] = {}

    def profile_for(self, system: System) -> Profile | None:
        """The system's profile with its inheritance resolved."""
        catalogue = self._current.catalogue
        kept = self._kept.get(system.name)
        if kept is None or kept[0] is not system or kept[1] is not catalogue:
            kept = self._kept[system.name] = (system, catalogue, catalogue.profile_for(system))
        return kept[2]

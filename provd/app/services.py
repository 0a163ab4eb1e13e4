"""Builds the services around one store, one plugin host and one catalogue, and ties them together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from provd.config.quirks import read_quirks
from provd.config.secrets import SecretReader
from provd.config.settings import model_classes, model_subnets
from provd.plugin.host import PluginHost
from provd.service.access import Access, InThread, at_once
from provd.service.admission import Admission
from provd.service.adoption import Adopter
from provd.service.answer_templates import AnswerTemplates
from provd.service.answers import Answers, ResolveSecrets
from provd.service.boot import BootDirector
from provd.service.boot_dhcp import BootDhcp
from provd.service.boot_ends import BootEnds
from provd.service.boot_files import BootFiles
from provd.service.boot_plans import BootPlans
from provd.service.catalogue_changes import CatalogueChanges
from provd.service.current import Current, CurrentProfiles
from provd.service.current_limits import CurrentLimits
from provd.service.dhcp import DhcpService
from provd.service.dhcp_clocks import Clocks, this_boot
from provd.service.dhcp_ports import Foreign, Send
from provd.service.dhcp_probe import AddressProbe
from provd.service.dhcp_reply import Ports
from provd.service.events import EventBus
from provd.service.file_events import FileEvents
from provd.service.files import FileService
from provd.service.installer_logs import InstallerLogs
from provd.service.installs import Installs
from provd.service.inventories import Inventories
from provd.service.menu_choices import MenuChoices
from provd.service.menu_passwords import MenuPasswords
from provd.service.operations_answers import MaskedHost, unresolved
from provd.service.plan_contents import PlanContents
from provd.service.ports import AnswerHost
from provd.service.power import Power
from provd.service.proxy_claims import ProxyClaims
from provd.service.recorder import ENDS, Recorder
from provd.service.sessions import Sessions
from provd.service.system_checks import SystemChecks
from provd.service.system_followers import SystemFollowers
from provd.service.system_problems import SystemProblems
from provd.service.systems import Systems
from provd.service.tokens import Tokens
from provd.service.triggers import Triggers
from provd.service.whereabouts import Whereabouts
from provd.store.interface import Store


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
        in_thread: InThread = at_once,
        send_service: Send | None = None,
        foreign: Foreign = lambda _request, _server: None,
    ) -> None:
        self.clock, self.current, self.host, self.store = clock, current, host, store
        self.wall: Callable[[], float] = time.time  # noqa: TID251  the root's clock
        self.current.subnets = model_subnets(current.config)
        self._limits = CurrentLimits(current)
        self.bus = EventBus(clock, store.sessions)
        self.sessions = Sessions(store.sessions, self.bus.publish, self.wall, self.bus.tell)
        self.log_port: Callable[[], int] = lambda: 0
        self._build_systems()
        self._build_boots()
        self._build_installs()
        self._build_files()
        self._build_records()
        self._build_dhcp(send, send_service, probe, foreign)
        self._build_changes()
        self._build_people(in_thread)

    def _build_systems(self) -> None:
        self._templates = AnswerTemplates(lambda: self.current.config.site_dir, time.monotonic)
        checks = SystemChecks(self.current, self.host, self._templates)
        self.systems = Systems(
            store=self.store.systems,
            host=self.host,
            states=self.store.installs,
            check=checks.faults,
            publish=self.bus.publish,
            wall=self.wall,
        )
        self.whereabouts = Whereabouts(
            subnets=lambda: self.current.subnets,
            tables=lambda: self.dhcp.tables,
            sessions=self.sessions,
            systems=self.systems,
            newest=lambda name: next(iter(self.store.sessions.sessions(system=name, limit=1)), None),
        )
        self._adopter = Adopter(self.host.adopt, self.systems, self.whereabouts.subnet_of, self.wall)
        self.problems = SystemProblems(
            self.systems,
            lambda: self.current.subnets,
            lambda: self.current.catalogue.profiles,
            self.clock.callLater,
            checks.doubts,
        )

    def _build_boots(self) -> None:
        self.boot_files = BootFiles(Path(self.current.config.data_dir) / "payload", lambda: self.host.install_sources)
        self.contents = PlanContents(self.host, self.boot_files, lambda: self.log_port())  # noqa: PLW0108  bound later
        self.director = BootDirector(
            host=self.host,
            profiles=lambda: self.current.catalogue,
            sessions=self.sessions,
            states=self.store.installs,
            contents=self.contents,
        )
        self.plans = BootPlans(
            self.director, self.systems, self.whereabouts, lambda: self.current.config.listen.http_port
        )
        self._ends = BootEnds(
            self.systems,
            self.store.installs,
            self.sessions,
            lambda system: self.current.catalogue.profile_for(system),  # noqa: PLW0108  another one after a reload
        )
        self.admission = Admission(
            sessions=self.sessions,
            rules=self._limits.admission,
            subnet_of=self.whereabouts.subnet_name,
            again=self.plans.renewed,
            wall=self.wall,
        )

    def _build_installs(self) -> None:
        self.tokens = Tokens(
            store=self.store.tokens,
            sessions=self.sessions,
            addresses_of=self.whereabouts.addresses_of,
            subnet_of=self.whereabouts.subnet_name,
            plan_of=self.plans.plan_of,
            wall=self.wall,
        )
        self.answers = self._answers(self.host, SecretReader(os.environ).resolve)
        self.installs = Installs(
            host=self.host,
            tokens=self.tokens,
            answers=self.answers,
            sessions=self.sessions,
            states=self.store.installs,
            installed=self._ends.installed,
            wall=self.wall,
        )

    def preview_answers(self) -> Answers:
        """Renders answers for people to look at: no secret is read for it, none is shown."""
        return self._answers(MaskedHost(self.host), unresolved)

    def _answers(self, host: AnswerHost, secrets: ResolveSecrets) -> Answers:
        return Answers(
            host=host,
            render=self._templates.render,
            secrets=secrets,
            subnet_of=self.whereabouts.subnet_of,
            address_of=self.whereabouts.address_of,
        )

    def _build_files(self) -> None:
        self.files = FileService(
            host=self.host,
            sessions=self.sessions,
            with_arguments=self.contents.with_arguments,
            files=self.boot_files,
            installs=self.installs,
            tokens=self.tokens,
            plan_of=self.plans.plan_of,
            served_local=self._ends.served_local,
            boot_of=self.sessions.of_address,
            admitted=self.admission.ask,
            menus=MenuChoices(
                sessions=self.sessions,
                decide=self.plans.chosen,
                passwords=MenuPasswords(SecretReader(os.environ).resolve),
                adopt=self._adopter.adopt_chosen,
            ),
            claimed=ProxyClaims(self.sessions, self.whereabouts.subnet_of, self._is_config).boot_of,
            seconds=self.clock.seconds,
        )
        self.file_events = FileEvents(
            sessions=self.sessions,
            boot_of=self.sessions.of_address,
            is_config=self._is_config,
            fetched_all=self._ends.fetched_all,
        )

    def _build_records(self) -> None:
        listen = self.current.config.listen
        ports = (listen.dhcp_port, listen.pxe_port, listen.tftp_port)
        self.recorder = Recorder(self.sessions.of_address, ports, lambda: self.wall())  # noqa: PLW0108  tests set it
        self.installer_logs = InstallerLogs(
            boot_of=self.sessions.of_address, note=self.sessions.note, clock=self.clock, limits=self._limits.logs
        )

    def _build_dhcp(self, send: Send, send_service: Send | None, probe: AddressProbe | None, foreign: Foreign) -> None:
        config = self.current.config
        self.dhcp = DhcpService(
            hooks=self.host,
            director=BootDhcp(self.director, self.sessions, config.listen.http_port, self.wall, self._adopter.adopt),
            systems=self.systems,
            profiles=CurrentProfiles(self.current),
            store=self.store.leases,
            send=send,
            clocks=Clocks(self.wall, time.monotonic, this_boot()),
            identity=config.identity,
            ports=Ports(config.listen.dhcp_port, config.listen.dhcp_client_port),
            probe=probe,
            send_service=send_service,
            foreign=foreign,
            publish=self.bus.publish,
            later=self.clock.callLater,
        )

    def _build_changes(self) -> None:
        self._followers = SystemFollowers(self.current, self.systems, self.dhcp, self.installs)
        self.changes = CatalogueChanges(
            current=lambda: self.current.catalogue,
            swap=self._followers.catalogue_changed,
            writable=self.current.why_not_writable,
            systems=self.systems,
            host=self.host,
            publish=self.bus.publish,
            wall=self.wall,
        )
        self.inventories = Inventories(lambda: self.host.inventories, self._followers.inventory_loaded, self.clock)

    def _build_people(self, in_thread: InThread) -> None:
        self.access = Access(
            accounts=self.store.accounts,
            authenticators=lambda: self.host.authenticators,
            in_thread=in_thread,
            wall=self.wall,
            monotonic=time.monotonic,
        )
        self.triggers = Triggers(
            lambda: self.host.triggers,
            clock=self.clock,
            wall=self.wall,
            log=self.store.trigger_runs,
            publish=self.bus.publish,
            off=lambda: self.host.triggers_off,
        )
        self.power = Power(
            find=self.systems.get,
            drivers=lambda: self.host.power_drivers,
            secrets=SecretReader(os.environ).resolve,
            publish=self.bus.publish,
            clock=self.clock,
            wall=lambda: self.wall(),  # noqa: PLW0108  tests set it
        )

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
        self.bus.listen(self._followers.on_event, {"system.changed"})
        self.bus.listen(self.recorder.on_event, ENDS)

    def _is_config(self, path: str) -> bool:
        return any(loader.is_config(path) for loader in self.host.boot_loaders.values())

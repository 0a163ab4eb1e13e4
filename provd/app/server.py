"""One running provd: starts, reloads and stops in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from provd.api.server import ApiSite, listen
from provd.app.housekeeping import keep_house
from provd.app.listeners import ListenError, Listeners
from provd.app.notify import Notifier
from provd.app.operations import operations_of, stalls_of, status_of
from provd.app.reload import Reloader, ReloadReport
from provd.app.services import Services
from provd.app.watch import Watch
from provd.config.checks import allowed_servers
from provd.config.quirks import NAME as QUIRKS
from provd.config.sources import KINDS as SOURCES
from provd.core.rogue import Peers
from provd.model.content import Content, FileRequest, NotFound
from provd.model.dhcp import Destination
from provd.model.event import Event
from provd.model.session import BootSession
from provd.model.subnet import PROXY
from provd.net.probe import AddressProber
from provd.net.rogue import RogueProber
from provd.net.runtime import TwistedRuntime
from provd.service.current import Current
from provd.service.dhcp_ports import Arrival
from provd.service.load import Loaded, build_host
from provd.service.machines import machines
from provd.service.rogue import RogueWatch
from provd.service.stalls import Stalls
from provd.store.sqlite import SqliteStore

_STALL_WATCH_S = 15.0
"""Seconds between two looks for boots that stand still."""
_HOUSEKEEPING_S = 60.0
_DRAIN_S = 10.0


class Server:
    """The composition root's object.

    Args:
        reactor: the reactor.
        path: ``provd.toml``.
        loaded: what the files say.
        environment: of the process, for systemd.
    """

    _stopping = False

    def __init__(self, reactor: Any, path: Path, loaded: Loaded, environment: Mapping[str, str]) -> None:
        self._reactor, self._path, self._config = reactor, path, loaded.config
        self._logger = Logger(namespace="provd.app")
        self._notifier = Notifier(environment, reactor)
        database = Path(self._config.data_dir) / "provd.db"
        self.store = SqliteStore(database, deliver=reactor.callFromThread, wall=time.time)  # noqa: TID251  the root's clock
        self.host = build_host(loaded, path)
        self.probe = AddressProber(reactor, reactor)
        self.rogue = RogueWatch(
            RogueProber(reactor, reactor),
            reactor,
            time.time,  # noqa: TID251  the root's clock
            self._publish,
            lambda: self.listeners.dhcp.bound,
        )
        self.services = Services(
            clock=reactor,
            current=Current(loaded.config, loaded.catalogue, file=str(path)),
            host=self.host,
            store=self.store,
            send=self._send,
            send_service=self._send_service,
            probe=self.probe,
            in_thread=self.in_thread,
            foreign=self.rogue.heard,
        )
        self.listeners = Listeners(
            reactor,
            self._config,
            wall=self.services.wall,
            received=self._received,
            changed=self._addresses_changed,
            open_file=self._open_file,
            on_event=self._file_event,
            logs=self.services.installer_logs,
            turn=self.store.leases,
        )
        self.services.log_port = lambda: self.listeners.syslog.port
        self.reloader = Reloader(path, self.services, self.listeners)
        self._housekeeping = LoopingCall(keep_house, self.services)
        self._housekeeping.clock = reactor
        self._stall_watch = LoopingCall(self._look_for_stalls)
        self._stall_watch.clock = reactor
        self._stalls: Stalls | None = None
        self._watch = Watch(reactor, reactor, self.reload, self._matters)
        self._found, self._started_at = loaded.found, reactor.seconds()
        self._api: IListeningPort | None = None
        self.cobbler: Any = None
        self.json: Any = None

    def start(self) -> None:
        """Read the past, bind, begin to watch.

        Raises:
            ListenError: a port cannot be bound.
        """
        self.services.load()
        self.listeners.bind()
        self._addresses_changed()
        services = self.services
        self.host.start(
            TwistedRuntime(
                self._reactor,
                open_file=self._open_file,
                power=services.power.told,
                machines=lambda: machines(
                    services.systems.all(),
                    services.store.installs.get,
                    services.whereabouts.address_of,
                    services.whereabouts.macs_of,
                ),
            )
        )
        self.services.triggers.resume()
        table = operations_of(self, self._found, self._started_at)
        try:
            self._api = listen(self._reactor, self._config.socket, ApiSite(self._reactor, table))
        except CannotListenError as error:
            raise ListenError(f"local socket {self._config.socket}: {error.socketError}") from error
        if self._config.cobbler.enabled:
            from provd.app.cobbler import CobblerListener  # a server without Cobbler's clients stays lean

            self.cobbler = CobblerListener(self._reactor, self.services, table, self.in_thread)
            self.cobbler.bind()
        if self._config.api.enabled:
            from provd.app.json_api import JsonListener  # likewise

            facts = status_of(self, self._started_at)
            self.json = JsonListener(self._reactor, self.services, table, facts, self._why_not_ready)
            self.json.bind()
        self.services.inventories.start()
        self.rogue.start()
        self._housekeeping.start(_HOUSEKEEPING_S, now=False)
        self._stalls = stalls_of(self.services)
        self._stalls.load()
        self._stall_watch.start(_STALL_WATCH_S, now=False)
        site = Path(self._config.site_dir)
        self._watch.start([self._path.parent, site, *(site / folder for folder in SOURCES)])
        for problem in self.services.current.catalogue.problems:
            self._logger.warn("left out: {problem}", problem=str(problem))
        for fault in self.host.faults:
            self._logger.error("off: {fault}", fault=str(fault))

    def standing(self) -> Iterable[tuple[BootSession, Event]]:
        """Boots that stand still now, each with the event that tells why."""
        return self._stalls.standing() if self._stalls is not None else ()

    def _look_for_stalls(self) -> None:
        if self._stalls is None:
            return
        try:
            self._stalls.look()
        except Exception:  # noqa: BLE001  a timer that raises would never come again
            self._logger.failure("the watch for boots that stand still failed")

    def _why_not_ready(self) -> str:
        if self.services.dhcp.counters.store_fault:
            return f"leases cannot be written: {self.services.dhcp.counters.store_fault}"
        return "" if self.listeners.dhcp.bound else "DHCP is answered on no interface"

    def ready(self) -> None:
        """Tell the service manager and the log."""
        bound = ", ".join(self.listeners.dhcp.bound) or "no interface yet"
        self._notifier.ready(f"answering DHCP on {bound}")
        self._logger.info("ready: DHCP on {bound}", bound=bound)

    def reload(self, *, dry_run: bool = False) -> ReloadReport:
        """Read all files anew (SIGHUP, a changed file, or the API); a dry run only says what that would do."""
        if dry_run:
            return self.reloader.preview()
        if self._stopping:
            return ReloadReport(applied=False, error="provd is stopping")
        self._notifier.reloading()
        try:
            report = self.reloader.reload()
            self._watch_others()
            return report
        finally:
            # A reload that failed in a way nobody foresaw is over as well; systemd would wait for its end.
            self._notifier.send(READY="1")

    async def stop(self) -> None:
        """Stop listening, run what was begun to its end (ten seconds at most), close the store."""
        self._stopping = True
        self._notifier.stopping()
        self._watch.stop()
        self.services.inventories.stop()
        for timer in (self._housekeeping, self._stall_watch):
            if timer.running:
                timer.stop()
        self.probe.stop()
        self.rogue.stop()
        await self.listeners.close()
        if self._api is not None:
            await maybeDeferred(self._api.stopListening)
        if self.cobbler is not None:
            await self.cobbler.close()
        if self.json is not None:
            await self.json.close()
        self.services.installer_logs.flush()
        self.services.bus.flush()
        await self.services.triggers.drain(_DRAIN_S)
        self.services.bus.flush()
        self.host.close()
        self.store.close()
        self._logger.info("stopped")

    def in_thread(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """Run what takes long off the reactor's thread."""
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work)

    def _received(self, data: bytes, arrival: Arrival) -> None:
        if self.services.recorder.active:
            self.services.recorder.arrived(data, arrival)
        self.services.dhcp.handle(data, arrival)

    def _send(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        if self.services.recorder.active:
            self.services.recorder.sent(interface, data, destination, local)
        self.listeners.send(interface, data, destination, local)

    def _send_service(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        if self.services.recorder.active:
            self.services.recorder.sent(interface, data, destination, local, pxe=True)
        self.listeners.send_service(interface, data, destination, local)

    def _open_file(self, request: FileRequest) -> Content | NotFound:
        answer = self.services.files.open(request)
        if self.services.recorder.active:
            self.services.recorder.asked(request, answer)
        return answer

    def _file_event(self, kind: str, request: FileRequest, fields: Mapping[str, object]) -> None:
        self.services.file_events.on_event(kind, request, fields)

    def _addresses_changed(self) -> None:
        addresses = self.listeners.dhcp.addresses
        self.services.dhcp.reconfigure(self.services.current.subnets, addresses)
        self._watch_others()
        self._logger.info(
            "own addresses: {addresses}", addresses=", ".join(str(IPv4Address(one)) for one in sorted(addresses))
        )

    def _publish(self, event: Event) -> None:
        self.services.bus.publish(event)

    def _watch_others(self) -> None:
        """Tell the rogue watch its settings and who is no surprise."""
        current = self.services.current
        addresses, macs = allowed_servers(current.config)
        proxied = [subnet.network for subnet in current.subnets if subnet.mode == PROXY]
        peers = Peers(self.services.dhcp.tables.host, addresses, macs, proxied)
        self.rogue.configure(current.config.rogue.interval_s, current.config.rogue.wait_s, peers)

    def _matters(self, path: Path) -> bool:
        if path == self._path or path.name == QUIRKS:
            return True
        # What provd wrote itself is in force already.
        site, known = Path(self._config.site_dir), self.services.current.catalogue.sources.knows
        if path == site or (path.parent == site and path.name in SOURCES):
            return True  # a folder came or went, and its files with it
        return path.suffix == ".toml" and path.parent not in {self._path.parent, site} and not known(path)


def install_signals(server: Server, reactor: Any) -> None:
    """SIGHUP reloads; SIGTERM and SIGINT stop the reactor, which awaits :meth:`Server.stop`; more change nothing."""

    def hang_up(_signal: int, _frame: object) -> None:
        reactor.callFromThread(server.reload)

    def stop() -> None:
        with suppress(ReactorNotRunning):  # it stops already
            reactor.stop()

    def end(_signal: int, _frame: object) -> None:
        reactor.callFromThread(stop)

    for number, handler in ((signal.SIGHUP, hang_up), (signal.SIGTERM, end), (signal.SIGINT, end)):
        reactor.callWhenRunning(signal.signal, number, handler)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(server.stop()))

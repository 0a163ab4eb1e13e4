"""``provd doctor``: looks at everything of a running service that its files cannot tell."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final

import msgspec

from provd.app.running import Running
from provd.core import ailments
from provd.core.ailments import ERROR, INFO, ORDER, WARNING, Ailment
from provd.core.dhcp_states import State
from provd.core.rogue import ROGUE
from provd.net import self_probe
from provd.plugin.contract import Operation
from provd.service.operations import NoArguments
from provd.service.rogue import sentence

_BOOTS: Final = 20
"""Boots that stand still and are told one by one."""
_CHECK: Final = ".check"
_OF_CORE: Final = frozenset({"rogue.check"})
_TIMEX: Final = 512
"""Octets that adjtimex(2) is given; its structure has 208 on 64 bits."""
_UNSYNCHRONISED: Final = 5


class Doctor:
    """Examines.

    Args:
        server: the running server.
        problems: what is wrong with the site's objects and the store, one sentence each.
        monotonic: seconds that nobody sets.
    """

    def __init__(self, server: Running, problems: Callable[[], Iterable[str]], monotonic: Callable[[], float]) -> None:
        self._server, self._problems, self._monotonic = server, problems, monotonic
        self._began = server.services.wall(), monotonic()

    def operations(self) -> tuple[Operation, ...]:
        """The operation ``doctor``."""
        return (
            Operation(
                "doctor",
                "Examine the running service: listeners, pools, plugins, upstreams, certificates, disk, clock.",
                "read",
                NoArguments,
                lambda _arguments: self.examine(),
                "provd doctor",
                result="`ok` (no error and no warning) and `findings`: `level`, `area`, `text`, `advice`.",
            ),
        )

    async def examine(self) -> dict[str, object]:
        """Everything that was found, the worst first."""
        found = [*self._listeners_bound(), *self._site(), *self._leases(), *self._machines(), *self._clock()]
        found += await self._server.in_thread(lambda: [*self._answers(), *self._certificates(), *self._disk()])
        found += await self._plugins()
        found.sort(key=lambda one: ORDER.index(one.level))
        ok = all(one.level == INFO for one in found)
        return {"ok": ok, "findings": [msgspec.to_builtins(one) for one in found]}

    def _listeners_bound(self) -> Iterator[Ailment]:
        listeners, config = self._server.listeners, self._server.services.current.config
        for interface in config.interfaces:
            if interface.name not in listeners.dhcp.bound:
                text = f"DHCP is not answered on {interface.name}: the interface is missing, down or without an address"
                yield Ailment(ERROR, "listeners", text, f"ip -br address show {interface.name}; the log says why")
        if not config.interfaces:
            yield Ailment(ERROR, "listeners", "DHCP is answered nowhere", "name an [[interface]] in provd.toml")
        if listeners.syslog.fault:
            advice = "stop the daemon that has the port, or set another port in [syslog]"
            yield Ailment(INFO, "listeners", f"installers send no logs: {listeners.syslog.fault}", advice)

    def _answers(self) -> Iterator[Ailment]:
        """The listeners that can be asked from here, and the kernel's queues of all."""
        config = self._server.services.current.config
        listen = config.listen
        for address in [str(one) for one in listen.addresses] or ["127.0.0.1"]:
            asked = (("TFTP", listen.tftp_port, self_probe.tftp), ("HTTP", listen.http_port, self_probe.http))
            for name, port, ask in asked:
                if fault := ask(address, port):
                    text = f"{name} on {address} port {port} does not answer: {fault}"
                    yield Ailment(ERROR, "listeners", text, "a firewall of this machine? else restart provd; the log")
        if config.api.enabled:
            for place in config.api.addresses or ("127.0.0.1",):
                address = "127.0.0.1" if str(place) == "0.0.0.0" else str(place)  # noqa: S104  compared, not bound
                if fault := self_probe.http(address, config.api.port, tls=True):
                    text = f"the JSON API on {address} port {config.api.port} does not answer: {fault}"
                    yield Ailment(ERROR, "listeners", text, "a firewall of this machine? else restart provd; the log")
        names = {listen.dhcp_port: "DHCP", listen.tftp_port: "TFTP", listen.pxe_port: "PXE"}
        for queue in self_probe.queues():
            if queue.port in names:
                yield from ailments.datagrams(names[queue.port], queue.port, queue.dropped, queue.waiting)

    def _site(self) -> Iterator[Ailment]:
        for problem in self._problems():
            yield Ailment(ERROR, "site", problem, "provd check service lists them all; correct the object it names")
        for seen in self._server.rogue.seen():
            if seen.verdict == ROGUE:
                advice = "switch one of the two off, or name it in allow of [rogue]: provd check rogue"
                yield Ailment(ERROR, "network", sentence(seen).rpartition("; ")[0], advice)

    def _leases(self) -> Iterator[Ailment]:
        for table in self._server.services.dhcp.tables:
            # As the metrics count: an idle address goes to another client when the pool is empty.
            taken = sum(binding.state is not State.IDLE and table.in_pool(binding.address) for binding in table)
            yield from ailments.pool(table.subnet.name, table.pool_size, taken)

    def _machines(self) -> Iterator[Ailment]:
        stalled = list(self._server.standing())
        for session, event in stalled[:_BOOTS]:
            who = session.system or session.mac
            told = event.fields
            text = f"{who} stands still at {told['step']} for {told['silent_s']} s: {told['cause']}"
            yield Ailment(WARNING, "machines", text, f"provd trace {who}")
        if len(stalled) > _BOOTS:
            yield Ailment(WARNING, "machines", f"{len(stalled) - _BOOTS} more boots stand still", "provd boots")
        services = self._server.services
        for name, state in sorted(services.store.installs.held().items()):
            if services.systems.get(name) is not None:
                text = f"system {name} is held: {state.held_reason}"
                yield Ailment(WARNING, "machines", text, f"provd held release {name}, once the reason is gone")

    def _clock(self) -> Iterator[Ailment]:
        services = self._server.services
        now, (wall, monotonic) = services.wall(), self._began
        newest = max((one.last_at for one in services.store.sessions.sessions(limit=1)), default=0.0)
        drift = (now - wall) - (self._monotonic() - monotonic)
        return ailments.clock(now, newest, drift, synchronised=kernel_clock())

    def _certificates(self) -> Iterator[Ailment]:
        config, now = self._server.services.current.config, self._server.services.wall()
        own = str(Path(config.data_dir) / "api" / "certificate.pem")
        used = [("JSON API", config.api.tls_certificate or own)] if config.api.enabled else []
        if config.cobbler.enabled and config.cobbler.tls_certificate:
            used.append(("Cobbler's clients", config.cobbler.tls_certificate))
        for what, file in used:
            try:
                end = certificate_end(Path(file))
            except (OSError, ValueError) as error:
                advice = "the running service still has it; the next start fails"
                yield Ailment(ERROR, "certificates", f"certificate of the {what}, {file}: {error}", advice)
            else:
                yield from ailments.certificate(f"certificate of the {what}, {file},", end, now, own=file == own)

    def _disk(self) -> Iterator[Ailment]:
        folder = self._server.services.current.config.data_dir
        try:
            room = os.statvfs(folder)
        except OSError as error:
            yield Ailment(ERROR, "disk", f"{folder}: {error.strerror}", "the data directory must be there")
            return
        inodes = room.f_favail if room.f_files else -1
        yield from ailments.disk(folder, room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize, inodes)

    async def _plugins(self) -> list[Ailment]:
        host = self._server.services.host
        found = [
            Ailment(
                ERROR, "plugins", f"plugin {row.plugin}: {row.hook} rests after repeated failure: {row.last_error}",
                "what it answers is missing from every boot; provd plugin stats, its manual, the log",
            )
            for row in host.stats()
            if row.breaker != "closed"
        ]  # fmt: skip
        for name, operation in sorted(host.operations.items()):
            if name.endswith(_CHECK) and name not in _OF_CORE:
                found += await _asked(name, operation)
        return found


async def _asked(name: str, operation: Operation) -> list[Ailment]:
    """What a plugin's own check says: rows with ``level``, ``text`` and ``advice``."""
    area = name.removesuffix(_CHECK)
    try:
        told: Any = operation.run(operation.arguments())
        if isawaitable(told):
            told = await told
        return [
            Ailment(row["level"] if row["level"] in ORDER else WARNING, area, str(row["text"]), str(row["advice"]))
            for row in told
        ]
    except Exception as error:  # noqa: BLE001  one plugin must not cost the whole examination
        return [Ailment(WARNING, area, f"{name} failed: {error}", "the log has its error")]


def kernel_clock() -> bool | None:
    """Whether the kernel's clock follows a time server (adjtimex(2)); None where it does not say."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _UNSYNCHRONISED


def certificate_end(file: Path) -> float:
    """When the first certificate of a PEM file ends, in seconds since the epoch.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no certificate.
    """
    from cryptography import x509

    end = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    return end.astimezone(dt.UTC).timestamp()

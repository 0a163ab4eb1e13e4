"""The operations table of a running server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from provd.app.doctor import Doctor
from provd.app.running import Running
from provd.app.services import Services
from provd.config.kinds import KINDS
from provd.config.payloads import missing_payloads
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.net.wake import broadcast
from provd.payload.catalogue import PAYLOADS
from provd.plugin.contract import Operation
from provd.plugin.loading import Found
from provd.service.answers import shortcoming
from provd.service.audit import Audit
from provd.service.current import Current
from provd.service.diagnoses import Diagnoser
from provd.service.explain import Explainer
from provd.service.explain_options import OptionExplainer, Places
from provd.service.operations import NoArguments, OperationTable
from provd.service.operations_access import AccessOperations
from provd.service.operations_answers import AnswerPreview
from provd.service.operations_boots import BootOperations
from provd.service.operations_catalogue import catalogue_operations
from provd.service.operations_events import EventOperations
from provd.service.operations_leases import LeaseOperations
from provd.service.operations_lint import InThread, Linter
from provd.service.operations_objects import object_operations
from provd.service.operations_plugins import plugin_operations
from provd.service.operations_power import PowerOperations
from provd.service.operations_queue import QueueOperations
from provd.service.operations_recordings import RecordingOperations
from provd.service.operations_server import server_operations
from provd.service.operations_systems import SystemOperations
from provd.service.operations_templates import TemplateOperations
from provd.service.operations_transaction import TransactionOperations
from provd.service.operations_triggers import TriggerOperations
from provd.service.operations_waiting import WaitingOperations
from provd.service.operations_wake import WakeOperation
from provd.service.stalls import Stalls
from provd.service.system_lookup import NamedSystems
from provd.service.trigger_doubts import trigger_doubts


def operations_of(server: Running, found: Mapping[str, Found], started_at: float) -> OperationTable:
    """Every built-in operation, and those of plugins as they are at each call.

    Args:
        server: the running server.
        found: every plugin that could be enabled.
        started_at: seconds of the reactor's clock, which nobody sets.
    """
    services = server.services
    host, store = services.host, services.store
    table = OperationTable(lambda: host.operations, Audit(store.audit, services.wall))
    table.add(AccessOperations(store.accounts, store.audit, services.access, server.in_thread).operations())
    table.add(catalogue_operations(lambda: services.current.catalogue))
    table.add(object_operations(services.changes))
    table.add(TemplateOperations(lambda: services.current.catalogue, services.changes, services.systems).operations())
    table.add(SystemOperations(services.systems, store.installs).operations())
    table.add(TransactionOperations(table, services.changes, lambda: (*KINDS, "system", "template")).operations())
    table.add(
        BootOperations(store.sessions, services.systems, services.wall, diagnoser_of(services).findings).operations()
    )
    table.add(EventOperations(store.sessions).operations())
    table.add(LeaseOperations(store.leases.load, services.dhcp.release, services.wall, server.in_thread).operations())
    table.add(explainer_of(services).operations())
    table.add(preview_of(services).operations())
    table.add(linter_of(services, server.in_thread).operations())
    table.add(
        server_operations(
            status=status_of(server, started_at),
            problems=lambda: [*problems_of(services), *server.rogue.problems()],
            reload=lambda dry_run: server.reload(dry_run=dry_run),
        )
    )
    table.add(
        TriggerOperations(
            services.triggers,
            lambda: host.triggers,
            store.trigger_runs,
            services.wall,
            find=services.systems.get,
            faults=lambda: host.faults,
        ).operations()
    )
    table.add(RecordingOperations(services.recorder, services.systems).operations())
    waiting = WaitingOperations(store.sessions, services.systems, store.installs.held, services.sessions.plan_of)
    table.add(waiting.operations())
    table.add(QueueOperations(services.admission, services.wall).operations())
    table.add(
        WakeOperation(
            services.systems, lambda: services.current.subnets, services.whereabouts.address_of, broadcast
        ).operations()
    )
    table.add(PowerOperations(services.power, services.systems.all, lambda: host.power_drivers).operations())
    table.add(plugin_operations(lambda: found, lambda: host))
    table.add(Doctor(server, lambda: site_problems(services), time.monotonic).operations())
    table.add(
        [
            Operation(
                "rogue.check",
                "Ask every interface for other DHCP servers now.",
                "operate",
                NoArguments,
                lambda _arguments: server.rogue.check(),
                "provd rogue check",
                "Other DHCP servers that answered.",
            )
        ]
    )
    return table


def _subnet_of(services: Services, system: System) -> Subnet | None:
    where = services.whereabouts
    known = next((address for address in map(where.address_of, where.macs_of(system)) if address), "")
    if known:
        return services.whereabouts.subnet_of(known)
    return services.current.subnets[0] if len(services.current.subnets) == 1 else None


def preview_of(services: Services) -> AnswerPreview:
    """Shows answer files as they would be."""
    return AnswerPreview(
        answers=services.preview_answers(),
        catalogue=lambda: services.current.catalogue,
        systems=services.systems,
        location=services.contents.location,
        subnet_of=lambda system: _subnet_of(services, system),
        server_of=services.whereabouts.server_of,
        http_port=services.current.config.listen.http_port,
        log_port=lambda: services.log_port(),  # noqa: PLW0108  the listener is bound later
    )


def linter_of(services: Services, in_thread: InThread) -> Linter:
    """Judges answer files; ``in_thread`` runs a judge that takes seconds."""
    return Linter(
        answers=services.preview_answers(),
        plan_of=preview_of(services).plan_of,
        catalogue=lambda: services.current.catalogue,
        systems=services.systems,
        in_thread=in_thread,
    )


def explainer_of(services: Services, systems: NamedSystems | None = None) -> Explainer:
    """Explains what machines would get; ``systems`` in the place of those that the services know."""
    return Explainer(
        host=services.host,
        catalogue=lambda: services.current.catalogue,
        systems=services.systems if systems is None else systems,
        states=services.store.installs,
        location=services.contents.location,
        prepare=services.contents.with_payload,
        subnet_of=lambda system: _subnet_of(services, system),
        server_of=services.whereabouts.server_of,
        http_port=services.current.config.listen.http_port,
        options=OptionExplainer(services.dhcp.levels, services.host, lambda: _places(services.current)),
    )


def _places(current: Current) -> Places:
    config = current.config
    subnets = {f"subnet {subnet.name}": f"subnet[{at}]" for at, subnet in enumerate(current.subnets)}
    classes = {f"class {one.name}": f"class[{at}]" for at, one in enumerate(config.classes)}
    return Places(current.file, subnets | classes)


def problems_of(services: Services) -> list[str]:
    """Everything that is wrong in a running server, one sentence each."""
    wrong = site_problems(services)
    wrong += [
        f"plugin {row.plugin}: {row.hook} rests after repeated failure: {row.last_error}"
        for row in services.host.stats()
        if row.breaker != "closed"
    ]
    wrong += trigger_doubts(services.host.triggers)
    held = sorted(services.store.installs.held().items())
    wrong += [f"system {name} is held: {state.held_reason}" for name, state in held if services.systems.get(name)]
    return wrong


def site_problems(services: Services) -> list[str]:
    """What is wrong with the site's objects, its boot files and the store, one sentence each."""
    current = services.current
    wrong = [*map(str, current.catalogue.problems), *map(str, services.host.faults)]
    used = {profile.distro.name: profile.distro for profile in _profiles_in_use(services)}
    wrong += [str(problem) for problem in missing_payloads(used.values(), Path(current.config.data_dir), PAYLOADS)]
    wrong += _shortcomings(services)
    wrong += services.systems.problems
    wrong += services.problems.told()
    wrong += list(services.store.damage)
    if fault := services.dhcp.counters.store_fault:
        wrong.append(f"leases cannot be stored, so no client gets an ACK: {fault}")
    return wrong


def _shortcomings(services: Services) -> Iterator[str]:
    """Why profiles in use cannot be installed: their answers, or what their installer misses."""
    for profile in _profiles_in_use(services):
        installer = services.host.installers.get(profile.installer or profile.distro.installer)
        if installer is not None and (told := shortcoming(installer, profile)):
            yield told if told.startswith(f"profile {profile.name}: ") else f"profile {profile.name}: {told}"


def _profiles_in_use(services: Services) -> list[Profile]:
    profiles = services.current.catalogue.profiles
    return [profiles[name] for name in sorted(services.systems.index.profiles()) if name in profiles]


def diagnoser_of(services: Services) -> Diagnoser:
    """Says why a boot does not go on."""
    sessions, host = services.store.sessions, services.host
    return Diagnoser(
        earlier=lambda mac, limit: sessions.sessions(mac=mac, limit=limit),
        profile=lambda name: services.current.catalogue.profiles.get(name),  # noqa: PLW0108  another one after a reload
        loaders=lambda: tuple(host.boot_loaders),
        bad_calls=host.bad_calls,
        monotonic=host.seconds,
        wall=services.wall,
        plan=services.sessions.plan_of,
        fetches=services.sessions.fetches,
    )


def stalls_of(services: Services) -> Stalls:
    """The watch for boots that stand still, listening to the bus."""
    made = Stalls(
        live=services.sessions,
        kept=services.store.sessions,
        findings=diagnoser_of(services).findings,
        publish=services.bus.publish,
        wall=services.wall,
    )
    services.bus.listen(made.on_event, {"install.finished"})
    return made


def status_of(server: Running, started_at: float) -> Callable[[], Mapping[str, object]]:
    """Makes the facts that the operation ``status`` tells."""

    def status() -> Mapping[str, object]:
        services, listeners = server.services, server.listeners
        return {
            "version": metadata.version("provd"),
            "uptime_s": round(services.clock.seconds() - started_at, 1),
            "interfaces": list(listeners.dhcp.bound),
            "pxe_interfaces": list(listeners.pxe.bound),
            "subnets": [subnet.name for subnet in services.current.subnets],
            "systems": len(services.systems.index),
            "catalogue": services.current.catalogue.generation,
            "lease_store": {
                "damaged": len(services.store.damage),
                "fault": services.dhcp.counters.store_fault,
            },
            "dhcp": services.dhcp.counters.as_dict(),
            "rogue": server.rogue.as_dict(),
            "api": server.json.facts if server.json is not None else {},
            "http": {"connections": listeners.http.connections},
            "syslog": {
                "port": listeners.syslog.port,
                "fault": listeners.syslog.fault,
                **services.installer_logs.counts,
            },
            "tftp": {"running": listeners.tftp.transfers, **listeners.tftp.counts},
        }

    return status

"""What Prometheus reads: every listener, plugin, pool, step of a boot and trigger (text format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from provd.core.dhcp_states import State
from provd.model.event import Event
from provd.model.session import BootSession

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from provd.app.services import Services

Families = Iterator["Metric"]
RUNS: Final = {"trigger.finished": "done", "trigger.failed": "failed"}
"""Events that end a run of a trigger, and its outcome."""


class Metrics:
    """Reads the numbers when they are asked for; between two readings it costs nothing.

    Args:
        services: all parts.
        facts: what the operation ``status`` tells.
        listeners: how many follow live events.
    """

    def __init__(
        self, services: Services, facts: Callable[[], Mapping[str, Any]], listeners: Callable[[], int]
    ) -> None:
        self._services, self._facts, self._listeners = services, facts, listeners
        self._runs: Counter[tuple[str, str]] = Counter()
        self._run_seconds: Counter[str] = Counter()
        self._registry: Any = None

    def on_event(self, event: Event) -> None:
        """Count the end of a trigger's run."""
        if event.kind in RUNS:
            name = str(event.fields.get("trigger", ""))
            self._runs[name, RUNS[event.kind]] += 1
            seconds = event.fields.get("seconds", 0.0)
            self._run_seconds[name] += seconds if isinstance(seconds, int | float) else 0.0  # type: ignore[assignment]

    def page(self) -> tuple[bytes, str]:
        """The page and its media type."""
        # Loaded by the first reading: a server that nobody watches stays lean.
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        if self._registry is None:
            self._registry = CollectorRegistry()
            self._registry.register(self)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Families:
        """Every family of numbers (prometheus_client's protocol of collectors)."""
        facts = self._facts()
        yield from self._server(facts)
        yield from self._dhcp(facts["dhcp"])
        yield from self._pools()
        yield _counters(
            "provd_tftp_datagrams", "TFTP datagrams by what became of them.", "what", _numbers(facts["tftp"])
        )
        yield _gauge("provd_tftp_transfers", "TFTP transfers that run.", float(facts["tftp"]["running"]))
        yield _gauge("provd_http_connections", "Open connections of machines.", float(facts["http"]["connections"]))
        lines = {name: facts["syslog"][name] for name in ("kept", "unknown", "limited")}
        yield _counters("provd_syslog_messages", "Messages of installers by what became of them.", "what", lines)
        yield _counters("provd_events", "Events by kind.", "kind", self._services.bus.published)
        yield from self._boots()
        yield from self._plugins()
        yield from self._triggers()

    def _server(self, facts: Mapping[str, Any]) -> Families:
        from prometheus_client.core import InfoMetricFamily

        yield InfoMetricFamily("provd", "This server.", {"version": str(facts["version"])})
        yield _gauge("provd_uptime_seconds", "Seconds since the start.", float(facts["uptime_s"]))
        yield _gauge("provd_systems", "Machines that have a name.", float(facts["systems"]))
        yield _gauge("provd_interfaces", "Interfaces on which DHCP is answered.", float(len(facts["interfaces"])))
        yield _gauge("provd_event_listeners", "Who follows live events.", float(self._listeners()))

    def _dhcp(self, facts: Mapping[str, Any]) -> Families:
        for name in ("received", "sent"):
            yield _counters(f"provd_dhcp_{name}", f"DHCP messages {name}.", "type", facts[name])
        yield _counters("provd_dhcp_dropped", "DHCP messages that got no answer.", "reason", facts["dropped"])
        single = {name: value for name, value in facts.items() if isinstance(value, int)}
        yield _counters("provd_dhcp_work", "What answering DHCP took.", "what", single)

    def _pools(self) -> Families:
        size = _empty_gauge("provd_pool_addresses", "Addresses of a subnet's pool.", "subnet")
        used = _empty_gauge("provd_pool_used", "Addresses of a pool that cannot be given to others now.", "subnet")
        leases = _empty_gauge(
            "provd_leases", "Addresses of a subnet that are known, by their state.", "subnet", "state"
        )
        for table in self._services.dhcp.tables:
            name = table.subnet.name
            states = Counter(binding.state for binding in table)
            size.add_metric([name], float(table.pool_size))
            # An idle address waits for the client that had it, and goes to another one when the pool is empty.
            taken = sum(binding.state is not State.IDLE and table.in_pool(binding.address) for binding in table)
            used.add_metric([name], float(taken))
            for state in State:
                leases.add_metric([name, state.name.lower()], float(states[state]))
        yield from (size, used, leases)

    def _boots(self) -> Families:
        running: Counter[str] = Counter(
            boot.session.step for boot in self._services.sessions.boots() if boot.session.outcome == "running"
        )
        found = _empty_gauge("provd_boots_running", "Boots that are not over, by the step they reached.", "step")
        for step, count in running.items():
            found.add_metric([step], float(count))
        yield found
        queue = _empty_gauge("provd_installs", "Installations that run, or wait for a place.", "subnet", "state")
        oldest = 0.0
        for state, sessions in self._queued().items():
            for subnet, count in Counter(session.subnet for session in sessions).items():
                queue.add_metric([subnet, state], float(count))
            if state == "waiting" and sessions:
                oldest = self._services.wall() - min(session.queued_at for session in sessions)
        yield from (queue, _gauge("provd_queue_oldest_seconds", "How long the first of the queue has waited.", oldest))

    def _queued(self) -> Mapping[str, list[BootSession]]:
        admission = self._services.admission
        return {"running": admission.running(), "waiting": admission.waiting()}

    def _plugins(self) -> Families:
        from prometheus_client.core import CounterMetricFamily

        labels = ["plugin", "hook"]
        calls = CounterMetricFamily("provd_plugin_calls", "Calls of plugins.", labels=labels)
        failures = CounterMetricFamily("provd_plugin_failures", "Calls that failed.", labels=labels)
        seconds = CounterMetricFamily("provd_plugin_seconds", "Seconds spent in plugins.", labels=labels)
        resting = _empty_gauge("provd_plugin_resting", "1 while a hook of a plugin is not called.", *labels)
        for row in self._services.host.stats():
            where = [row.plugin, row.hook]
            calls.add_metric(where, row.calls)
            failures.add_metric(where, row.failures)
            seconds.add_metric(where, row.total_s)
            resting.add_metric(where, float(row.breaker != "closed"))
        yield from (calls, failures, seconds, resting)

    def _triggers(self) -> Families:
        from prometheus_client.core import CounterMetricFamily

        runs = CounterMetricFamily(
            "provd_trigger_runs", "Runs of a trigger that are over.", labels=["trigger", "outcome"]
        )
        for (name, outcome), count in sorted(self._runs.items()):
            runs.add_metric([name, outcome], count)
        yield runs
        yield _counters("provd_trigger_seconds", "Seconds spent in triggers.", "trigger", self._run_seconds)
        waiting = _empty_gauge("provd_trigger_waiting", "Runs of a trigger that are not over.", "trigger")
        for name in self._services.host.triggers:
            waiting.add_metric([name], float(self._services.triggers.waiting(name)))
        yield waiting


def _numbers(facts: Mapping[str, Any]) -> Mapping[str, int]:
    return {name: value for name, value in facts.items() if name != "running"}


def _counters(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, text, value=value)


def _empty_gauge(name: str, text: str, *labels: str) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, text, labels=list(labels))

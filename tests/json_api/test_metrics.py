"""Numbers of triggers: counted from what the event bus tells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from provd.app.metrics import Metrics
from provd.core.dhcp_leases import AddressTable
from provd.model.event import Event
from tests.core.test_dhcp_address_table import BASE, SUBNET, bound, client


def ended(kind: str, trigger: str, seconds: float) -> Event:
    return Event(kind, 1.0, fields={"trigger": trigger, "on": "install.finished", "seconds": seconds, "output": ""})


def test_runs_of_triggers_are_counted_by_name_and_outcome() -> None:
    services: Any = SimpleNamespace(
        host=SimpleNamespace(triggers={"mail": None, "dns": None}),
        triggers=SimpleNamespace(waiting=lambda name: 3 if name == "dns" else 0),
    )
    metrics = Metrics(services, dict, lambda: 0)
    for event in (
        ended("trigger.finished", "mail", 0.5),
        ended("trigger.finished", "mail", 0.25),
        ended("trigger.failed", "dns", 2.0),
        Event("install.finished", 1.0),
    ):
        metrics.on_event(event)
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics._triggers()
        for sample in family.samples
    }
    assert told == {
        ("provd_trigger_runs_total", "mail", "done"): 2,
        ("provd_trigger_runs_total", "dns", "failed"): 1,
        ("provd_trigger_seconds_total", "mail"): 0.75,
        ("provd_trigger_seconds_total", "dns"): 2.0,
        ("provd_trigger_waiting", "mail"): 0,
        ("provd_trigger_waiting", "dns"): 3,
    }


def test_a_pool_is_not_full_of_addresses_that_nobody_has_any_more() -> None:
    table = AddressTable(SUBNET)
    for number in range(10):
        bound(table, number, 10 + number, until=10.0 + number)
    bound(table, 90, 200, until=1000.0)  # outside the pool
    table.expire(13.5)
    table.offer(client(99), BASE + 10, 60, 14.0, 60.0)
    services: Any = SimpleNamespace(dhcp=SimpleNamespace(tables=[table]))
    told = {
        (sample.name, *list(sample.labels.values())[1:]): sample.value
        for family in Metrics(services, dict, lambda: 0)._pools()
        for sample in family.samples
    }
    assert told["provd_leases", "bound"] == 7
    assert told["provd_leases", "idle"] == 3
    assert told["provd_leases", "offered"] == 1
    assert told["provd_leases", "declined"] == 0
    assert told[("provd_pool_used",)] == 7

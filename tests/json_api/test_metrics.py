"""Numbers of triggers: counted from what the event bus tells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from provd.app.metrics import Metrics
from provd.model.event import Event


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

"""Switches machines when something happens. It does nothing without a rule, and no rule is there by default.

    [[plugins.trigger_power.rules]]
    name = "reinstall"
    on = ["system.changed"]
    when = {change = "netboot on"}       # fields of the event, `*` as in file names
    systems = ["web*"]                   # never left out: "*" is every machine
    do = "cycle"                         # or "on", "off", "shutdown", "pxe"
    pxe = true                           # boot from the network this once

Here `provd system edit web1 --netboot` restarts web1 into its installation. The machine that the event is about is
switched by its ``[power]`` table, so the plugin ``power`` must be enabled as well. A rule switches one machine
``at_most`` times in ``within_s`` seconds, so that a machine that fails again and again is not restarted for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import msgspec

from provd.plugin.api import (
    POWER_ACTIONS,
    Event,
    GiveUpError,
    KeepsRuntime,
    Plugin,
    Settings,
    Trigger,
    hookimpl,
    wants,
)

_OWN = ("power.switched", "power.failed")
_TIMEOUT_S = 300.0


class Rule(Settings, frozen=True):
    """What is done to whom, and when.

    Attributes:
        name: of the trigger.
        on: event kinds, ``*`` as in file names; none that this trigger itself causes.
        systems: names of systems, likewise.
        do: ``on``, ``off``, ``shutdown``, ``cycle`` or ``pxe``.
        when: fields that the event must have, by name; patterns of their text.
        pxe: boot from the network this once, for ``on`` and ``cycle``.
        at_most: times that one machine is switched ...
        within_s: ... in so many seconds.
        attempts: attempts in all; for a board that does not answer.
        backoff_s: seconds before the second attempt; doubles each time.
    """

    name: str
    on: tuple[str, ...]
    systems: tuple[str, ...]
    do: str
    when: dict[str, Any] = msgspec.field(default_factory=dict)
    pxe: bool = False
    at_most: int = 3
    within_s: float = 3600.0
    attempts: int = 3
    backoff_s: float = 10.0

    def __post_init__(self) -> None:
        if self.do == "status" or self.do not in POWER_ACTIONS:
            raise ValueError(f"{self.name!r}: do is {self.do!r}, must be one of {', '.join(POWER_ACTIONS[1:])}")
        if not self.systems:
            raise ValueError(f"{self.name!r}: systems names no machine; '*' is every one")
        if any(fnmatchcase(kind, pattern) for kind in _OWN for pattern in self.on):
            raise ValueError(f"{self.name!r}: on includes {' and '.join(_OWN)}, which it would cause itself")
        if self.pxe and self.do not in {"on", "cycle"}:
            raise ValueError(f"{self.name!r}: pxe goes with do = 'on' or 'cycle'")
        if min(self.at_most, self.attempts) < 1 or self.within_s <= 0 or self.backoff_s < 0:
            raise ValueError(f"{self.name!r}: at_most, within_s, attempts and backoff_s must be positive")


class SettingsOfTriggerPower(Settings, frozen=True):
    """``rules``: what is switched when."""

    rules: tuple[Rule, ...] = ()


class TriggerPower(KeepsRuntime):
    """Switches through the runtime, and remembers how often."""

    def __init__(self, settings: SettingsOfTriggerPower) -> None:
        self._rules = settings.rules
        self._done: dict[tuple[str, str], deque[float]] = {}

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        for one in self._rules:
            run = partial(self.switch, one)
            yield Trigger(one.name, one.on, _TIMEOUT_S, run, attempts=one.attempts, backoff_s=one.backoff_s)

    async def switch(self, rule: Rule, event: Event) -> str:
        """Switch the machine of one event; returns what came of it."""
        if not event.system or not wants(rule.systems, event):
            return f"nothing: {rule.name} does not want events of {event.system or 'unknown machines'}"
        if not _fits(rule.when, event.fields):
            told = (f"{name} {wanted!r}, it is {event.fields.get(name)!r}" for name, wanted in rule.when.items())
            return f"nothing: {rule.name} wants {' and '.join(told)}"
        self._count(rule, event)
        try:
            return await self.runtime.power(event.system, rule.do, pxe=rule.pxe)
        except ValueError as error:
            raise GiveUpError(str(error)) from error

    def _count(self, rule: Rule, event: Event) -> None:
        times = self._done.setdefault((rule.name, event.system), deque())
        while times and times[0] <= event.at - rule.within_s:
            times.popleft()
        # A further attempt for one event is no further event.
        if event.at in times:
            return
        if len(times) >= rule.at_most:
            raise GiveUpError(
                f"{event.system} was switched {rule.at_most} times in {rule.within_s:g} s; somebody must look"
            )
        times.append(event.at)


def _fits(when: Mapping[str, Any], fields: Mapping[str, object]) -> bool:
    return all(fnmatchcase(str(fields.get(name, "")), str(pattern)) for name, pattern in when.items())


PLUGIN = Plugin(name="trigger_power", settings=SettingsOfTriggerPower, build=TriggerPower, triggers="rules")

"""Stands in for a plugin that guards and is off: refuses whatever that one was to decide.

A plugin that denies machines or protects systems must not be missed in silence: without it, whom it denies would be
answered. So the service runs, everything else in it works, and machines (or changes) are refused with the reason.
"""

from __future__ import annotations

from typing import Any

from provd.model.dhcp import GateVerdict, Ignore
from provd.plugin.api import hookimpl
from provd.plugin.contract import Plugin, Veto

_GATE, _CHANGE = "provd_dhcp_gate", "provd_change"


class StandIn:
    """Refuses both.

    Args:
        plugin: name of the plugin that is off.
        why: what is wrong with it.
    """

    def __init__(self, plugin: str, why: str) -> None:
        self.reason = f"the plugin {plugin}, which decides on this, is off: {why}"
        self.refuses_machines = self.refuses_changes = True

    @hookimpl(when="refuses_machines")
    def provd_dhcp_gate(self) -> GateVerdict | None:
        """Nobody is answered; silence, because a NAK would take the addresses of machines that run."""
        return Ignore(self.reason)

    @hookimpl(when="refuses_changes")
    def provd_change(self) -> Veto | None:
        """Nothing is changed."""
        return Veto(self.reason)


def stand_in(name: str, why: str, plugin: Plugin[Any] | None) -> StandIn:
    """What refuses in the place of a plugin; both where nobody knows which of them it decides on."""
    made = StandIn(name, why)
    if plugin is not None and isinstance(plugin.build, type):
        gate, change = (hasattr(plugin.build, hook) for hook in (_GATE, _CHANGE))
        if gate or change:
            made.refuses_machines, made.refuses_changes = gate, change
    return made

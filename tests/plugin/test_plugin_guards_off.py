"""In the place of a guard that is off everything is refused that it was to decide."""

from __future__ import annotations

from typing import Any

import pytest

from provd.model.dhcp import GateVerdict, Ignore
from provd.plugin.api import Change, Plugin, Veto, hookimpl
from provd.plugin.host import PluginHost
from tests.fakes.plugin_world import SYSTEM, MadePlugin, dhcp_request
from tests.plugin.test_plugin_left_out import CallSettings, lenient, told

CHANGE = Change("system", SYSTEM.name, SYSTEM, SYSTEM)


class Gate:
    def __init__(self, settings: CallSettings) -> None: ...

    @hookimpl
    def provd_dhcp_gate(self) -> GateVerdict | None:
        return None


class Protects:
    def __init__(self, settings: CallSettings) -> None: ...

    @hookimpl
    def provd_change(self) -> Veto | None:
        return None


def refuses(host: PluginHost) -> tuple[str, str]:
    """Why a machine is not answered, and why a change is not made; empty where they are."""
    verdict, veto = host.gate(dhcp_request()), host.change(CHANGE)
    return verdict.reason if isinstance(verdict, Ignore) else "", veto.reason if veto else ""


@pytest.mark.parametrize(
    ("build", "guards", "critical", "machines", "changes"),
    [
        (Gate, True, (), True, False),
        (Protects, True, (), False, True),
        (Gate, False, ("it",), True, False),
        (Gate, False, (), False, False),
        (lambda _settings: Gate(CallSettings()), True, (), True, True),
    ],
)
def test_in_the_place_of_a_guard_that_is_off_everything_is_refused(
    build: Any, guards: bool, critical: tuple[str, ...], machines: bool, changes: bool
) -> None:
    plugin = MadePlugin(Plugin("it", CallSettings, build, guards=guards))
    host = lenient(plugin, tables={"it": {"hots": 1}}, critical=critical)
    reasons = refuses(host)
    assert (bool(reasons[0]), bool(reasons[1])) == (machines, changes)
    why = "the plugin it, which decides on this, is off: provd.toml: plugins.it: unknown key hots; did you mean host?"
    assert {reason for reason in reasons if reason} <= {why}
    assert host.faults[0].guards is (machines or changes)
    assert not host.is_on("it")
    host.swap("it", {})
    assert (refuses(host), told(host)) == (("", ""), [])
    assert host.is_on("it")


def test_a_critical_plugin_that_is_not_enabled_refuses() -> None:
    host = lenient(tables={}, critical=["gone"])
    assert refuses(host)[0].endswith("it is listed as critical, but it is not enabled")
    assert told(host)[0].startswith("plugin gone: it is listed as critical, but it is not enabled; the plugin is off")

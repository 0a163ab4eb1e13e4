"""client_classes, gate_rules, site_vars, unknown_machines and change_guard."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from provd.model.arch import BIOS
from provd.model.client import ClientFacts
from provd.model.dhcp import Allow, Ignore, Refuse
from provd.plugin.api import Action, Change, Event, RelayInfo, Subnet, System, Veto
from provd.plugin.errors import PluginError
from tests.fakes.plugin_world import CLIENT, MAC, PROFILE, SYSTEM, dhcp_request
from tests.fakes.shipped_plugins import shipped


@pytest.mark.parametrize(
    ("client", "labels"),
    [
        (ClientFacts(MAC), set()),
        (ClientFacts(MAC, vendor_class="PXEClient:Arch:00000"), {"pxe"}),
        (ClientFacts(MAC, vendor_class="PXEClient:Arch:00000", user_classes=("iPXE",)), {"pxe", "ipxe"}),
        (ClientFacts(MAC, vendor_class="HTTPClient:Arch:00016"), {"httpboot"}),
        (ClientFacts(MAC, vendor_class="d-i"), set()),
    ],
)
def test_the_labels_everybody_needs(client: ClientFacts, labels: set[str]) -> None:
    assert shipped("client_classes").labels(dhcp_request(client)) == labels


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({"mac_prefix": "52:54:00"}, True),
        ({"mac_prefix": "52:54:00:aa:bb:cc"}, True),
        ({"mac_prefix": "52:54:01"}, False),
        ({"vendor_class": "PXEClient"}, True),
        ({"vendor_class": "Client"}, False),
        ({"arch": "x64-uefi"}, True),
        ({"arch": "bios"}, False),
        ({"user_class": "iPXE"}, False),
        ({"mac_prefix": "52:54:00", "arch": "bios"}, False),
        ({"mac_prefix": "52:54:00", "arch": "x64-uefi", "vendor_class": "PXE"}, True),
    ],
)
def test_a_class_of_the_site_needs_everything_it_names(conditions: dict[str, str], fits: bool) -> None:
    host = shipped("client_classes", {"classes": [{"label": "mine", **conditions}]})
    assert ("mine" in host.labels(dhcp_request())) is fits


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        ({}, "class 'mine' has no condition"),
        ({"arch": "x86"}, "arch 'x86' is not known"),
        ({"mac_prefix": "52:5"}, "mac_prefix '52:5' must be pairs"),
        ({"label": "Mine!", "arch": "bios"}, "label 'Mine!' must be"),
    ],
)
def test_a_class_that_cannot_be_stops_the_start(conditions: dict[str, str], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        shipped("client_classes", {"classes": [{"label": "mine", **conditions}]})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({}, Allow()),
        ({"deny": ["52:54:00:aa:bb:cc"]}, Ignore("52:54:00:aa:bb:cc is in gate_rules.deny")),
        ({"deny": ["52-54-00"]}, Ignore("52:54:00:aa:bb:cc is in gate_rules.deny")),
        ({"deny": ["52:54:00:AA"], "nak": True}, Refuse("52:54:00:aa:bb:cc is in gate_rules.deny")),
        ({"deny": ["52:54:01", "54"]}, Allow()),
        ({"only": ["52:54"]}, Allow()),
        ({"only": ["00:50:56"]}, Ignore("52:54:00:aa:bb:cc is not in gate_rules.only")),
        ({"only": ["52:54"], "deny": ["52:54:00:aa"]}, Ignore("52:54:00:aa:bb:cc is in gate_rules.deny")),
    ],
)
def test_the_gate_goes_by_prefix(settings: dict[str, Any], verdict: object) -> None:
    assert shipped("gate_rules", settings).gate(dhcp_request()) == verdict


@pytest.mark.parametrize("text", ["", "5", "52:5", "52:54:00:aa:bb:cc:dd", "5254", "zz"])
def test_a_wrong_prefix_stops_the_start(text: str) -> None:
    with pytest.raises(PluginError, match="is not the beginning of a MAC address"):
        shipped("gate_rules", {"deny": [text]})


def test_variables_tag_beats_profile_beats_site() -> None:
    host = shipped(
        "site_vars",
        {
            "vars": {"a": "site", "b": "site", "c": "site", "d": "site"},
            "profiles": {"base": {"b": "base", "c": "base"}, "web": {"c": "web"}},
            "tags": {"lab": {"d": "lab", "e": [1, 2]}, "late": {"d": "late"}, "other": {"a": "other"}},
        },
    )
    found = host.answer_vars(replace(SYSTEM, tags=("lab", "late")), PROFILE)
    assert {key: value for key, (_, value) in found.items()} == {
        "a": "site",
        "b": "base",
        "c": "web",
        "d": "late",
        "e": [1, 2],
    }
    assert {plugin for plugin, _ in found.values()} == {"site_vars"}


def test_a_variable_no_template_can_name_stops_the_start() -> None:
    with pytest.raises(PluginError, match="'a-b' cannot be the name of a template variable"):
        shipped("site_vars", {"tags": {"lab": {"a-b": 1}}})


NOBODY = System("bare")


@pytest.mark.parametrize(
    ("settings", "action"),
    [
        ({}, Action.LOCAL),
        ({"policy": "none"}, Action.NONE),
        ({"policy": "hold"}, Action.HOLD),
        ({"policy": "ignore"}, None),
        ({"policy": "none", "classes": {"lab": "hold"}}, Action.HOLD),
        ({"policy": "none", "classes": {"other": "hold"}}, Action.NONE),
    ],
)
@pytest.mark.parametrize("system", [None, NOBODY])
def test_unknown_machines_never_install(settings: dict[str, Any], action: Action | None, system: System | None) -> None:
    client = replace(CLIENT, arch=BIOS, labels=frozenset({"lab"}))
    plan = shipped("unknown_machines", settings).boot_plan(system, None, client)
    assert (plan.action if plan else None) is action
    if plan:
        assert plan.client == client
        assert "unknown_machines says" in plan.reason


def test_known_machines_are_left_to_the_core() -> None:
    host = shipped("unknown_machines")
    assert host.boot_plan(SYSTEM, PROFILE, CLIENT) is None
    assert host.boot_plan(SYSTEM, None, CLIENT) is None


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"relay": "10.2.0.1"}, True),
        ({"relay": "10.2.0.2"}, False),
        ({"port": "ge-0/0/*"}, True),
        ({"port": "ge-1/*"}, False),
        ({"relay": "10.2.0.1", "port": "ge-0/0/7"}, True),
    ],
)
def test_a_rule_knows_machines_by_their_relay_and_port(rule: dict[str, Any], fits: bool) -> None:
    rules = [{"name": "n{number}", "profile": "web", **rule}]
    client = replace(CLIENT, arch=BIOS, relay=RelayInfo(giaddr=0x0A020001, circuit_id=b"ge-0/0/7"))
    wish = shipped("unknown_machines", {"rules": rules}).adopt(client, Subnet("lab", IPv4Network("10.2.0.0/24")))
    assert (wish.profile if wish else None) == ("web" if fits else None)


def test_install_is_no_policy() -> None:
    with pytest.raises(PluginError, match=r"plugins\.unknown_machines\.policy: Invalid enum value 'install'"):
        shipped("unknown_machines", {"policy": "install"})


PROTECTED = replace(SYSTEM, tags=("lab", "protected"))


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (Change("system.add", "web1", None, PROTECTED), ""),
        (Change("system.edit", "web1", SYSTEM, replace(SYSTEM, profile="db")), ""),
        (Change("system.remove", "web1", SYSTEM, None), ""),
        (Change("system.edit", "web1", PROTECTED, replace(PROTECTED, profile="db")), "not edited"),
        (Change("system.edit", "web1", PROTECTED, replace(PROTECTED, netboot=False)), "not edited"),
        (Change("system.edit", "web1", PROTECTED, replace(PROTECTED, tags=(), profile="db")), "not edited"),
        (Change("system.edit", "web1", PROTECTED, replace(PROTECTED, tags=("lab",), version="2")), ""),
        (Change("system.edit", "web1", PROTECTED, replace(PROTECTED, comment="x")), ""),
        (Change("system.remove", "web1", PROTECTED, None), "not removed"),
    ],
)
def test_protected_systems_are_left_alone(change: Change, refused: str) -> None:
    veto = shipped("change_guard").change(change)
    assert bool(veto) is bool(refused)
    if veto:
        assert veto.reason == f"web1 has the tag protected and is {refused}; take the tag away first"


def test_a_system_is_left_alone_while_it_is_installed() -> None:
    host = shipped("change_guard")
    remove = Change("system.remove", "web1", SYSTEM, None)
    host.event(Event("install.started", 0.0, system="web1"))
    assert host.change(remove) == Veto("web1 is being installed and is not removed now")
    assert host.change(replace(remove, before=replace(SYSTEM, name="web2"))) is None
    host.event(Event("install.finished", 1.0, system="web1"))
    assert host.change(remove) is None


def test_installing_can_be_left_unguarded() -> None:
    host = shipped("change_guard", {"installing": False})
    host.event(Event("install.started", 0.0, system="web1"))
    assert host.change(Change("system.remove", "web1", SYSTEM, None)) is None


def test_an_unknown_field_stops_the_start() -> None:
    with pytest.raises(PluginError, match="allowed: a system has no 'colour'"):
        shipped("change_guard", {"allowed": ["colour"]})

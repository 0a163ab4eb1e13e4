"""provd explain: every DHCP option with the file and key, or the plugin, that it came from (row 52)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from provd.app.operations import operations_of
from provd.model.account import Caller
from provd.model.boot import Action, BootFile, BootPlan
from provd.model.client_class import ClientClass
from provd.model.dhcp import OptionSet
from provd.model.origin import Origin
from provd.service.explain_options import Imagined, OptionExplainer, Places
from tests.fakes.dhcp_world import MAC, SERVER, DhcpWorld, a_profile, a_system, request, subnet
from tests.fakes.simulated_server import SimulatedServer

PXE = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0"}
PLACES = Places("/etc/provd/provd.toml", {"subnet lab": "subnet[3]", "class lab": "class[1]", "class pxe": "class[2]"})
FILE = "/etc/provd/provd.toml"


def explained(world: DhcpWorld, **changes: Any) -> dict[str, dict[str, Any]]:
    """Rows by name, for the system web1 of the world."""
    world.answer(request(1, options=PXE))
    client = world.director.heard[-1].request.client
    (system,) = world.systems.all
    profile = world.systems.profiles.get("web")
    plan = BootPlan(Action.INSTALL, "test", client, system, profile, loader="fake", server="10.88.0.1")
    imagined = Imagined(system, profile, world.subnets[0], SERVER, plan, BootFile("pxelinux.0"))
    explainer = OptionExplainer(world.service.levels, world.hooks, lambda: PLACES)
    return {str(row["key"]): row for row in explainer.rows(replace(imagined, **changes))}


def a_world() -> DhcpWorld:
    world = DhcpWorld()
    profile = a_profile(lease_s=300, options={"101": "profile", "wpad": "profile"})
    origins = {
        "options.101": Origin("profile", "base", "/p/base.toml", "options.101"),
        "options.wpad": Origin("profile", "web", "/p/web.toml", "options.wpad"),
        "boot.lease_s": Origin("profile", "web", "/p/web.toml", "boot.lease_s"),
    }
    world.systems.profiles["web"] = replace(profile, origins=origins)
    world.know(replace(a_system(profile="web"), options={"252": "system"}, file="/s/web1.toml"))
    world.service.classify(
        {"ntp-servers": ["10.0.0.1"], "wpad": "global"},
        [
            ClientClass("lab", mac_prefix=MAC[:3], options={"pcode": "class"}, lease_s=600),
            ClientClass("pxe", vendor_class="PXEClient", options={"pxe": {"control": ["boot-file"]}}),
        ],
    )
    world.configure(dns=(IPv4Address("9.9.9.9"),), domain="lab.example", options={"tcode": "subnet", "100": "subnet"})
    world.hooks.sets = [("first", OptionSet({224: b"\1"})), ("second", OptionSet({224: b"\2", 225: b"\3"}))]
    return world


def test_row_52_the_origin_of_every_option_is_file_and_key_or_plugin() -> None:
    rows = explained(a_world())
    assert {key: row["origin"] for key, row in rows.items()} == {
        "subnet-mask": f"settings subnet lab ({FILE}: subnet[3].network)",
        "routers": f"settings subnet lab ({FILE}: subnet[3].routers)",
        "domain-name-servers": f"settings subnet lab ({FILE}: subnet[3].dns)",
        "host-name": "system web1 (/s/web1.toml: name)",
        "domain-name": f"settings subnet lab ({FILE}: subnet[3].domain)",
        "broadcast-address": f"settings subnet lab ({FILE}: subnet[3].network)",
        "ntp-servers": f"settings global ({FILE}: options.ntp-servers)",
        "vendor-encapsulated-options": f"settings class pxe ({FILE}: class[2].options.pxe)",
        "dhcp-lease-time": "profile web (/p/web.toml: boot.lease_s)",
        "tftp-server-name": "boot loader fake",
        "boot-file-name": "boot loader fake",
        "pcode": f"settings class lab ({FILE}: class[1].options.pcode)",
        "tcode": "profile base (/p/base.toml: options.101)",
        "224": "plugin first",
        "225": "plugin second",
        "wpad": "system web1 (/s/web1.toml: options.252)",
    }
    assert rows["routers"]["value"] == ["10.88.0.254"]
    assert rows["224"]["value"] == "01"


def test_row_52_what_lost_is_named_the_most_general_first() -> None:
    rows = explained(a_world())
    assert rows["wpad"]["hides"] == [
        f"settings global ({FILE}: options.wpad)",
        "profile web (/p/web.toml: options.wpad)",
    ]
    assert rows["dhcp-lease-time"]["hides"] == [
        f"settings subnet lab ({FILE}: subnet[3].lease_s)",
        f"settings class lab ({FILE}: class[1].lease_s)",
    ]
    assert rows["224"]["hides"] == ["plugin second"]


def test_row_52_what_was_taken_away_is_not_there_and_defaults_are_called_so() -> None:
    world = a_world()
    world.systems.all = [replace(world.systems.all[0], options={"!wpad": True})]
    world.configure(dns=(), options={})
    rows = explained(world)
    assert "wpad" not in rows
    assert rows["domain-name-servers"]["origin"] == "default subnet lab"


def test_row_52_explain_says_what_the_reply_then_carries() -> None:
    world = a_world()
    sent = world.answer(request(1, options=PXE, xid=9)).packet.options
    told = explained(world)
    made_by_the_protocol = {51, 53, 54, 58, 59}
    assert {row["number"] for row in told.values()} - {51} == set(sent) - made_by_the_protocol
    assert subnet().lease_s != int.from_bytes(sent[51]) == told["dhcp-lease-time"]["value"]


def test_row_52_times_that_do_not_count_are_shown_as_they_are_sent() -> None:
    world = a_world()
    world.configure(options={"dhcp-renewal-time": 250, "dhcp-rebinding-time": 299})
    assert explained(world)["dhcp-renewal-time"]["value"] == 250
    world.configure(options={"dhcp-renewal-time": 9000, "dhcp-rebinding-time": 299})
    sent = world.answer(request(1, options=PXE, xid=9)).packet.options
    rows = explained(world)
    for code, key in ((58, "dhcp-renewal-time"), (59, "dhcp-rebinding-time")):
        assert rows[key]["value"] == int.from_bytes(sent[code])
    assert rows["dhcp-renewal-time"]["origin"] == "default"
    assert rows["dhcp-renewal-time"]["hides"] == [f"settings subnet lab ({FILE}: subnet[3].options.dhcp-renewal-time)"]


def test_row_52_explain_names_the_files_of_a_running_service(tmp_path: Path) -> None:
    server = SimulatedServer(tmp_path)
    server.add()
    outcome: list[Any] = []
    table = operations_of(Running(server), {}, 0.0)  # type: ignore[arg-type]
    call = table.call("explain", {"system": "web1"}, caller=Caller("ann", "read"))
    Deferred.fromCoroutine(call).addBoth(outcome.append)
    rows = {row["key"]: row for row in outcome[0]["options"]}
    assert rows["subnet-mask"]["origin"] == f"settings subnet lab ({tmp_path}/provd.toml: subnet[0].network)"
    assert rows["boot-file-name"] == {
        "key": "boot-file-name",
        "number": 67,
        "value": "lpxelinux.0",
        "origin": "boot loader pxelinux",
        "hides": [],
    }


class Running:
    """A simulated server as operations ask it."""

    def __init__(self, server: SimulatedServer) -> None:
        self.services = server.services
        self.listeners = self.rogue = None

    def in_thread(self, work: Any) -> Any:
        raise AssertionError(work)

    def reload(self) -> Any:
        raise AssertionError

"""Flatcar's network files, taken in by a real systemd-networkd: a card with its address, a bridge over another."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from plugins.installer_ignition import networkd
from provd.lab.network import Host, PrivateNetwork
from provd.lab.unpacked import fetch
from provd.plugin.api import connections
from tests.fakes.ignition_machine import card, files, link
from tests.system.real_clients import NETWORKD

pytestmark = pytest.mark.netns

FIRST, SECOND = card("eth0", "52:54:00:aa:bb:cc", "10.88.0.133"), card("eth1", "52:54:00:aa:bb:dd")
BRIDGE = link(
    "br0", "bridge", ["eth1"], options={"stp": False, "forward-delay": 4}, address="10.99.0.5", vars={"prefix": 26}
)
VALUES = {"network": "static", "interfaces": [FIRST, SECOND], "interface": FIRST, "links": [BRIDGE]}
WAIT_S = 20.0


def addresses(host: Host) -> dict[str, list[str]]:
    told = json.loads(host.run(["ip", "-4", "-j", "address"]).stdout)
    return {one["ifname"]: [f"{a['local']}/{a['prefixlen']}" for a in one["addr_info"]] for one in told}


def test_row24_networkd_makes_what_the_files_say(network: PrivateNetwork, cache: Path, tmp_path: Path) -> None:
    lan, host = network.segment(), network.host("flatcar")
    host.attach(lan, "eth0", mac=str(FIRST["mac"]))
    host.attach(lan, "eth1", mac=str(SECOND["mac"]))
    written = files({"storage": {"files": networkd.files(connections(VALUES), "web1")}})
    folder = tmp_path / "files"
    folder.mkdir()
    for path, text in written.items():
        # a virtual pair of cards has no permanent address
        (folder / Path(path).name).write_text(text.replace("PermanentMACAddress", "MACAddress"))
    inside = NETWORKD.replace('cp "$1" /run/systemd/network/10-eth0.network', 'cp "$1"/* /run/systemd/network/')
    logs = ["env", "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console"]
    argv = fetch("systemd", cache).argv("systemd-networkd")
    host.start("networkd", ["unshare", "--mount", "sh", "-euc", inside, "sh", str(folder), *logs, *argv])
    wanted = {"eth0": ["10.88.0.133/24"], "eth1": [], "br0": ["10.99.0.5/26"]}
    end = time.monotonic() + WAIT_S
    found: dict[str, Any] = {}
    while time.monotonic() < end and {name: found.get(name, []) for name in wanted} != wanted:
        time.sleep(0.1)
        found = addresses(host)
    assert {name: found.get(name, []) for name in wanted} == wanted
    routes = json.loads(host.run(["ip", "-j", "route", "show", "default"]).stdout)
    assert [(one["gateway"], one["dev"]) for one in routes] == [("10.88.0.1", "eth0")]
    (bridge,) = json.loads(host.run(["ip", "-d", "-j", "link", "show", "br0"]).stdout)
    assert (bridge["linkinfo"]["info_data"]["stp_state"], bridge["linkinfo"]["info_data"]["forward_delay"]) == (0, 400)
    (port,) = json.loads(host.run(["ip", "-j", "link", "show", "eth1"]).stdout)
    assert port["master"] == "br0"

"""Alpine's network file, taken in by a real ifupdown-ng, which is Alpine's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from plugins.installer_alpine.interfaces import interfaces
from provd.lab.network import PrivateNetwork
from provd.lab.unpacked import Unpacked, fetch
from tests.fakes.alpine_machine import BONDED, CARDS, FIRST, SECOND, link

pytestmark = pytest.mark.netns

BRIDGE = link(
    "br0", "bridge", ["eth1"], options={"stp": False, "forward-delay": 4}, address="10.99.0.5", vars={"prefix": 26}
)


def written(values: dict[str, object], folder: Path) -> Path:
    """The file as the script leaves it: with names of cards."""
    text = interfaces(values)
    for name, card in (("eth0", FIRST), ("eth1", SECOND)):
        text = text.replace(f"@{card['mac']}@", name)
    (folder / "interfaces").write_text(text)
    return folder / "interfaces"


def command(program: Unpacked, name: str, file: Path, *words: str) -> list[str]:
    state = ["-l", "-S", f"{file.parent}/state", "-E", str(program.root / "usr/libexec/ifupdown-ng")]
    return program.argv(name, *state, "-i", str(file), *words)


def test_row24_ifupdown_knows_what_lies_over_what(network: PrivateNetwork, cache: Path, tmp_path: Path) -> None:
    program, host = fetch("ifupdown-ng", cache), network.host("alpine")
    file = written({**CARDS, "links": BONDED}, tmp_path)
    parsed = host.run(command(program, "ifparse", file, "-A")).stdout
    blocks = [block for block in parsed.split("auto ") if block.strip()]
    uses = {block.split()[0]: set(re.findall(r"use (\w+)", block)) for block in blocks}
    assert {name: found - {"link"} for name, found in uses.items()} == {
        "lo": {"loopback"}, "eth0": set(), "eth1": set(), "bond0": {"static", "bond"}, "bond0.7": {"vlan"}, "br0": {"dhcp", "bridge"},
    }  # fmt: skip
    told = host.run(command(program, "ifup", file, "-n", "-a")).stderr
    assert re.findall(r"dependent interface (\S+) \(of (\S+)\)", told) == [
        ("bond0.7", "br0"), ("bond0", "bond0.7"), ("eth0", "bond0"), ("eth1", "bond0"),
    ]  # fmt: skip


def test_row24_ifupdown_makes_what_the_file_says(network: PrivateNetwork, cache: Path, tmp_path: Path) -> None:
    program, lan, host = fetch("ifupdown-ng", cache), network.segment(), network.host("alpine")
    host.attach(lan, "eth0")
    host.attach(lan, "eth1")
    file = written({**CARDS, "network": "static", "links": [BRIDGE]}, tmp_path)
    host.run(command(program, "ifup", file, "-a"))
    told = json.loads(host.run(["ip", "-4", "-j", "address"]).stdout)
    found = {one["ifname"]: [f"{a['local']}/{a['prefixlen']}" for a in one["addr_info"]] for one in told}
    assert (found["eth0"], found["br0"]) == (["10.88.0.133/24"], ["10.99.0.5/26"])
    (route,) = json.loads(host.run(["ip", "-j", "route", "show", "default"]).stdout)
    assert (route["gateway"], route["dev"]) == ("10.88.0.1", "eth0")
    (port,) = json.loads(host.run(["ip", "-j", "link", "show", "eth1"]).stdout)
    assert port["master"] == "br0"
    (bridge,) = json.loads(host.run(["ip", "-d", "-j", "link", "show", "br0"]).stdout)
    assert (bridge["linkinfo"]["info_data"]["stp_state"], bridge["linkinfo"]["info_data"]["forward_delay"]) == (0, 400)

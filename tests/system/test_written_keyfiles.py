"""Fedora CoreOS's network files, read by NetworkManager's own library: nothing in them is unknown to it or dropped."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path
from subprocess import run

import pytest

from plugins.installer_ignition.networkmanager import keyfile
from provd.lab.unpacked import fetch
from provd.plugin.api import connections
from tests.fakes.ignition_machine import BONDED, FIRST, SECOND

pytestmark = pytest.mark.netns

VALUES = {"interfaces": [FIRST, SECOND], "interface": FIRST}
CASES = {
    f"{network}-{one.name}": one
    for network, links in (("static", []), ("dhcp", BONDED))
    for one in connections({**VALUES, "network": network, "links": links})
}
RENAMED = {"master": "controller", "slave-type": "port-type"}
"""Keys of a port as versions from 1.46 on write them."""


def parsed(text: str) -> dict[str, dict[str, str]]:
    parser = ConfigParser(interpolation=None)
    parser.read_string(text)
    return {section: dict(parser[section]) for section in parser.sections()}


@pytest.mark.parametrize("name", CASES)
def test_row24_networkmanager_keeps_every_key(cache: Path, name: str) -> None:
    text = keyfile(CASES[name], "web1")
    program = fetch("network-manager", cache)
    command = program.argv("nmcli", "--offline", "connection", "modify", "connection.lldp", "1")
    done = run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    ours, theirs = parsed(text), parsed(done.stdout)
    for section, keys in ours.items():
        for key, value in keys.items():
            kept = theirs.get(section, {})
            assert kept.get(key, kept.get(RENAMED.get(key, key))) == value, f"[{section}] {key}"

"""Unknown machines become systems by rule, at their first DISCOVER."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from provd.model.mac import Mac
from provd.testing.world import MACHINE
from tests.fakes.simulated_server import ENABLED, SimulatedServer


class Server(SimulatedServer):
    enabled = (*ENABLED, "unknown_machines")


HEAD = "[plugins.unknown_machines]\n"
RULE = '[[plugins.unknown_machines.rules]]\nname = "node-{number:2}"\nprofile = "web"\ntags = ["lab"]\n'


def server(root: Path, *conditions: str, head: str = "") -> Server:
    return Server(root, head + RULE + "\n".join(conditions) + "\n")


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ('vendor = "PXEClient:Arch:00000"', True),
        ('vendor = "HTTPClient"', False),
        ('arch = "bios"', True),
        ('arch = "x64-uefi"', False),
        (f'uuid = "{str(MACHINE.uuid)[:8]}-*"', True),
        ('uuid = "4c4c4544-*"', False),
        (f'oui = "{MACHINE.mac[:3].hex(":")}"', True),
        ('oui = "52:54:01"', False),
        ('subnet = "lab"', True),
        ('subnet = "floor"', False),
        ('relay = "10.2.0.1"', False),
        ('port = "ge-*"', False),
        ('label = "pxe"', True),
        ('label = "rack"', False),
        ('arch = "bios"\nlabel = "rack"', False),
    ],
)
def test_a_machine_that_fits_installs_at_once(tmp_path: Path, condition: str, fits: bool) -> None:
    one = server(tmp_path, condition)
    assert one.boot().outcome == ("installed" if fits else "local")
    names = [system.name for system in one.services.systems.all()]
    assert names == (["node-01"] if fits else [])
    if fits:
        system = one.services.systems.index.by_name()["node-01"]
        assert (system.profile, system.tags, system.uuid) == ("web", ("lab",), str(MACHINE.uuid))
        assert one.boot(seed=2).outcome == "local"


def test_machines_with_the_same_uuid_are_told_apart_and_counted(tmp_path: Path) -> None:
    one = server(tmp_path, 'arch = "bios"')
    one.add("node-01", mac=Mac.parse("52:54:00:88:77:01"))
    others = [replace(MACHINE, mac=bytes([82, 84, 0, 1, 1, n]), uuid=UUID(int=n + 1)) for n in range(3)]
    assert [one.boot("bios", machine, seed=n).outcome for n, machine in enumerate(others)] == ["installed"] * 3
    assert sorted(system.name for system in one.services.systems.all()) == ["node-01", "node-02", "node-03", "node-04"]


def test_a_rule_that_cannot_be_followed_leaves_the_machine_unknown_and_says_so_once(tmp_path: Path) -> None:
    one = Server(tmp_path, RULE.replace('"web"', '"nope"') + 'arch = "bios"\n')
    for seed in range(3):
        assert one.boot(seed=seed).outcome == "local"
    assert one.services.systems.all() == []
    events = [event for event in one.store.sessions.events_after(0, limit=1000) if event.kind == "machine.refused"]
    assert len(events) == 1
    assert "nope" in str(events[0].fields["reason"])


def test_a_rule_by_the_port_waits_for_what_the_machine_says(tmp_path: Path) -> None:
    one = Server(tmp_path, RULE.replace("node-{number:2}", "{port}") + 'arch = "bios"\n')
    assert one.boot().outcome == "local"
    assert one.services.systems.all() == []


def test_enrolled_machines_wait_with_a_name_and_install_once_assigned(tmp_path: Path) -> None:
    one = Server(tmp_path, f'{HEAD}policy = "enrol"\nenrol_name = "new-{{number}}"\n')
    told = one.boot()
    assert told.outcome == "local"
    assert told.started is not None
    assert any("new-1 has no profile" in line for line in told.started.said)
    (system,) = one.services.systems.all()
    assert (system.name, system.profile, system.comment) == ("new-1", "", "enrolled by unknown_machines")
    one.services.systems.edit("new-1", replace(system, profile="web"), expected="")
    one.turn()
    assert one.boot(seed=2).outcome == "installed"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (RULE, "has no condition"),
        (RULE + 'arch = "z80"\n', "arch 'z80' is not known"),
        (RULE + 'oui = "52-54"\n', "pairs of lower case hex digits"),
        (RULE + 'relay = "router"\n', "router"),
        (RULE.replace("node-{number:2}", "node") + 'arch = "bios"\n', "the same for every machine"),
        (HEAD + 'enrol_name = "x"\n', "enrol_name: 'x' is the same for every machine"),
    ],
)
def test_a_rule_that_is_wrong_leaves_the_plugin_off_with_a_sentence(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=f"plugin unknown_machines: .*{fault}"):
        Server(tmp_path, text)

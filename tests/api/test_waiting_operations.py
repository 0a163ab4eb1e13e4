"""Machines that wait for a person: unknown ones are adopted, held ones released."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provd.service.load import read_catalogue
from provd.service.operations import OperationError, plain
from provd.service.operations_waiting import WaitingOperations
from provd.simulate.actions import run
from provd.simulate.boot import simulate
from provd.simulate.dhcp import dora
from provd.simulate.firmware import BIOS_IPXE
from provd.testing.world import MAC, MACHINE
from tests.fakes.simulated_server import SimulatedServer


class World:
    def __init__(self, root: Path) -> None:
        self.server = SimulatedServer(root)
        services = self.server.services
        self.plans = [services.sessions.plan_of]
        made = WaitingOperations(
            services.store.sessions,
            services.systems,
            services.store.installs.held,
            lambda session: self.plans[0](session) if self.plans else None,
        )
        self.operations = {one.name: one for one in made.operations()}

    def call(self, operation: str, /, **arguments: object) -> Any:
        one = self.operations[operation]
        return plain(one.run(msgspec.convert(arguments, one.arguments)))

    def boot(self, seed: int = 1, **more: Any) -> str:
        outcome = simulate(self.server, MACHINE, "bios", seed=seed, **more).outcome
        self.server.turn()
        return outcome


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_unknown_machine_is_listed_with_what_it_said(world: World) -> None:
    assert world.call("unknown.list") == []
    world.boot()
    (row,) = world.call("unknown.list")
    assert (row["mac"], row["arch"], row["uuid"], row["boots"]) == (str(MAC), "bios", str(MACHINE.uuid), 1)
    assert row["vendor"].startswith("PXEClient:Arch:00000")
    assert row["address"].startswith("10.88.0.")


def test_an_adopted_machine_installs_at_its_next_boot(world: World) -> None:
    world.boot()
    told = world.call("unknown.adopt", mac=str(MAC), name="web1", profile="web")
    assert (told["name"], told["profile"], told["uuid"]) == ("web1", "web", str(MACHINE.uuid))
    assert world.call("unknown.list") == []
    assert world.boot(seed=2) == "installed"


def test_a_dry_run_adopts_nobody(world: World) -> None:
    world.boot()
    assert world.call("unknown.adopt", mac=str(MAC), name="web1", profile="web", dry_run=True)["name"] == "web1"
    assert len(world.call("unknown.list")) == 1
    assert world.server.services.systems.get("web1") is None


@pytest.mark.parametrize(
    ("arguments", "field", "sentence"),
    [
        ({"mac": "52:54", "name": "a"}, "mac", "52:54"),
        ({"mac": "52:54:00:00:00:77", "name": "a"}, "mac", "has not booted from the network"),
        ({"mac": str(MAC), "name": "a", "profile": "nope"}, "profile", "nope"),
        ({"mac": str(MAC), "name": "-x"}, "name", "-x"),
    ],
)
def test_who_cannot_be_adopted_is_one_sentence(
    world: World, arguments: dict[str, object], field: str, sentence: str
) -> None:
    world.boot()
    with pytest.raises(OperationError, match=sentence) as caught:
        world.call("unknown.adopt", **arguments)
    assert caught.value.field == field


def test_a_machine_with_a_name_is_no_unknown_one(world: World) -> None:
    world.server.add()
    world.boot()
    assert world.call("unknown.list") == []
    with pytest.raises(OperationError, match="it is a card of system web1"):
        world.call("unknown.adopt", mac=str(MAC), name="b")


def test_until_finished_is_never_held_and_then_installed_once(world: World) -> None:
    made = world.server.add()
    world.server.services.systems.edit("web1", replace(made, policy="until-finished"), expected="")
    for seed in range(4):
        world.boot(seed=seed, reports=())
    assert world.call("held.list") == []
    assert [world.boot(seed=seed) for seed in (7, 8)] == ["installed", "local"]


def test_a_number_of_its_own_and_a_change_of_policy_install_nothing_twice(world: World) -> None:
    systems = world.server.services.systems
    made = world.server.add()
    systems.edit("web1", replace(made, policy="always", max_attempts=1), expected="")
    assert [world.boot(seed=seed) for seed in (1, 2, 3, 4)] == ["installed", "local", "installed", "local"]
    once = systems.edit("web1", replace(made, policy="once", max_attempts=1), expected="")
    assert [world.boot(seed=seed) for seed in (5, 6)] == ["local", "local"]
    off = systems.edit("web1", replace(once, netboot=False), expected="")
    systems.edit("web1", replace(off, netboot=True), expected="")
    world.boot(seed=7, reports=())
    world.boot(seed=8, reports=())
    (row,) = world.call("held.list")
    assert row["attempts"] == 1
    assert row["reason"].endswith("release it with provd held release web1")


def test_one_that_cannot_install_is_listed_with_the_reason_and_needs_no_release(world: World) -> None:
    made = world.server.add()
    world.server.services.systems.edit("web1", replace(made, source="nowhere:x"), expected="")
    world.boot()
    (row,) = world.call("held.list")
    assert (row["name"], row["why"], row["attempts"]) == ("web1", "not-ready", 0)
    assert "no enabled plugin resolves the install source 'nowhere:x'" in row["reason"]
    with pytest.raises(OperationError, match="waits for no release but for this: no enabled plugin"):
        world.call("held.release", name="web1")
    edited = world.server.services.systems.index.by_name()["web1"]
    world.server.services.systems.edit("web1", replace(edited, source=""), expected="")
    assert world.boot(seed=2) == "installed"
    assert world.call("held.list") == []


@pytest.mark.parametrize("restarted", [False, True])
def test_one_that_fetched_no_loader_configuration_is_listed_with_a_reason(world: World, *, restarted: bool) -> None:
    """After a restart the plan of the boot is gone."""
    made = world.server.add()
    world.server.services.systems.edit("web1", replace(made, source="nowhere:x"), expected="")
    run(dora(BIOS_IPXE, MACHINE, 1), world.server)
    if restarted:
        world.plans.clear()
    (row,) = world.call("held.list")
    reason = "run provd explain web1" if restarted else "no enabled plugin resolves the install source 'nowhere:x'"
    assert reason in row["reason"]
    with pytest.raises(OperationError, match=f"waits for no release but for this: .*{reason}"):
        world.call("held.release", name="web1")


def test_a_held_machine_is_listed_and_released(world: World) -> None:
    world.server.add()
    for seed in range(3):
        world.boot(seed=seed, reports=())
    (row,) = world.call("held.list")
    assert (row["name"], row["why"], row["attempts"]) == ("web1", "loop", 2)
    assert "no finished callback came" in row["reason"]
    assert world.call("held.release", name="web1", dry_run=True)["reason"] == row["reason"]
    assert len(world.call("held.list")) == 1
    world.call("held.release", name="web1")
    assert world.call("held.list") == []
    assert world.boot(seed=9) == "installed"
    with pytest.raises(OperationError, match="system web1 is not held"):
        world.call("held.release", name="web1")
    with pytest.raises(OperationError, match="there is no system nope"):
        world.call("held.release", name="nope")


def test_a_machine_whose_newest_boot_is_a_systems_is_no_unknown_one(tmp_path: Path) -> None:
    """Its system has no card, so that the hardware address says nothing."""
    world = World(tmp_path)
    world.boot()
    assert len(world.call("unknown.list")) == 1
    file = tmp_path / "site/systems/one.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'profile = "web"\nuuid = "{MACHINE.uuid}"\n')
    world.server.services.systems.rebuild(read_catalogue(world.server.services.current.config).systems)
    assert world.boot(seed=2) == "installed"
    assert world.call("unknown.list") == []
    with pytest.raises(OperationError, match="it is the machine of system one"):
        world.call("unknown.adopt", mac=str(MAC), name="web1", profile="web")

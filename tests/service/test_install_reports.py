"""Reports of installers that come twice, late, or without the one before them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provd.model.boot import Action
from provd.model.content import Content, NotFound
from provd.model.system import Link
from tests.fakes.boot_world import ADDRESS, SYSTEM, BootWorld
from tests.fakes.simulated_server import SimulatedServer
from tests.service.test_boot_services import CONFIG, token_of


@pytest.fixture
def world(tmp_path: Path) -> BootWorld:
    return BootWorld(tmp_path)


def begun(world: BootWorld) -> str:
    """The token of a machine that has begun to install."""
    world.discover()
    token = token_of(world.text(CONFIG))
    world.post("started", token=token)
    return token


@pytest.mark.parametrize("name", ["finished", "failed"])
@pytest.mark.parametrize("restart", [False, True])
def test_the_end_is_heard_again_where_the_installer_did_not_get_the_reply(
    world: BootWorld, name: str, restart: bool
) -> None:
    """An installer whose last report is refused stops with an error, and never starts its machine anew."""
    token = begun(world)
    assert isinstance(world.post(name, token=token), Content)
    state, told = world.states.get("web1"), world.kinds().count(f"install.{name}")
    if restart:
        world.restart()
    assert isinstance(world.post(name, token=token), Content)
    assert world.states.get("web1") == state
    assert world.kinds().count(f"install.{name}") == told == 1


def test_an_end_that_is_heard_again_changes_nothing_that_was_wished_meanwhile(world: BootWorld) -> None:
    token = begun(world)
    world.post("finished", token=token)
    world.states.put("web1", world.states.get("web1").__class__())
    assert isinstance(world.post("finished", token=token), Content)
    assert world.states.get("web1").state == "new"


def test_an_installed_system_whose_first_boot_fails_says_so_and_is_not_installed_anew(world: BootWorld) -> None:
    """Systems that set themselves up at their first boot report its failure, with the log."""
    token = begun(world)
    world.post("finished", token=token)
    assert isinstance(world.post("log", token=token), Content)
    assert isinstance(world.post("failed", token=token), Content)
    assert "install.failed" in world.kinds()
    assert world.states.get("web1").state == "installed"
    second = world.discover()
    assert second.plan is not None
    assert second.plan.action is Action.LOCAL


def test_the_first_boot_tells_that_the_installation_has_finished_where_that_report_was_lost(world: BootWorld) -> None:
    """Else a system that is installed and runs would be installed anew at its next network boot."""
    token = begun(world)
    assert isinstance(world.post("firstboot", token=token), Content)
    assert world.states.get("web1").state == "installed"
    assert isinstance(world.get(f"answer/{token}/answers.cfg"), NotFound)
    second = world.discover()
    assert second.plan is not None
    assert second.plan.action is Action.LOCAL


def test_a_machine_may_report_from_the_address_of_its_bond(tmp_path: Path) -> None:
    """Kickstart sets the bond up in the installer already, and each installed system has its link's address."""
    where = SimulatedServer(tmp_path).services.whereabouts
    bond = Link("bond0", "bond", ("eth0",), address=IPv4Address("10.0.0.50"))
    assert "10.0.0.50" in where.addresses_of(replace(SYSTEM, links=(bond,)))
    assert ADDRESS not in where.addresses_of(SYSTEM)

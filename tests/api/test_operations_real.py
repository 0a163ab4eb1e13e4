"""Operations of a real server without sockets: what they say after simulated boots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.app.operations import operations_of
from provd.model.account import Caller
from provd.service.operations import OperationError, OperationTable
from provd.testing.world import MAC
from tests.fakes.simulated_server import SimulatedServer


class _Running:
    """What the operations need of a server."""

    def __init__(self, server: SimulatedServer) -> None:
        self.services = server.services

    listeners: Any = None
    json: Any = None
    rogue: Any = None

    async def in_thread(self, work: Any) -> Any:
        return work()

    def standing(self) -> Any:
        return ()

    def reload(self, *, dry_run: bool = False) -> Any:
        raise AssertionError("not asked for")


class Asked:
    def __init__(self, root: Path) -> None:
        self.server = SimulatedServer(root)
        self.table: OperationTable = operations_of(_Running(self.server), {}, 0.0)

    def __call__(self, operation: str, /, **arguments: object) -> Any:
        outcome: list[Any] = []
        Deferred.fromCoroutine(self.table.call(operation, arguments, caller=Caller("ann", "admin"))).addBoth(
            outcome.append
        )
        if hasattr(outcome[0], "raiseException"):
            outcome[0].raiseException()
        self.server.turn()
        return outcome[0]


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_a_machine_from_being_added_to_its_second_boot(ask: Asked) -> None:
    ask("system.add", name="web1", profile="web", interfaces=[{"mac": str(MAC)}])
    assert ask("explain", system="web1")["action"] == "install"
    assert ask.server.boot().outcome == "installed"
    told = ask("trace", system="web1")
    assert (told["step"], told["outcome"], told["verdict"]) == ("finished", "finished", "installed and reported")
    kinds = [event["kind"] for event in told["events"]]
    wanted = ["boot.started", "dhcp.ack", "config.served", "kernel.fetched", "initrd.fetched", "answer.served"]
    assert [kind for kind in dict.fromkeys(kinds) if kind in wanted] == wanted
    assert not any("answer/" in event["text"] and "***" not in event["text"] for event in told["events"])
    assert ask("system.show", name="web1")["state"] == "installed"
    assert ask("explain", system="web1")["action"] == "local"
    assert ask.server.boot(seed=2).outcome == "local"
    assert [row["action"] for row in ask("boots", system="web1")] == ["local", "install"]
    ask("system.edit", name="web1", netboot=True)
    assert ask.server.boot(seed=3).outcome == "installed"


@pytest.mark.parametrize(
    ("arch", "loader", "transport"),
    [("bios", "pxelinux", "tftp"), ("x64-uefi", "grub_efi", "tftp"), ("x64-uefi-http", "grub_efi", "http")],
)
def test_explain_names_the_loader_that_the_firmware_then_gets(
    ask: Asked, arch: Any, loader: str, transport: str
) -> None:
    ask.server.add()
    told = ask("explain", system="web1", arch=arch)
    assert (told["loader"]["value"], told["loader"]["transport"]) == (loader, transport)
    boot = ask.server.boot(arch)
    assert boot.boot_file.endswith(told["loader"]["file"])
    assert boot.started is not None
    shown = {row["value"].partition("=")[0] for row in told["kernel_args"]}
    for word in ("quiet", "greeting", "console", "url", "locale"):
        assert word in shown
        assert word in boot.started.command_line


def test_explain_changes_nothing(ask: Asked) -> None:
    ask.server.add()
    before = ask.server.services.store.installs.get("web1")
    for _ in range(3):
        ask("explain", system="web1")
    assert ask.server.services.store.installs.get("web1") == before
    assert list(ask.server.services.sessions.boots()) == []


def test_leases_after_a_boot(ask: Asked) -> None:
    ask.server.add()
    boot = ask.server.boot()
    (row,) = ask("lease.list")
    assert (row["address"], row["system"], row["subnet"]) == (boot.address, "web1", "lab")


def test_a_system_that_clashes_is_refused_and_names_the_other(ask: Asked) -> None:
    ask.server.add()
    with pytest.raises(OperationError, match="already that of system web1"):
        ask("system.add", name="web2", profile="web", interfaces=[{"mac": str(MAC)}])
    with pytest.raises(OperationError, match="nosuch"):
        ask("system.add", name="web3", profile="nosuch", interfaces=[{"mac": "52:54:00:00:00:33"}])

"""provd beside another DHCP server: simulated machines take their address there and boot from here (row 39)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.model.content import Content, FileRequest, NotFound
from provd.simulate.actions import DhcpSend, Fetched, TftpGet, run
from provd.simulate.boot import FirmwareName, simulate
from provd.simulate.dhcp import dora
from provd.simulate.firmware import DEBIAN_INSTALLER, OVMF_PXE
from provd.testing.world import CONFIG, MACHINE, SERVER
from provd.wire.dhcp import decode
from tests.fakes.foreign_dhcp import ForeignDhcp
from tests.fakes.simulated_server import SimulatedServer

FIRMWARE: tuple[FirmwareName, ...] = ("bios", "x64-uefi", "x64-uefi-http")
POOL = 'pool = {{first = "10.88.0.100", last = "10.88.0.110"}}'


class ProxiedServer(SimulatedServer):
    """provd in proxy mode; the other server hears every broadcast first."""

    config = CONFIG.replace(POOL, 'mode = "proxy"')

    def __init__(self, root: Path, more: str = "") -> None:
        self.foreign = ForeignDhcp()
        self.ours: list[bytes] = []
        self.deaf_to_requests = False
        self.without_file = False
        super().__init__(root, more)

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        theirs = [] if action.service else self.foreign.handle(action.data)
        if self.deaf_to_requests and decode(action.data).message_type == 3 and not action.service:
            return theirs
        ours = super().dhcp(action)
        self.ours += ours
        return [*theirs, *ours]

    def tftp(self, action: TftpGet) -> Fetched:
        """The other server has no files."""
        return super().tftp(action) if action.server == SERVER else Fetched(500, error="nobody answers")


@pytest.fixture
def server(tmp_path: Path) -> ProxiedServer:
    return ProxiedServer(tmp_path)


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_P08_row_39_a_machine_is_installed_beside_another_dhcp_server(
    server: ProxiedServer, firmware: FirmwareName
) -> None:
    server.add()
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.address == boot.installer_address == "10.88.0.50"
    # Not one address was given, and nothing but the offer was said.
    replies = [decode(data) for data in server.ours]
    assert {(reply.message_type, reply.yiaddr) for reply in replies} == {(2, 0)}
    assert list(server.store.leases.load()) == []
    assert server.services.store.installs.get("web1").state == "installed"


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_P08_the_story_of_a_proxied_boot_is_complete(server: ProxiedServer, firmware: FirmwareName) -> None:
    server.add()
    server.boot(firmware)
    (session,) = server.store.sessions.sessions(limit=10)
    assert (session.outcome, session.address, session.bound) == ("finished", "10.88.0.50", "10.88.0.50")
    kinds = server.kinds()
    assert kinds.count("dhcp.offer") == 1
    # Firmware and installer both take the other server's address, and GRUB after HTTP boot.
    assert kinds.count("dhcp.elsewhere") == (3 if firmware == "x64-uefi-http" else 2)
    assert {"config.served", "kernel.fetched", "answer.served", "install.finished"} <= set(kinds)


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_P08_a_machine_whose_request_was_not_heard_is_known_by_its_configuration(
    server: ProxiedServer, firmware: FirmwareName
) -> None:
    server.deaf_to_requests = True
    server.add()
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    (session,) = server.store.sessions.sessions(limit=10)
    assert session.bound == "10.88.0.50"


def test_P08_c25_the_configuration_is_bound_to_the_address_that_fetched_it_first(server: ProxiedServer) -> None:
    server.add()
    run(dora(OVMF_PXE, MACHINE, 7), server)
    path = "grub/52:54:00:88:00:11/grub.cfg"

    def ask(peer: str) -> Content | NotFound:
        return server.services.files.open(FileRequest("tftp", path, peer, "10.88.0.1"))

    # The address that was heard in the REQUEST is the machine's; nobody else's word is taken for it.
    assert isinstance(ask("10.88.0.77"), NotFound)
    assert isinstance(ask("10.88.0.50"), Content)
    (session,) = server.store.sessions.sessions(limit=10)
    assert session.bound == "10.88.0.50"


def test_P08_c25_an_address_that_was_not_heard_is_whose_asks_first(server: ProxiedServer) -> None:
    server.deaf_to_requests = True
    server.add()
    run(dora(OVMF_PXE, MACHINE, 7), server)
    path = "grub/52:54:00:88:00:11/grub.cfg"

    def ask(peer: str) -> Content | NotFound:
        return server.services.files.open(FileRequest("tftp", path, peer, "10.88.0.1"))

    # Neither an address of another network nor one that a running boot has can claim it.
    assert isinstance(ask("10.99.0.50"), NotFound)
    assert isinstance(ask("10.88.0.50"), Content)
    assert isinstance(ask("10.88.0.77"), NotFound)
    assert isinstance(ask("10.88.0.50"), Content)


def test_P08_an_installer_with_another_address_takes_its_answers_with_it(server: ProxiedServer) -> None:
    server.foreign.by_client_id = True
    server.add()
    boot = server.boot("x64-uefi")
    assert boot.outcome == "installed", boot.text()
    assert boot.address != boot.installer_address


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_P08_after_the_install_the_proxy_sends_the_machine_to_its_disk(
    server: ProxiedServer, firmware: FirmwareName
) -> None:
    server.add()
    server.boot(firmware)
    second = server.boot(firmware, seed=2)
    assert second.outcome == "local", second.text()


def test_P08_row_31_the_loop_breaker_holds_through_the_proxy(server: ProxiedServer) -> None:
    server.add()
    outcomes = []
    for seed in range(4):
        outcomes.append(simulate(server, MACHINE, "bios", seed=seed, reports=()).outcome)
        server.turn()
    assert outcomes[:2] == ["installed", "installed"]
    assert outcomes[-1] == "local"
    assert server.services.store.installs.get("web1").state == "held"


def test_P08_explain_knows_that_the_addresses_are_anothers(server: ProxiedServer) -> None:
    from provd.app.operations import operations_of
    from provd.model.account import Caller
    from tests.service.test_explain_options import Running

    server.add()
    told: list[Any] = []
    table = operations_of(Running(server), {}, 0.0)  # type: ignore[arg-type]
    call = table.call("explain", {"system": "web1", "arch": "x64-uefi"}, caller=Caller("ann", "read"))
    Deferred.fromCoroutine(call).addBoth(told.append)
    assert told[0]["loader"]["file"] == "proxy/10.88.0.1-80/grubx64-http.efi"
    assert {row["number"] for row in told[0]["options"]} == {43, 60, 66, 67}


def test_P08_a_plain_client_is_not_answered(server: ProxiedServer) -> None:
    bound = run(dora(DEBIAN_INSTALLER, MACHINE, 7), server)
    assert bound.address == "10.88.0.50"
    assert server.ours == []


def test_P08_an_unknown_machine_boots_by_its_own_means(server: ProxiedServer) -> None:
    boot = server.boot(machine=replace(MACHINE, mac=bytes.fromhex("525400000009")))
    assert (boot.outcome, boot.address, boot.boot_file) == ("stopped", "10.88.0.50", "")
    assert server.ours == []


def test_P08_a_signed_grub_would_ask_the_other_server_and_is_served_on_request_only(tmp_path: Path) -> None:
    server = ProxiedServer(tmp_path, '[plugins.grub_efi]\nproxy_build = "signed"\n')
    server.add()
    boot = server.boot("x64-uefi")
    assert (boot.boot_file, boot.outcome) == ("shimx64.efi", "failed")
    server.foreign.next_server = int(IPv4Address(SERVER))
    boot = server.boot("x64-uefi", seed=2)
    assert boot.outcome == "installed", boot.text()


def test_P08_the_grub_of_a_proxy_has_the_address_in_it(server: ProxiedServer) -> None:
    server.add()
    boot = server.boot("x64-uefi")
    assert boot.boot_file == "proxy/10.88.0.1-80/grubx64-http.efi"

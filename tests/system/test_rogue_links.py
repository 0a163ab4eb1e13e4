"""Other DHCP servers on a real link: dnsmasq, and a second provd (row 39)."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provd.lab.foreign_dhcp import ForeignServer
from provd.lab.network import Host, PrivateNetwork
from provd.lab.service import RunningService
from tests.system.world import Client, Site

pytestmark = pytest.mark.netns

SUBNET = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
PROXIED = '[[subnet]]\nnetwork = "10.88.0.0/24"\nmode = "proxy"\n'
ROUTER_MAC, SERVER_MAC = "52:54:00:88:00:fe", "52:54:00:88:00:01"


@pytest.fixture
def server(network: PrivateNetwork) -> Host:
    host = network.host("server")
    host.attach(network.segment(), "eth0", "10.88.0.1/24", mac=SERVER_MAC)
    return host


@pytest.fixture
def foreign(network: PrivateNetwork, server: Host, site: Site, tmp_path: Path) -> ForeignServer:
    host = network.host("router")
    host.attach(network.segments[0], "eth0", "10.88.0.254/24", mac=ROUTER_MAC)
    return ForeignServer(host, site.cache, ("10.88.0.50", "10.88.0.52"), folder=tmp_path / "foreign")


def rogues(service: RunningService, count: int = 1) -> list[str]:
    """What the service complains of, once it has seen so many."""
    until = time.monotonic() + 20
    while True:
        found = [text for text in service.call("check")["problems"] if "another DHCP server" in text]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.1)


def check_rogue(host: Host, config: Path) -> tuple[int, dict[str, Any]]:
    """The command, run on a host; its exit code and what it printed."""
    argv = [sys.executable, "-m", "provd", "--config", str(config), "check", "rogue", "-o", "json"]
    done = host.run(argv, check=False)
    return done.returncode, json.loads(done.stdout)


def test_row_39_another_server_is_found_at_start_and_not_disturbed(
    site: Site, server: Host, foreign: ForeignServer
) -> None:
    service = site.start(server, ("eth0",), SUBNET)
    (problem,) = rogues(service)
    assert f"interface eth0: another DHCP server, 10.88.0.254 ({ROUTER_MAC})" in problem
    assert service.call("status")["rogue"]["rogue"] == 1
    assert problem in service.process.text()
    # It was asked and answered; no address was taken of its pool.
    assert "DHCPDISCOVER(eth0)" in foreign.text
    assert "DHCPREQUEST" not in foreign.text
    assert foreign.leases() == {}


def test_row_39_a_server_whose_pool_is_small_keeps_it(
    site: Site, network: PrivateNetwork, server: Host, foreign: ForeignServer
) -> None:
    site.extra = "[rogue]\nwait_s = 1\n"
    service = site.start(server, ("eth0",), PROXIED)
    for _ in range(4):
        service.call("rogue.check")
    given = {
        Client(network, network.segments[0], site.cache, f"c{number}", f"52:54:00:88:01:0{number}").udhcpc()["address"]
        for number in range(3)
    }
    # Three addresses, three clients: four rounds of questions have cost none of them.
    assert given == {"10.88.0.50", "10.88.0.51", "10.88.0.52"}


def test_row_39_on_demand_with_and_without_a_service(site: Site, server: Host, foreign: ForeignServer) -> None:
    site.extra = "[rogue]\ninterval_s = 0\nwait_s = 2\n"
    service = site.start(server, ("eth0",), SUBNET)
    assert rogues(service, 0) == []
    code, told = check_rogue(server, service.config)
    assert (code, told["interfaces"]) == (1, ["eth0"])
    (row,) = told["servers"]
    assert (row["server"], row["mac"], row["how"], row["verdict"]) == ("10.88.0.254", ROUTER_MAC, "addresses", "rogue")
    assert row["offers"].startswith("10.88.0.5")
    service.stop()
    code, told = check_rogue(server, service.config)
    assert (code, told["servers"][0]["mac"]) == (1, ROUTER_MAC)
    text = service.config.read_text()
    service.config.write_text(text.replace("wait_s = 2\n", f'wait_s = 2\nallow = ["{ROUTER_MAC}"]\n'))
    code, told = check_rogue(server, service.config)
    assert (code, told["servers"][0]["verdict"]) == (0, "allowed")


def test_row_39_the_server_beside_a_proxy_is_expected(site: Site, server: Host, foreign: ForeignServer) -> None:
    site.extra = "[rogue]\nwait_s = 1\n"
    service = site.start(server, ("eth0",), PROXIED)
    (row,) = service.call("rogue.check")["servers"]
    assert (row["server"], row["verdict"]) == ("10.88.0.254", "expected")
    assert rogues(service, 0) == []


def test_row_39_a_clients_choice_of_another_server_is_heard(
    site: Site, network: PrivateNetwork, server: Host, foreign: ForeignServer
) -> None:
    # No look by timer, and nothing that provd itself could offer: only the client's broadcast tells.
    site.extra = "[rogue]\ninterval_s = 0\nwait_s = 1\n"
    service = site.start(server, ("eth0",), SUBNET.replace("pool =", "# pool ="))
    client = Client(network, network.segments[0], site.cache, "client", "52:54:00:88:00:21")
    assert client.udhcpc()["server"] == "10.88.0.254"
    (problem,) = rogues(service)
    assert "10.88.0.254" in problem


@pytest.fixture
def second(network: PrivateNetwork, server: Host, site: Site, tmp_path: Path) -> Iterator[RunningService]:
    """Another provd on the same link."""
    host = network.host("second")
    host.attach(network.segments[0], "eth0", "10.88.0.2/24", mac="52:54:00:88:00:02")
    (tmp_path / "b").mkdir()
    with tempfile.TemporaryDirectory(prefix="provd-") as short:
        other = Site(network, tmp_path / "b", site.cache, Path(short) / "provd.sock")
        yield other.start(host, ("eth0",), SUBNET.replace("10.88.0.1", "10.88.0.2"), name="provd-second")
        assert other.service is not None
        assert other.service.stop() == 0


@pytest.mark.parametrize("subnet", [SUBNET, PROXIED], ids=["dhcp", "proxy"])
def test_row_39_two_provd_servers_find_each_other(
    site: Site, server: Host, second: RunningService, subnet: str
) -> None:
    site.extra = "[rogue]\nwait_s = 1\n"
    first = site.start(server, ("eth0",), subnet)
    seen_by_first = {row["server"]: row for row in first.call("rogue.check")["servers"]}
    seen_by_second = {row["server"]: row for row in second.call("rogue.check")["servers"]}
    assert seen_by_first["10.88.0.2"]["mac"] == "52:54:00:88:00:02"
    assert seen_by_second["10.88.0.1"]["mac"] == SERVER_MAC
    assert seen_by_second["10.88.0.1"]["how"] == ("boot" if subnet == PROXIED else "addresses")
    # A question is no boot.
    assert first.call("boots") == second.call("boots") == []

"""The rules that ``provd check firewall`` prints, in front of a firewall that lets nothing in (row 37)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from provd.lab.errors import LabError
from provd.lab.network import Host, PrivateNetwork
from tests.system.world import Client, Site, sha256

pytestmark = pytest.mark.netns

SUBNET = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\nmode = "combined"\n'
CLOSED = """\
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    counter drop
  }
}
"""


@pytest.fixture
def server(network: PrivateNetwork) -> Host:
    host = network.host("server")
    host.attach(network.segment(), "eth0", "10.88.0.1/24")
    return host


def rules(server: Host, config: Path, *words: str) -> str:
    argv = [sys.executable, "-m", "provd", "--config", str(config), "check", "firewall", *words]
    return server.run(argv).stdout


def nft(host: Host, ruleset: str, *options: str) -> None:
    program = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin")
    assert program is not None
    host.run([program, *options, "-f", "-"], input_text=ruleset)


@pytest.mark.parametrize("words", [(), ("--table", "ip site", "--chain", "in_lab")])
def test_row_37_nft_understands_the_rules(site: Site, server: Host, words: tuple[str, ...]) -> None:
    service = site.start(server, ("eth0",), SUBNET)
    nft(server, rules(server, service.config, *words), "-c")


def test_row_37_machines_reach_provd_through_a_closed_firewall(
    site: Site, network: PrivateNetwork, server: Host
) -> None:
    service = site.start(server, ("eth0",), SUBNET)
    client = Client(network, network.segments[0], site.cache, "client", "52:54:00:88:00:21")
    nft(server, CLOSED)
    with pytest.raises(LabError):
        client.udhcpc("-t", "2", "-T", "1")
    nft(server, rules(server, service.config))
    # A second time makes no harm: rules only stand there twice.
    nft(server, rules(server, service.config))
    assert client.udhcpc()["server"] == "10.88.0.1"
    wanted = sha256((site.data / "payload/loaders/pxelinux.0").read_bytes())
    assert sha256(client.tftp("10.88.0.1", "pxelinux.0")) == wanted
    assert sha256(client.tftp_hpa("10.88.0.1", "pxelinux.0")) == wanted
    assert client.status("http://10.88.0.1/pxelinux.0") == 200
    # Renewals are unicast.
    client.dhclient()
    # What was not opened stays shut.
    with pytest.raises(LabError):
        client.http("http://10.88.0.1:8080/", "--connect-timeout", "1")

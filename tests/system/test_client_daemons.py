"""Clients of operating systems that have no address yet: each is reached, binds, renews by unicast and releases."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from provd.lab.network import PrivateNetwork
from provd.lab.service import RunningService
from tests.system.real_clients import Dhclient, Dhcpcd, Networkd, RunningClient, Udhcpc
from tests.system.world import Client, Site

pytestmark = pytest.mark.netns

# T1 comes quickly, so that clients that renew by their timer alone do it now.
SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"
lease_s = 60
options = {dhcp-renewal-time = 3, dhcp-rebinding-time = 40}
"""
MAC = "52:54:00:88:00:21"


@pytest.fixture
def service(site: Site, network: PrivateNetwork) -> RunningService:
    server = network.host("server")
    server.attach(network.segment(), "eth0", "10.88.0.1/24")
    return site.start(server, ("eth0",), SUBNET)


def lease(service: RunningService) -> dict[str, Any]:
    """The client's lease, empty while there is none."""
    return next((row for row in service.call("lease.list") if row["mac"] == MAC), {})


def wait(what: Callable[[], object], client: RunningClient, limit_s: float = 25.0) -> None:
    """Wait for a real client, which keeps its own time."""
    until = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < until, client.process.text()[-3000:]
        time.sleep(0.05)


@pytest.mark.parametrize("kind", [Udhcpc, Dhclient, Dhcpcd, Networkd])
def test_A04_R08_X04_a_client_binds_renews_and_releases(
    site: Site, network: PrivateNetwork, service: RunningService, kind: type[RunningClient]
) -> None:
    place = Client(network, network.segments[0], site.cache, "client", MAC)
    client = kind(place.host, site.cache, place.work, place.script)
    wait(lambda: lease(service).get("state") == "bound", client)
    bound = lease(service)
    wait(lambda: bound["address"] in client.addresses(), client)
    before = service.call("status")["dhcp"]
    client.renew()
    wait(lambda: lease(service).get("expires_at", 0) > bound["expires_at"], client)
    renewed, after = lease(service), service.call("status")["dhcp"]
    assert renewed["address"] == bound["address"]
    # A renewal is one REQUEST and one ACK: nobody had to begin anew.
    assert after["received"].get("discover") == before["received"].get("discover")
    assert after["sent"]["ack"] > before["sent"]["ack"]
    client.release()
    wait(lambda: lease(service).get("state") != "bound", client)
    assert service.call("status")["dhcp"]["received"]["release"] == 1

"""Hosts that took an address by themselves keep it: real ICMP and ARP between namespaces (rows 53 to 55)."""

from __future__ import annotations

import pytest

from provd.lab.network import PrivateNetwork
from tests.system.world import Client, Site

pytestmark = pytest.mark.netns

SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.10-10.88.0.40"
probe = "{probe}"
"""


@pytest.mark.parametrize(("probe", "given"), [("both", "10.88.0.12"), ("icmp", "10.88.0.11")])
def test_row_53_addresses_that_answer_are_not_given(
    site: Site, network: PrivateNetwork, probe: str, given: str
) -> None:
    server, loud, quiet = (network.host(name) for name in ("server", "loud", "quiet"))
    lan = network.segment()
    server.attach(lan, "eth0", "10.88.0.1/24")
    loud.attach(lan, "eth0", "10.88.0.10/24")
    quiet.attach(lan, "eth0", "10.88.0.11/24", mac="52:54:00:88:00:77")
    quiet.run(["sysctl", "-q", "-w", "net.ipv4.icmp_echo_ignore_all=1"])
    service = site.start(server, ("eth0",), SUBNET.format(probe=probe))
    client = Client(network, lan, site.cache, "client", "52:54:00:88:00:40")
    assert client.udhcpc()["address"] == given
    rows = {row["address"]: row["reason"] for row in service.call("lease.abandoned")}
    assert rows["10.88.0.10"].startswith("10.88.0.10 answered ")
    assert ("10.88.0.11" in rows) is (probe == "both")
    if probe == "both":
        assert rows["10.88.0.11"] == "10.88.0.11 answered ARP from 52:54:00:88:00:77"

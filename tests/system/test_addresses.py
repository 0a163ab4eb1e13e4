"""Each answer leaves from the address that was asked: two interfaces, two addresses on one, and a relay."""

from __future__ import annotations

import pytest

from provd.lab.network import PrivateNetwork, start_relay
from tests.system.world import Client, Site, sha256

pytestmark = pytest.mark.netns

TWO = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"

[[subnet]]
network = "10.89.0.0/24"
pool = "10.89.0.100-10.89.0.150"
"""


def test_two_interfaces_answer_each_with_their_own_address(site: Site, network: PrivateNetwork) -> None:
    server = network.host("server")
    lans = (network.segment(), network.segment())
    for number, lan in enumerate(lans):
        server.attach(lan, f"eth{number}", f"10.{88 + number}.0.1/24")
    site.start(server, ("eth0", "eth1"), TWO)
    wanted = sha256((site.data / "payload/loaders/pxelinux.0").read_bytes())
    for number, lan in enumerate(lans):
        prefix = f"10.{88 + number}.0"
        client = Client(network, lan, site.cache, f"client{number}", f"52:54:00:88:00:3{number}")
        lease = client.udhcpc()
        assert lease["address"].startswith(f"{prefix}.1")
        assert (lease["server"], lease["dns"]) == (f"{prefix}.1", f"{prefix}.1")
        assert sha256(client.tftp(f"{prefix}.1", "pxelinux.0")) == wanted


def test_an_interface_that_is_not_configured_gets_no_answer(site: Site, network: PrivateNetwork) -> None:
    server = network.host("server")
    lans = (network.segment(), network.segment())
    for number, lan in enumerate(lans):
        server.attach(lan, f"eth{number}", f"10.{88 + number}.0.1/24")
    site.start(server, ("eth0",), TWO)
    silent = Client(network, lans[1], site.cache, "client1", "52:54:00:88:00:31")
    busybox = ["-n", "-q", "-f", "-t", "2", "-T", "1"]
    with pytest.raises(Exception, match="no lease, failing"):
        silent.udhcpc(*busybox)


def test_two_addresses_on_one_interface_answer_from_the_one_asked(site: Site, network: PrivateNetwork) -> None:
    server = network.host("server")
    lan = network.segment()
    server.attach(lan, "eth0", "10.88.0.1/24", "10.88.0.2/24")
    site.start(server, ("eth0",), TWO)
    client = Client(network, lan, site.cache, "client", "52:54:00:88:00:40")
    lease = client.udhcpc()
    assert lease["server"] == "10.88.0.1"
    wanted = sha256((site.data / "payload/loaders/pxelinux.0").read_bytes())
    # A TFTP client ignores what comes from an address it did not ask, so the bytes prove the source.
    for address in ("10.88.0.1", "10.88.0.2"):
        assert sha256(client.tftp(address, "pxelinux.0")) == wanted
        assert sha256(client.tftp_hpa(address, "pxelinux.0")) == wanted
        assert client.status(f"http://{address}/pxelinux.0") == 200


def test_row_48_behind_a_relay(site: Site, network: PrivateNetwork) -> None:
    server, router = network.host("server"), network.host("router")
    inside, outside = network.segment(), network.segment()
    server.attach(inside, "eth0", "10.88.0.1/24")
    server.add_route("10.89.0.0/24", "10.88.0.254")
    router.attach(inside, "eth0", "10.88.0.254/24")
    router.attach(outside, "eth1", "10.89.0.1/24")
    service = site.start(
        server, ("eth0",), TWO.replace('network = "10.89', 'routers = ["10.89.0.1"]\nnetwork = "10.89')
    )
    start_relay(router, site.cache, downstream="eth1", upstream="eth0", server="10.88.0.1")
    client = Client(network, outside, site.cache, "client", "52:54:00:88:00:50")
    lease = client.udhcpc()
    assert lease["address"].startswith("10.89.0.1")
    assert (lease["router"], lease["server"], lease["dns"]) == ("10.89.0.1", "10.88.0.1", "10.88.0.1")
    wanted = sha256((site.data / "payload/loaders/pxelinux.0").read_bytes())
    assert sha256(client.tftp("10.88.0.1", "pxelinux.0")) == wanted
    # The renewal of an installed system comes by unicast, without giaddr.
    assert client.dhclient()["address"] == lease["address"]
    assert client.dhclient()["address"] == lease["address"]
    # The relay names its interface as circuit-id; the renewals came without it and the table still knows.
    (row,) = service.call("lease.list", relay="10.89.0.1", circuit_id="eth1")
    assert (row["address"], row["mac"], row["interface"]) == (lease["address"], "52:54:00:88:00:50", "eth0")
    assert service.call("lease.release", address=row["address"]) == {"released": row["address"]}
    assert service.call("lease.show", address=row["address"])["state"] == "released"

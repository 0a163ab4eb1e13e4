"""Real clients against `provd run`: busybox udhcpc, ISC dhclient, curl, tftp-hpa."""

from __future__ import annotations

import pytest

from provd.lab.errors import LabError
from provd.lab.network import PrivateNetwork
from provd.lab.service import RunningService
from tests.system.world import Client, Site, sha256

pytestmark = pytest.mark.netns

SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"
routers = ["10.88.0.1"]
"""
SERVER = "10.88.0.1"
MAC = "52:54:00:88:00:21"


@pytest.fixture
def service(site: Site, network: PrivateNetwork) -> RunningService:
    server = network.host("server")
    server.attach(network.segment(), "eth0", f"{SERVER}/24")
    return site.start(server, ("eth0",), SUBNET)


@pytest.fixture
def client(network: PrivateNetwork, site: Site, service: RunningService) -> Client:
    # The first segment of this network is the bridge the server is on.
    return Client(network, network.segments[0], site.cache, "client", MAC)


def test_udhcpc_gets_an_address_and_no_boot_file(client: Client) -> None:
    lease = client.udhcpc()
    assert lease["address"].startswith("10.88.0.1")
    assert (lease["server"], lease["router"], lease["bootfile"]) == (SERVER, SERVER, "")
    # Without option 6 the Debian installer stops and asks.
    assert lease["dns"] == SERVER


def test_one_card_with_several_identities_keeps_its_address(client: Client) -> None:
    first = client.udhcpc()["address"]
    without = client.udhcpc("-C")["address"]
    dhclient = client.dhclient()["address"]
    assert (without, dhclient) == (first, first)


def test_dhclient_renews_by_unicast_and_releases(client: Client, service: RunningService) -> None:
    address = client.dhclient()["address"]
    assert client.dhclient()["address"] == address
    client.dhclient("-r")
    states = {row["address"]: row["state"] for row in service.call("lease.list")}
    assert states.get(address) != "bound"


def test_tftp_clients_get_the_same_bytes(client: Client, site: Site) -> None:
    client.udhcpc()
    wanted = sha256((site.data / "payload/loaders/pxelinux.0").read_bytes())
    for blksize in (512, 1024, 1432):
        assert sha256(client.tftp(SERVER, "pxelinux.0", blksize=blksize)) == wanted
    assert sha256(client.tftp_hpa(SERVER, "pxelinux.0")) == wanted


@pytest.mark.parametrize("path", ["../provd.toml", "loaders/../../provd.db", "/etc/passwd", "../data-other/x"])
def test_tftp_serves_nothing_outside(client: Client, path: str) -> None:
    client.udhcpc()
    # curl: 68 is ERROR 1 (file not found), 69 is ERROR 2 (access violation).
    with pytest.raises(LabError, match=r"ended with code (68|69)"):
        client.tftp(SERVER, path)


@pytest.mark.parametrize(
    "path", ["../provd.toml", "..%2fprovd.toml", "%2e%2e/provd.toml", "static/../../provd.db", "//etc/passwd"]
)
def test_http_serves_nothing_outside(client: Client, path: str) -> None:
    client.udhcpc()
    assert client.status(f"http://{SERVER}/{path}") in {400, 403, 404}


def test_http_answers_head_with_the_true_length(client: Client, site: Site) -> None:
    # OVMF sends HEAD before GET on one connection.
    client.udhcpc()
    size = (site.data / "payload/loaders/pxelinux.0").stat().st_size
    head = client.http(f"http://{SERVER}/pxelinux.0", "-I")
    assert f"content-length: {size}" in head.lower()


def test_an_unknown_machine_is_given_no_installer(client: Client, service: RunningService) -> None:
    client.udhcpc()
    assert service.call("system.list") == []
    assert client.status(f"http://{SERVER}/answer/no-such-token/answer") in {403, 404}

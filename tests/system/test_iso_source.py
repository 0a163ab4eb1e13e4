"""Files out of an ISO image over HTTP and TFTP, by real clients."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provd.lab.network import PrivateNetwork
from tests.fakes.iso_image import make_iso
from tests.system.world import Site, sha256

pytestmark = pytest.mark.netns

SERVER = "10.88.0.1"
SUBNET = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'


def test_row_26_and_C20_an_image_is_served_by_range_and_nothing_beside_it(
    site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    octets = hashlib.shake_256(b"iso").digest(5_000_000)
    image = site.directory / "medium.iso"
    make_iso(image, {"images/pxeboot/vmlinuz": octets, "a/b": b"b"}, links={"s": "a"})
    lan, server, client = network.segment(), network.host("server"), network.host("client")
    server.attach(lan, "eth0", f"{SERVER}/24")
    client.attach(lan, "eth0", "10.88.0.20/24")
    named = f'[plugins.source_iso.images]\nmedium = "{image}"\n'
    site.start(server, ("eth0",), SUBNET + named, more=("source_iso",))
    target, base = tmp_path / "got", f"http://{SERVER}/iso/medium"
    client.run(["curl", "-sS", "--fail", "-o", str(target), f"{base}/images/pxeboot/vmlinuz"])
    assert sha256(target.read_bytes()) == sha256(octets)
    client.run(["curl", "-sS", "--fail", "-r", "1000000-3999999", "-o", str(target), f"{base}/images/pxeboot/vmlinuz"])
    assert target.read_bytes() == octets[1_000_000:4_000_000]
    tftp = ["curl", "-sS", "--tftp-blksize", "1468", "-o", str(target)]
    client.run([*tftp, f"tftp://{SERVER}/iso/medium/images/pxeboot/vmlinuz"])
    assert sha256(target.read_bytes()) == sha256(octets)
    assert client.run(["curl", "-sS", f"{base}/s/b"]).stdout == "b"
    for path in ("../provd.toml", "%2e%2e/x", "no", "s/../../x", "../medium.iso"):
        status = ["curl", "-sS", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", f"{base}/{path}"]
        assert client.run(status).stdout in {"400", "403", "404"}, path

"""TFTP on a bad way, and TFTP clients that never say a word again."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import pytest

from provd.lab.network import Host, PrivateNetwork
from provd.lab.service import RunningService
from tests.system.world import Site

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240)]

SERVER = "10.88.0.1"
SIZE = 10_000_000
SMALL = 1_000_000
SUBNET = """\
[tftp]
transfers_max = 11000
transfers_per_client = 11000

[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"
"""
SILENT = """\
import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (12000, 12000))
sockets = []
for number in range(int(sys.argv[1])):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.sendto(b"\\0\\1content/file\\0octet\\0blksize\\x001468\\0", ("10.88.0.1", 69))
    sockets.append(one)
    if number % 100 == 99:
        time.sleep(0.05)
print("all sent", flush=True)
time.sleep(60)
"""


@pytest.fixture
def content(site: Site) -> bytes:
    folder = site.directory / "content"
    folder.mkdir()
    octets = hashlib.shake_256(b"lossy").digest(SIZE)
    (folder / "file").write_bytes(octets)
    (folder / "small").write_bytes(octets[:SMALL])
    return octets


@pytest.fixture
def hosts(site: Site, network: PrivateNetwork, content: bytes) -> tuple[RunningService, Host]:
    assert content
    lan, server, client = network.segment(), network.host("server"), network.host("client")
    server.attach(lan, "eth0", f"{SERVER}/24")
    client.attach(lan, "eth0", "10.88.0.20/24")
    path = site.directory / "content"
    served = f'[[plugins.static_files.directories]]\nprefix = "content"\npath = "{path}"\n'
    return site.start(server, ("eth0",), SUBNET + served), client


@pytest.mark.parametrize(("window", "name", "size"), [(1, "small", SMALL), (2, "file", SIZE)])
def test_T04_T19_fifty_transfers_survive_loss_copies_and_disorder(
    hosts: tuple[RunningService, Host], content: bytes, window: int, name: str, size: int
) -> None:
    _, client = hosts
    script = str(Path(__file__).with_name("lossy_tftp.py"))
    words = (SERVER, f"content/{name}", 50, window, 5, 7)
    figures = json.loads(client.run([sys.executable, script, *map(str, words)], 200).stdout)
    assert figures["hashes"] == [hashlib.sha256(content[:size]).hexdigest()] * 50
    least = (size // 1468 + 1) * 50
    # RFC 1123 section 4.2.3.1: nothing is doubled. What was lost must come again, and with a window what followed it.
    assert figures["arrived"] <= 1.15 * least + figures["lost"], figures["arrived"] / least


def test_T05_T24_ten_thousand_silent_clients_are_gone_soon_and_cost_little(
    hosts: tuple[RunningService, Host], content: bytes, tmp_path: Path
) -> None:
    service, client = hosts
    fetch = ["curl", "-sS", "--tftp-blksize", "1468", "-o", str(tmp_path / "got"), f"tftp://{SERVER}/content/file"]
    client.run(fetch, 30)
    before = service.memory_kib()
    script = tmp_path / "silent.py"
    script.write_text(SILENT)
    silent = client.start("silent", [sys.executable, str(script), "10000"])
    silent.wait_for_text("all sent", 30)
    began = time.monotonic()
    assert service.call("status")["tftp"]["running"] > 5_000
    client.run(fetch, 30)
    assert (tmp_path / "got").read_bytes() == content
    most = service.memory_kib()
    while service.call("status")["tftp"]["running"]:
        most = max(most, service.memory_kib())
        assert time.monotonic() - began < 30
        time.sleep(0.5)
    assert most - before < 60 * 1024

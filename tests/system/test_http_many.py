"""HTTP under load by real connections: 200 readers of one image at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from provd.lab.network import PrivateNetwork
from tests.system.world import Site

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

SERVER = "10.88.0.1"
SIZE = 700 << 20
SUBNET = (
    '[http]\nconnections_per_client = 300\n\n[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
)
READERS = """\
import json, pathlib, select, socket, sys, time
sockets = []
for number in range(200):
    one = socket.create_connection(("10.88.0.1", 80))
    first = number * 1_000_000
    one.sendall(b"GET /content/image HTTP/1.1\\r\\nHost: x\\r\\nRange: bytes=%d-\\r\\n\\r\\n" % first)
    one.setblocking(False)
    sockets.append(one)
print("all asked", flush=True)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.05)
poll = select.epoll()
by = {one.fileno(): one for one in sockets}
for one in sockets:
    poll.register(one, select.EPOLLIN)
octets = dict.fromkeys(by, 0)
end = time.monotonic() + 6
while time.monotonic() < end:
    for descriptor, _ in poll.poll(0.1):
        octets[descriptor] += len(by[descriptor].recv(1 << 18))
print(json.dumps([min(octets.values()), sum(octets.values())]), flush=True)
"""


def test_H12_memory_stays_flat_with_200_readers_of_700_megabytes(
    site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    folder = site.directory / "content"
    folder.mkdir()
    with (folder / "image").open("wb") as image:
        image.truncate(SIZE)
    lan, server, client = network.segment(), network.host("server"), network.host("client")
    server.attach(lan, "eth0", f"{SERVER}/24")
    client.attach(lan, "eth0", "10.88.0.20/24")
    served = f'[[plugins.static_files.directories]]\nprefix = "content"\npath = "{folder}"\n'
    service = site.start(server, ("eth0",), SUBNET + served)
    client.run(["curl", "-sS", "--fail", "-r", "0-100000", "-o", "/dev/null", f"http://{SERVER}/content/image"])
    before = service.memory_kib()
    script = tmp_path / "readers.py"
    script.write_text(READERS)
    readers = client.start("readers", [sys.executable, str(script), str(tmp_path / "go")])
    readers.wait_for_text("all asked", 20)
    asked = service.memory_kib()
    (tmp_path / "go").touch()
    readers.wait_for_text("]", 30)
    least, total = json.loads(readers.text().splitlines()[-1])
    assert total > 100 << 20
    assert least > 0, "every reader is served"
    assert max(asked, service.memory_kib()) - before < 20 * 1024

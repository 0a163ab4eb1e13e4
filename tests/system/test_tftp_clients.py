"""Every TFTP client at hand, by sizes and options, against `provd run`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from provd.lab.network import Host, PrivateNetwork
from provd.lab.unpacked import fetch
from tests.system.world import Site, sha256

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240)]

SERVER = "10.88.0.1"
SUBNET = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
SIZES = (0, 512, 1000, 34 << 20)

Fetch = Callable[[Path, str, Path], list[str]]


def curl(*options: str) -> Fetch:
    return lambda _cache, path, target: ["curl", "-sS", *options, "-o", str(target), f"tftp://{SERVER}/{path}"]


def hpa(*options: str) -> Fetch:
    def argv(cache: Path, path: str, target: Path) -> list[str]:
        return fetch("tftp-hpa", cache).argv("tftp", "-4", *options, SERVER, "-c", "get", path, str(target))

    return argv


def atftp(*options: str) -> Fetch:
    words = [word for option in options for word in ("--option", option)]

    def argv(cache: Path, path: str, target: Path) -> list[str]:
        return fetch("atftp", cache).argv("atftp", *words, "-g", "-r", path, "-l", str(target), SERVER)

    return argv


def busybox(*options: str) -> Fetch:
    def argv(cache: Path, path: str, target: Path) -> list[str]:
        return fetch("busybox-static", cache).argv(
            "busybox", "tftp", "-g", *options, "-r", path, "-l", str(target), SERVER
        )

    return argv


CLIENTS: dict[str, Fetch] = {
    "curl 512": curl(),
    "curl 1468": curl("--tftp-blksize", "1468"),
    "curl without options": curl("--tftp-no-options"),
    "tftp-hpa binary": hpa("-m", "binary"),
    "atftp 512": atftp(),
    "atftp 1468": atftp("blksize 1468", "tsize 0"),
    "atftp window 16": atftp("blksize 1468", "windowsize 16"),
    "atftp window 64": atftp("blksize 1024", "windowsize 64"),
    "busybox 512": busybox(),
    "busybox 1468": busybox("-b", "1468"),
}


@pytest.fixture
def host(site: Site, network: PrivateNetwork) -> Host:
    content = site.directory / "content"
    content.mkdir()
    for size in SIZES:
        (content / f"{size}.bin").write_bytes(hashlib.shake_256(b"%d" % size).digest(size))
    (content / "text").write_bytes(b"one\ntwo\rthree\r\nfour\n" * 700)
    lan, server, client = network.segment(), network.host("server"), network.host("client")
    server.attach(lan, "eth0", f"{SERVER}/24")
    client.attach(lan, "eth0", "10.88.0.20/24")
    served = f'[[plugins.static_files.directories]]\nprefix = "content"\npath = "{content}"\n'
    site.start(server, ("eth0",), SUBNET + served)
    return client


def test_T06_T07_every_client_gets_every_size_with_every_option(host: Host, site: Site, tmp_path: Path) -> None:
    wrong = []
    for name, fetching in CLIENTS.items():
        for size in SIZES:
            target = tmp_path / f"{name}-{size}"
            host.run(fetching(site.cache, f"content/{size}.bin", target), 60)
            got = target.read_bytes() if target.exists() else b""
            if sha256(got) != sha256((site.directory / f"content/{size}.bin").read_bytes()):
                wrong.append(f"{name}: {len(got)} of {size} octets")
            target.unlink(missing_ok=True)
    assert wrong == []


def test_T12_netascii_clients_get_their_own_line_ends(host: Host, site: Site, tmp_path: Path) -> None:
    target = tmp_path / "text"
    host.run(hpa("-m", "ascii")(site.cache, "content/text", target), 30)
    # The client writes lines as its own system does: CR LF on the way is LF here, CR NUL is CR.
    assert target.read_bytes() == (site.directory / "content/text").read_bytes()

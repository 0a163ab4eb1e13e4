"""Trees over FTP, by real clients: curl, wget, lftp and busybox."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provd.lab.network import PrivateNetwork
from provd.lab.unpacked import fetch
from tests.fakes.iso_image import make_iso
from tests.system.world import Site, sha256

pytestmark = pytest.mark.netns

SERVER = "10.88.0.1"
GIB = 1 << 30
MARKS = {0: b"begin", 4 * GIB - 3: b"around", 5 * GIB - 3: b"end"}
"""What a file of 5 GiB has beside zeros."""
SUBNET = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
LFTP = "set net:timeout 10; set net:max-retries 1; set cmd:fail-exit yes"
#: curl's codes: 9 access denied, 19 RETR refused, 25 upload refused, 78 no such file, 67 login denied.
REFUSED = {9, 19, 25, 78}


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(5 * GIB)
        for at, octets in MARKS.items():
            file.seek(at)
            file.write(octets)


def test_row_28_transfers_go_on_where_they_broke_off_with_every_client(
    site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    octets = hashlib.shake_256(b"ftp").digest(3_000_001)
    tree, served = tmp_path / "got", site.directory / "rocky"
    tree.mkdir()
    served.mkdir()
    (served / "a.rpm").write_bytes(octets)
    _large(served / "dvd.iso")
    lan, server, client = network.segment(), network.host("server"), network.host("client")
    server.attach(lan, "eth0", f"{SERVER}/24")
    client.attach(lan, "eth0", "10.88.0.20/24")
    settings = f'[plugins.source_http.trees]\nrocky = "{served}"\n'
    service = site.start(server, ("eth0",), SUBNET + settings, more=("source_ftp",))
    base, target = f"ftp://{SERVER}/tree/rocky", tree / "a.rpm"
    wget, lftp = (fetch(name, site.cache) for name in ("wget", "lftp"))
    ways = {
        "wget": wget.argv("wget", "-q", "-T", "20", "-t", "1", "-O", str(target), f"{base}/a.rpm"),
        "wget -c": wget.argv("wget", "-q", "-T", "20", "-t", "1", "-c", "-P", str(tree), f"{base}/a.rpm"),
        "lftp": lftp.argv("lftp", "-c", f"{LFTP}; get {base}/a.rpm -o {target}"),
        "lftp -c": lftp.argv("lftp", "-c", f"{LFTP}; get -c {base}/a.rpm -o {target}"),
        "lftp pget": lftp.argv("lftp", "-c", f"{LFTP}; pget -n 4 {base}/a.rpm -o {target}"),
        "curl -C": ["curl", "-sS", "--max-time", "20", "-C", "-", "-o", str(target), f"{base}/a.rpm"],
        "curl -r": ["curl", "-sS", "--max-time", "20", "-r", "0-3000000", "-o", str(target), f"{base}/a.rpm"],
    }
    for name, argv in ways.items():
        target.unlink(missing_ok=True)
        if name.endswith(("-c", "-C")):
            target.write_bytes(octets[:1_234_567])
        client.run(argv, 30)
        assert sha256(target.read_bytes()) == sha256(octets), name
    before = service.memory_kib()
    for start, count in ((4 * GIB - 5, 10), (5 * GIB - 7, 7)):
        asked = f"{start}-{start + count - 1}"
        client.run(["curl", "-sS", "--max-time", "20", "-r", asked, "-o", str(target), f"{base}/dvd.iso"])
        wanted = bytearray(count)
        for at, mark in MARKS.items():
            if start <= at < start + count:
                wanted[at - start : at - start + len(mark)] = mark
        assert target.read_bytes() == wanted, asked
    client.run(
        ["curl", "-sS", "--max-time", "60", "-r", f"{5 * GIB - (GIB >> 2)}-", "-o", "/dev/null", f"{base}/dvd.iso"], 90
    )
    assert service.memory_kib() - before < 20 * 1024


def test_row_28_and_C20_the_same_trees_over_ftp_and_nothing_else(
    site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    octets = hashlib.shake_256(b"ftp").digest(7_000_001)
    image, tree = site.directory / "medium.iso", site.directory / "rocky"
    make_iso(image, {"images/pxeboot/vmlinuz": octets})
    (tree / "BaseOS").mkdir(parents=True)
    (tree / "BaseOS/a.rpm").write_bytes(octets[:100_000])
    (tree / "way-out").symlink_to("/etc")
    lan, server, client = network.segment(), network.host("server"), network.host("client")
    server.attach(lan, "eth0", f"{SERVER}/24")
    client.attach(lan, "eth0", "10.88.0.20/24")
    settings = f"""\
[plugins.source_iso.images]
medium = "{image}"
[plugins.source_http.trees]
rocky = "{tree}"
[plugins.source_ftp]
passive = [40000, 40009]
"""
    site.start(server, ("eth0",), SUBNET + settings, more=("source_iso", "source_ftp"))
    target, base = tmp_path / "got", f"ftp://{SERVER}"

    def curl(*words: str) -> int:
        target.unlink(missing_ok=True)
        return client.run(["curl", "-sS", "--max-time", "20", "-o", str(target), *words], check=False).returncode

    assert curl(f"{base}/iso/medium/images/pxeboot/vmlinuz") == 0
    assert sha256(target.read_bytes()) == sha256(octets)
    assert curl("--disable-epsv", f"{base}/tree/rocky/BaseOS/a.rpm") == 0
    assert target.read_bytes() == octets[:100_000]
    busybox = fetch("busybox-static", site.cache).program("busybox")
    client.run([str(busybox), "ftpget", SERVER, str(target), "/iso/medium/images/pxeboot/vmlinuz"], 20)
    assert sha256(target.read_bytes()) == sha256(octets)
    for path in ("tree/rocky/way-out/passwd", "tree/rocky/%2e%2e/provd.toml", "answer/x", "etc/passwd", "iso/no/x"):
        assert curl("--path-as-is", f"{base}/{path}") in REFUSED, path
    assert curl("-T", str(image), f"{base}/tree/rocky/new") in REFUSED
    assert curl("-P", "-", f"{base}/tree/rocky/BaseOS/a.rpm") != 0, "active mode"
    assert curl("-u", "root:x", f"{base}/tree/rocky/BaseOS/a.rpm") == 67
    assert not (tree / "new").exists()

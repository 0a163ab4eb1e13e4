"""Trees over NFS: nfs-ganesha as `provd daemon run nfs` starts it, read over the wire and by a whole machine."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import Host, PrivateNetwork
from provd.lab.process import Process
from provd.lab.quickboot import build_quickboot, parse_report
from provd.lab.unpacked import fetch
from tests.system.world import Site, sha256

pytestmark = pytest.mark.netns

SERVER = "10.88.0.1"
OCTETS = hashlib.shake_256(b"nfs").digest(3_000_001)
READ = """\
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from plugins.source_nfs.nfs4 import read
from plugins.source_nfs.rpc import RpcClient
digest, offset, last = hashlib.sha256(), 0, False
with RpcClient(sys.argv[2], 2049) as client:
    while not last:
        octets, last = read(client, sys.argv[3], offset, 65536)
        digest.update(octets)
        offset += len(octets)
print(digest.hexdigest())
"""
PROBE = """\
import sys
sys.path.insert(0, sys.argv[1])
from plugins.source_nfs.probe import probe
print(probe(*sys.argv[2:]))
"""
ROOT = Path(__file__).parents[2]
PLUGINS = Path(__file__).parent / "plugins"
START_S = 20.0


class Exported:
    """A server with a tree, ganesha beside it, and a client."""

    def __init__(self, site: Site, network: PrivateNetwork, more: str = "") -> None:
        self.tree = site.directory / "rocky"
        (self.tree / "BaseOS").mkdir(parents=True)
        (self.tree / "BaseOS/a.rpm").write_bytes(OCTETS)
        (self.tree / "way-out").symlink_to("/etc")
        site.directory.chmod(0o755)
        self.lan, self.server, self.client = network.segment(), network.host("server"), network.host("client")
        self.server.attach(self.lan, "eth0", f"{SERVER}/24")
        self.client.attach(self.lan, "eth0", "10.88.0.20/24")
        self.config = site.directory / "nfs.toml"
        self.table = (
            f'[plugins.source_nfs]\nprogram = "{_program(site)}"\nplugins_dir = "{_libraries(site)}/ganesha"\n'
            f'state_dir = "{site.directory}/state"\n{more}'
            f'[plugins.source_nfs.exports]\nrocky-9 = "{self.tree}"\n'
        )
        self.config.write_text(
            f'data_dir = "data"\nsite_dir = "site"\nsocket = "{site.socket}"\nuser = ""\n'
            'enabled = ["pxelinux", "source_nfs", "installer_kickstart"]\n'
            '[[interface]]\nname = "eth0"\n[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
            + self.table
        )
        for path, text in {
            "distros/el9.toml": 'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\ntree = "nfs:rocky-9"\n',
            "profiles/web.toml": 'distro = "el9"\n[answers]\nroot_password_hash = "$6$x"\n',
        }.items():
            (site.directory / "site" / path).parent.mkdir(parents=True, exist_ok=True)
            (site.directory / "site" / path).write_text(text)
        self.folder = site.directory / "nfs"

    def check(self, host: Host | None = None) -> str:
        """What `provd check` says of the source."""
        command = [sys.executable, "-m", "provd", "check", "--config", str(self.config), "-o", "json"]
        return (host or self.server).run(command, check=False).stdout

    def start(self) -> Process:
        """ganesha, once it answers."""
        words = ("daemon", "run", "nfs", "--config", str(self.config), "--folder", str(self.folder))
        process = self.server.start("ganesha", [sys.executable, "-m", "provd", *words])
        end = time.monotonic() + START_S
        while "nfs:rocky-9" in self.check():
            assert time.monotonic() < end, process.log.read_text()
            time.sleep(0.3)
        return process

    def probe(self, host: str, path: str, options: str) -> str:
        """The probe's sentence, asked on the client."""
        words = (str(ROOT), host, path, options)
        return self.client.run([sys.executable, "-c", PROBE, *words]).stdout.strip()

    def read(self, path: str) -> tuple[int, str]:
        """SHA-256 of a file as the client reads it, or the sentence that refuses it."""
        done = self.client.run([sys.executable, "-c", READ, str(ROOT), SERVER, path], check=False)
        return done.returncode, (done.stdout or done.stderr).strip().rpartition("\n")[2]


def _program(site: Site) -> Path:
    """ganesha with the libraries beside it."""
    unpacked = fetch("nfs-ganesha", site.cache)
    wrapper = site.directory / "ganesha.nfsd"
    words = " ".join(unpacked.argv("ganesha.nfsd"))
    wrapper.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def _libraries(site: Site) -> Path:
    return fetch("nfs-ganesha", site.cache).root / "usr/lib/x86_64-linux-gnu"


def test_row_27_a_tree_over_nfs_and_nothing_else(site: Site, network: PrivateNetwork) -> None:
    world = Exported(site, network, 'clients = ["10.88.0.0/24", "127.0.0.0/8"]\n')
    assert "provd daemon run nfs starts the server" in world.check()
    process = world.start()
    assert world.read("/rocky-9/BaseOS/a.rpm") == (0, sha256(OCTETS))
    for path, sentence in {
        "/rocky-9/no": "no such directory",
        "/rocky-9/../provd.toml": "NFS status 10041",
        "/rocky-9/way-out/passwd": "NFS status 10029",
        "/etc/passwd": "no such directory",
    }.items():
        assert sentence in world.read(path)[1], path
    process.stop()
    assert "Connection refused" in world.read("/rocky-9/BaseOS/a.rpm")[1]


def test_row_27_machines_of_other_networks_are_refused(site: Site, network: PrivateNetwork) -> None:
    world = Exported(site, network, 'clients = ["10.88.0.99/32", "127.0.0.0/8"]\n')
    process = world.start()
    code, told = world.read("/rocky-9/BaseOS/a.rpm")
    assert code != 0
    assert "RpcError" in told
    process.stop()


@pytest.mark.qemu
@pytest.mark.timeout(300)
def test_row_27_a_machine_mounts_the_tree_and_reads_a_file(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    world = Exported(site, network)
    daemon = world.start()
    boot = build_quickboot(site.cache, nfs=True)
    site.write("distros/quick.toml", 'installer = "quickboot"\ntree = "nfs:rocky-9/BaseOS"\n')
    site.write("profiles/quick.toml", 'distro = "quick"\n[answers]\nnfs_file = "a.rpm"\n')
    site.write("systems/web1.toml", 'profile = "quick"\n[[interface]]\nmac = "52:54:00:88:00:71"\n')
    settings = f'[plugins.installer_quickboot]\nkernel = "{boot.kernel}"\ninitrd = "{boot.initrd}"\n{world.table}'
    subnet = '[[subnet]]\nnetwork = "10.88.0.0/24"\npool = "10.88.0.100-10.88.0.150"\n'
    more = ("installer_quickboot", "source_nfs", "installer_kickstart")
    service = site.start(world.server, ("eth0",), subnet + settings, plugins=PLUGINS, more=more)
    spec = MachineSpec("web1", "52:54:00:88:00:71", Firmware.BIOS, disk="none", time_limit_s=200)
    with Machine(spec, world.lan.tap(), tmp_path / "machine") as machine:
        machine.wait_off(210)
        console = machine.console.text()
    report = parse_report(console)
    assert report.end == "complete", console
    assert f"quickboot: read {len(OCTETS)} bytes sha256 {sha256(OCTETS)}" in console
    assert "install.finished" in [row["kind"] for row in service.events("web1")]
    daemon.stop()


def test_row_27_version_3_with_rpcbind(site: Site, network: PrivateNetwork) -> None:
    world = Exported(site, network, "versions = [3, 4]\n")
    rpcbind = world.server.start("rpcbind", _own_run(site, fetch("rpcbind", site.cache).argv("rpcbind", "-f", "-i")))
    world.start()
    assert world.probe("10.88.0.1", "/rocky-9", "nfsvers=3") == ""
    assert "access denied" in world.probe("10.88.0.1", "/suse", "nfsvers=3")
    assert world.probe("10.88.0.1", "/rocky-9", "nfsvers=4") == ""
    rpcbind.stop()
    assert "port 111/tcp: Connection refused" in world.probe("10.88.0.1", "/rocky-9", "nfsvers=3")


def _own_run(site: Site, argv: Sequence[str]) -> list[str]:
    """A program with a /run and a user list of its own: rpcbind keeps its lock there, as a user that need not exist."""
    users = site.directory / "passwd"
    users.write_text("root:x:0:0::/:/bin/sh\n_rpc:x:0:0::/:/bin/sh\n")
    script = 'mount -t tmpfs none /run && mount --bind "$0" /etc/passwd && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(users), *argv]

"""A working set-up with faults planted in it: the real service, real sockets, real neighbours, simulated machines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from provd.image.progress import silent
from provd.lab.errors import LabError
from provd.lab.network import Host, PrivateNetwork, start_relay
from provd.lab.payloads import lab_cache, prepare_loaders
from provd.lab.process import Process
from provd.lab.service import RunningService
from provd.lab.unpacked import fetch
from tests.faults.planted_files import EXTRA, FILES, PLUGIN_FILES, PLUGINS, SUBNETS
from tests.system.world import Site

ROOT: Final = Path(__file__).parents[2]
_FIRST, _LAST = 20, 249
_LINES: Final = "10.88.0.1"
_DROP: Final = """\
table ip planted {
  chain input {
    type filter hook input priority filter;
    ip saddr 10.88.0.21 udp dport 69 drop
    ip saddr 10.88.0.22 tcp dport 80 drop
    ip saddr 10.88.0.23 tcp dport 80 reject with tcp reset
    ip saddr 10.88.0.24 udp dport != { 67, 69 } drop
    ether saddr 52:54:00:88:01:19 udp dport 67 drop
  }
}
"""


class Park:
    """Simulated machines on one host of the private network."""

    def __init__(self, host: Host) -> None:
        argv = host.argv([sys.executable, "-m", "tests.faults.machine_park"])
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def boot(self, orders: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Boot machines together; what became of each."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(list(orders)), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the simulated machines ended"
        return list(json.loads(line))

    def close(self) -> None:
        """They are switched off."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


class PlantedSite:
    """One service for all faults that do not disturb each other.

    Args:
        network: private.
        folder: empty, for its files.
        socket: path of the local socket.
    """

    def __init__(self, network: PrivateNetwork, folder: Path, socket: Path) -> None:
        self.cache = lab_cache()
        prepare_loaders(self.cache, silent)
        self.folder, self._clock = folder, folder / "clock"
        self._clock.write_text("0")
        self.lan, far, self.deaf_lan = network.segment(), network.segment(), network.segment()
        self.server, client = network.host("server"), network.host("client")
        self.server.attach(self.lan, "eth0", "10.88.0.1/24")
        self.server.attach(network.segment(), "eth1", "10.87.0.1/24")
        client.attach(self.lan, "eth0")
        _hold_addresses(client, "10.88.0")
        self.router = network.host("router")
        self.router.attach(self.lan, "eth0", "10.88.0.250/24")
        self.router.attach(far, "eth1", "10.99.0.1/24")
        lost = network.host("lost")
        lost.attach(self.lan, "eth0", "10.88.0.251/24")
        lost.attach(self.deaf_lan, "eth1", "10.98.0.1/24")
        # Not by the router: answers to its relay get lost.
        self.server.add_route("10.98.0.0/24", "10.88.0.252")
        self.tiny = network.host("tiny")
        self.tiny.attach(network.segments[3], "eth0")
        _hold_addresses(self.tiny, "10.87.0")
        far_client, deaf_client = network.host("far"), network.host("deaf")
        far_client.attach(far, "eth0")
        deaf_client.attach(self.deaf_lan, "eth0")
        _nft(self.server, _DROP)
        for router in (self.router, lost):
            start_relay(router, self.cache, downstream="eth1", upstream="eth0", server=_LINES)
        foreign = network.host("foreign")
        foreign.attach(self.lan, "eth0", "10.88.0.253/24")
        self.foreign = _choosy(foreign, self.cache, folder / "foreign")
        self.site = Site(network, folder, self.cache, socket, extra=EXTRA)
        self.mirror = self._mirror(network)
        self._write()
        self.service = self._start()
        self.parks = {name: Park(host) for name, host in
                      (("lan", client), ("far", far_client), ("deaf", deaf_client), ("tiny", self.tiny))}  # fmt: skip

    def _mirror(self, network: PrivateNetwork) -> Host:
        """Mirrors: one stopped (nobody listens on its port), one that says 500, one that hangs."""
        host = network.host("mirror")
        host.attach(self.lan, "eth0", "10.88.0.252/24")
        process = host.start("mirror", [sys.executable, str(ROOT / "tests/faults/bad_mirror.py")])
        process.wait_for_text("ready", 10)
        stopped = host.start("stopped-mirror", [sys.executable, "-m", "http.server", "8000"])
        stopped.stop()
        return host

    def _write(self) -> None:
        for name, text in FILES.items():
            self.site.write(name, text)
        for name, content in PLUGIN_FILES.items():
            path = self.folder / "plugins" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)

    def _start(self) -> RunningService:
        python = self.folder / "python"
        module = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.faults.shifted_clock "{self._clock}"'
        python.write_text(f'#!/bin/sh\n{module} "$@"\n')
        python.chmod(0o755)
        service = self.site.start(
            self.server, ("eth0", "eth1"), SUBNETS, plugins=self.folder / "plugins", more=PLUGINS, python=python
        )
        payload = self.folder / "data" / "payload" / "tiny"
        payload.mkdir()
        (payload / "linux").write_bytes(b"kernel" * 20_000)
        (payload / "initrd.gz").write_bytes(b"initrd" * 40_000)
        return service

    def pass_time(self, seconds: float) -> None:
        """So many seconds later for the service, on the clock that timelines are written by."""
        now = float(self._clock.read_text())
        # Written beside and renamed: the service reads it all the time.
        new = self._clock.with_suffix(".new")
        new.write_text(str(now + seconds))
        new.rename(self._clock)

    def told(self, name: str) -> dict[str, Any]:
        """What `provd trace NAME -o json` prints, without the second that the command takes to start."""
        return dict(self.service.call("trace", system=name))

    def kinds(self, name: str) -> list[str]:
        """Kinds of the events of its newest boot."""
        return [str(event["kind"]) for event in self.told(name)["events"]]

    def command(self, *words: str) -> str:
        """Output of `provd WORDS`."""
        argv = [sys.executable, "-m", "provd", "--socket", str(self.site.socket), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout if done.returncode == 0 else done.stderr

    def close(self) -> None:
        """Everything ends; the service must end well."""
        for park in self.parks.values():
            park.close()
        assert self.service.stop() == 0, self.service.process.text()


def _hold_addresses(host: Host, network: str) -> None:
    lines = "".join(f"address add {network}.{last}/24 dev eth0\n" for last in range(_FIRST, _LAST + 1))
    host.run(["ip", "-batch", "-"], input_text=lines)


def _nft(host: Host, ruleset: str) -> None:
    program = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        raise LabError("these tests need the Debian package nftables")
    host.run([program, "-f", "-"], input_text=ruleset)


def _choosy(host: Host, cache: Path, folder: Path) -> Process:
    """A second DHCP server that answers the machines of its own faults only, so that the others boot undisturbed."""
    folder.mkdir()
    command = fetch("dnsmasq-base", cache).argv(
        "dnsmasq",
        *("--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0"),
        *("--user=root", "--group=root", f"--pid-file={folder}/pid", "--no-ping", "--interface=eth0", "--log-dhcp"),
        *("--bind-dynamic", f"--dhcp-leasefile={folder}/leases", "--dhcp-mac=set:ours,52:54:00:88:04:*"),
        *("--dhcp-ignore=tag:!ours", "--dhcp-range=10.88.0.230,10.88.0.249,255.255.255.0,10m"),
    )
    process = host.start("foreign", command)
    process.wait_for_text("DHCP, IP range", 10)
    return process


@contextmanager
def planted(folder: Path) -> Iterator[PlantedSite]:
    """The set-up, until the block ends."""
    with PrivateNetwork(folder / "logs") as network, tempfile.TemporaryDirectory(prefix="provd-") as short:
        site = PlantedSite(network, folder, Path(short) / "provd.sock")
        try:
            yield site
        finally:
            site.close()

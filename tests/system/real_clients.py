"""DHCP clients of operating systems as daemons: each binds, renews and releases on one host of a private network."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from pathlib import Path

from provd.lab.network import Host
from provd.lab.process import Process
from provd.lab.unpacked import fetch

NETWORK = """\
[Match]
Name=eth0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
[DHCPv4]
SendRelease=yes
"""
#: In mounts of its own: nothing of this machine's /run is seen, no udev is waited for, and the service's user exists.
NETWORKD = """\
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/network /run/systemd/netif/leases /run/systemd/netif/links /run/systemd/netif/lldp
cp "$1" /run/systemd/network/10-eth0.network
cp /etc/passwd /run/passwd
cp /etc/group /run/group
grep -q '^systemd-network:' /run/passwd || echo 'systemd-network:x:998:998::/:/usr/sbin/nologin' >>/run/passwd
grep -q '^systemd-network:' /run/group || echo 'systemd-network:x:998:' >>/run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
chown -R systemd-network:systemd-network /run/systemd/netif
mount -o remount,ro,bind /sys || mount -t sysfs -o ro sysfs /sys
shift
exec "$@"
"""


class RunningClient(ABC):
    """One client that keeps its lease.

    Args:
        host: it has a card ``eth0`` without an address.
        cache: laboratory cache with unpacked packages.
        work: folder for its files.
    """

    def __init__(self, host: Host, cache: Path, work: Path, script: Path) -> None:
        self.host, self.cache, self.work, self.script = host, cache, work, script
        self.process = self._start()

    @abstractmethod
    def _start(self) -> Process:
        """Run it in the foreground."""

    def renew(self) -> None:  # noqa: B027 - those that cannot be told do it by their timer
        """Make it renew."""

    @abstractmethod
    def release(self) -> None:
        """Make it give the address back."""

    def addresses(self) -> str:
        """What the card has."""
        return self.host.run(["ip", "-4", "-brief", "address", "show", "dev", "eth0"]).stdout


class Udhcpc(RunningClient):
    """Busybox."""

    def _start(self) -> Process:
        busybox = fetch("busybox-static", self.cache).program("busybox")
        argv = [str(busybox), "udhcpc", "-f", "-R", "-i", "eth0", "-T", "2", "-s", str(self.script)]
        return self.host.start("udhcpc", argv)

    def renew(self) -> None:
        self.process.signal(signal.SIGUSR1)

    def release(self) -> None:
        self.process.signal(signal.SIGUSR2)


class Dhclient(RunningClient):
    """ISC; it renews at T1."""

    def _argv(self, *options: str) -> list[str]:
        files = ("-lf", str(self.work / "leases"), "-pf", str(self.work / "pid"), "-cf", "/dev/null")
        program = fetch("isc-dhcp-client", self.cache)
        return program.argv("dhclient", "-4", "-d", "-v", "-sf", str(self.script), *files, *options, "eth0")

    def _start(self) -> Process:
        return self.host.start("dhclient", self._argv())

    def release(self) -> None:
        self.process.stop()
        self.host.run(self._argv("-r"))


class Dhcpcd(RunningClient):
    """dhcpcd, as on Raspberry Pi OS, Alpine and the BSDs."""

    def _argv(self, *options: str) -> list[str]:
        program = fetch("dhcpcd-base", self.cache)
        inside = 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && mkdir -p /run/dhcpcd /var/lib/dhcpcd && exec "$@"'
        files = ("--config", "/dev/null", "--script", "/bin/true", "--noipv4ll", "--ipv4only")
        argv = program.argv("dhcpcd", "--nobackground", "--debug", *files, *options, "eth0")
        return ["unshare", "--mount", "sh", "-euc", inside, "sh", *argv]

    def _start(self) -> Process:
        return self.host.start("dhcpcd", self._argv())

    def renew(self) -> None:
        # SIGHUP: renew (dhcpcd(8) sends it for --rebind).
        self.process.signal(signal.SIGHUP)

    def release(self) -> None:
        # SIGALRM: release and end (dhcpcd(8), --release).
        self.process.signal(signal.SIGALRM)


class Networkd(RunningClient):
    """systemd-networkd without a bus; it renews at T1 and releases when it ends."""

    def _start(self) -> Process:
        config = self.work / "10-eth0.network"
        config.write_text(NETWORK)
        argv = fetch("systemd", self.cache).argv("systemd-networkd")
        logs = ["env", "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console"]
        wrapped = ["unshare", "--mount", "sh", "-euc", NETWORKD, "sh", str(config), *logs, *argv]
        return self.host.start("networkd", wrapped)

    def release(self) -> None:
        self.process.stop()

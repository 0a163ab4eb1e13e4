"""A site on a private network: configuration, running service, hosts that ask it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from provd.lab.network import Host, PrivateNetwork, Segment
from provd.lab.payloads import copy_data
from provd.lab.service import RunningService
from provd.lab.unpacked import fetch

PLUGINS = ("relay", "pxelinux", "grub_efi", "source_http", "static_files", "trigger_script", "install_callbacks")

LEASE_SCRIPT = """\
#!/bin/sh
# Both udhcpc and dhclient call this (the latter with an empty environment): apply the lease and write what came.
case "${reason:-$1}" in
  bound | renew | BOUND | RENEW | REBIND | REBOOT)
    address="${ip:-$new_ip_address}"
    mask="${subnet:-$new_subnet_mask}"
    router="${router:-$new_routers}"
    /sbin/ip address replace "$address/$mask" dev "$interface"
    [ -z "$router" ] || /sbin/ip route replace default via "${router%% *}"
    {
      echo "address=$address"
      echo "server=${serverid:-$new_dhcp_server_identifier}"
      echo "router=$router"
      echo "dns=${dns:-$new_domain_name_servers}"
      echo "siaddr=${siaddr:-$new_next_server}"
      echo "bootfile=${boot_file:-$new_filename}"
      echo "lease=${lease:-$new_dhcp_lease_time}"
    } >"LEASE_FILE"
    ;;
esac
"""


@dataclass(slots=True)
class Site:
    """Files of one service and the service itself, once started."""

    network: PrivateNetwork
    directory: Path
    cache: Path
    socket: Path
    extra: str = ""
    service: RunningService | None = field(default=None)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def start(
        self,
        server: Host,
        interfaces: tuple[str, ...],
        subnets: str,
        *,
        plugins: Path | None = None,
        more: tuple[str, ...] = (),
        name: str = "provd",
        python: str | Path = sys.executable,
    ) -> RunningService:
        """Write the configuration and start the service on a host."""
        copy_data(self.cache, self.data)
        for folder in ("distros", "profiles", "systems"):
            (self.directory / "site" / folder).mkdir(parents=True, exist_ok=True)
        head = f'data_dir = "data"\nsite_dir = "site"\nsocket = "{self.socket}"\nuser = ""\n'
        if plugins is not None:
            head += f'plugin_dirs = ["{plugins}"]\n'
        head += f"enabled = {json.dumps([*PLUGINS, *more])}\n"
        cards = "".join(f'[[interface]]\nname = "{name}"\n' for name in interfaces)
        config = self.directory / "provd.toml"
        config.write_text("\n".join((head + self.extra, cards, subnets)))
        self.service = RunningService(server, config, self.socket, name, python)
        self.service.wait_ready()
        return self.service

    def write(self, path: str, text: str) -> None:
        """One file of the site directory."""
        target = self.directory / "site" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


class Client:
    """One host with real DHCP, TFTP and HTTP clients."""

    def __init__(self, network: PrivateNetwork, segment: Segment, cache: Path, name: str, mac: str) -> None:
        self.host = network.host(name)
        self.host.attach(segment, "eth0", mac=mac)
        self.cache = cache
        self.work = network.logs / name
        self.work.mkdir(parents=True)
        self.script = self.work / "lease-script"
        self.lease_file = self.work / "lease"
        self.script.write_text(LEASE_SCRIPT.replace("LEASE_FILE", str(self.lease_file)))
        self.script.chmod(0o755)

    def _lease(self) -> dict[str, str]:
        lines = self.lease_file.read_text().splitlines()
        self.lease_file.unlink()
        return {key: value for key, _, value in (line.partition("=") for line in lines)}

    def udhcpc(self, *options: str) -> dict[str, str]:
        """Ask with busybox's client; what it was given."""
        busybox = fetch("busybox-static", self.cache).program("busybox")
        common = ("-i", "eth0", "-n", "-q", "-f", "-t", "5", "-T", "2", "-s", str(self.script))
        self.host.run([str(busybox), "udhcpc", *common, *options], 30)
        return self._lease()

    def dhclient(self, *options: str) -> dict[str, str]:
        """Ask with ISC's client, which sends a client identifier of its own (RFC 4361); what it was given."""
        config = self.work / "dhclient.conf"
        config.write_text("send dhcp-client-identifier = ff:11:22:33:44:00:01:00:01:2a:2b:2c:2d:52:54:00:00:00:01;\n")
        files = ("-lf", str(self.work / "dhclient.leases"), "-pf", str(self.work / "dhclient.pid"), "-cf", str(config))
        argv = fetch("isc-dhcp-client", self.cache).argv("dhclient", "-4", "-v", "-1", "-sf", str(self.script), *files)
        self.host.run([*argv, *options, "eth0"], 60)
        self._end_daemon(self.work / "dhclient.pid")
        return self._lease() if self.lease_file.exists() else {}

    @staticmethod
    def _end_daemon(pid_file: Path) -> None:
        """ISC's client stays behind to renew, and writes its pid late; nothing may outlive a test."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                if str(pid_file).encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    def tftp(self, server: str, path: str, *, blksize: int = 512) -> bytes:
        """Fetch a file with curl's TFTP client."""
        target = self.work / "fetched"
        self.host.run(
            [
                "curl",
                "-sS",
                "--path-as-is",
                "--tftp-blksize",
                str(blksize),
                "-o",
                str(target),
                f"tftp://{server}/{path}",
            ]
        )
        return target.read_bytes()

    def tftp_hpa(self, server: str, path: str) -> bytes:
        """Fetch a file with tftp-hpa."""
        target = self.work / "fetched"
        argv = fetch("tftp-hpa", self.cache).argv("tftp", "-4", "-m", "binary", server, "-c", "get", path, str(target))
        self.host.run(argv)
        return target.read_bytes()

    def http(self, url: str, *options: str) -> str:
        """Fetch a URL with curl; status line and headers come first with ``-i``."""
        return self.host.run(["curl", "-sS", "--path-as-is", *options, url]).stdout

    def status(self, url: str, *options: str) -> int:
        """HTTP status of a URL."""
        return int(self.http(url, "-o", "/dev/null", "-w", "%{http_code}", *options))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

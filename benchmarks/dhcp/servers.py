"""The DHCP servers that are compared: configuration and command line of each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provd.compiled import SWITCH
from provd.lab.unpacked import fetch

SERVER: Final = "10.0.0.1"
#: Address of the load generator where it sends as a relay does.
CLIENT: Final = "10.0.0.2"
NETWORK: Final = "10.0.0.0/8"
_FIRST, _LAST = "10.1.0.0", "10.4.255.255"
_PROVD: Final = f"""\
data_dir = "data"
socket = "run/provd.sock"
site_dir = "site"
user = ""

[[interface]]
name = "server"

[[subnet]]
network = "{NETWORK}"
pool = "{_FIRST}-{_LAST}"
routers = ["{SERVER}"]
dns = ["{SERVER}"]
lease_s = 3600
"""
_DNSMASQ: Final = (
    "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--no-ping", "--interface=server",
    f"--dhcp-range={_FIRST},{_LAST},255.0.0.0,1h", "--dhcp-lease-max=300000", "--dhcp-authoritative", "--quiet-dhcp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contender:
    """One server.

    Attributes:
        name: as the table shows it.
        prepare: writes its configuration for a mode (``relayed`` or ``direct``) into a folder and gives its command
            line; leases that are there already are kept.
    """

    name: str
    prepare: Callable[[Path, str], list[str]]


def contenders(cache: Path) -> tuple[Contender, ...]:
    """Every server; Debian's are unpacked below ``cache``, never installed."""

    def kea(folder: Path, mode: str, threads: int) -> list[str]:
        path = folder / "kea.json"
        path.write_text(json.dumps(_kea(folder, mode, threads)))
        # Its lock and process id go to the folder, not to /run.
        argv = fetch("kea-dhcp4-server", cache).argv("kea-dhcp4", "-c", str(path))
        return [argv[0], f"KEA_PIDFILE_DIR={folder}", f"KEA_LOCKFILE_DIR={folder}", *argv[1:]]

    def dnsmasq(folder: Path, _mode: str) -> list[str]:
        files = (f"--dhcp-leasefile={folder}/leases", f"--pid-file={folder}/pid")
        return fetch("dnsmasq-base", cache).argv("dnsmasq", *_DNSMASQ, *files)

    return (
        Contender("provd", _provd),
        Contender("provd, sources", lambda folder, mode: ["/usr/bin/env", f"{SWITCH}=0", *_provd(folder, mode)]),
        Contender("kea", lambda folder, mode: kea(folder, mode, 0)),
        Contender("kea, 2 threads", lambda folder, mode: kea(folder, mode, 2)),
        Contender("dnsmasq", dnsmasq),
    )


def _provd(folder: Path, _mode: str) -> list[str]:
    (folder / "site").mkdir(exist_ok=True)
    (folder / "provd.toml").write_text(_PROVD)
    return [sys.executable, "-m", "provd", "run", "--config", str(folder / "provd.toml")]


def _kea(folder: Path, mode: str, threads: int) -> dict[str, object]:
    subnet = {
        "id": 1,
        "subnet": NETWORK,
        "pools": [{"pool": f"{_FIRST}-{_LAST}"}],
        "option-data": [{"name": "routers", "data": SERVER}, {"name": "domain-name-servers", "data": SERVER}],
    }
    threading = {"enable-multi-threading": threads > 0, "thread-pool-size": threads, "packet-queue-size": 64}
    # Clients without an address can only be answered by raw sockets; behind a relay UDP sockets are Kea's quicker way.
    socket_type = "udp" if mode == "relayed" else "raw"
    return {
        "Dhcp4": {
            "interfaces-config": {"interfaces": ["server"], "dhcp-socket-type": socket_type},
            "lease-database": {"type": "memfile", "persist": True, "name": f"{folder}/leases.csv", "lfc-interval": 0},
            "multi-threading": threading,
            "valid-lifetime": 3600,
            "subnet4": [subnet],
            "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": f"{folder}/log"}]}],
        }
    }

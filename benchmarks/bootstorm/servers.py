"""Who is compared in a storm: provd alone, dnsmasq with nginx, Kea with atftpd and nginx."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from benchmarks.bootstorm.site import FIRST, LAST, LOADER, NETWORK, write_site
from benchmarks.files.servers import SERVER, Contender, atftpd, dnsmasq, nginx
from provd.lab.unpacked import fetch

_WORKERS: Final = 2
"""Of nginx, as its ``auto`` says on two processors; Kea has as many threads."""


def storm_servers(cache: Path, machines: int) -> tuple[Contender, ...]:
    """Every contender for so many machines; Debian's daemons are unpacked below ``cache``, never installed."""

    def provd(folder: Path, content: Path) -> list[list[str]]:
        return [[sys.executable, "-m", "provd", "run", "--config", str(write_site(folder, content, machines))]]

    def dnsmasq_and_nginx(folder: Path, content: Path) -> list[list[str]]:
        dhcp = (f"--dhcp-range={FIRST},{LAST},255.0.0.0,1h", "--dhcp-lease-max=300000", "--dhcp-authoritative")
        files = (f"--dhcp-leasefile={folder}/leases", f"--dhcp-boot={LOADER}", "--no-ping", "--quiet-dhcp")
        return [dnsmasq(cache, folder, content, *dhcp, *files), nginx(cache, folder, content, _WORKERS)]

    def kea_and_others(folder: Path, content: Path) -> list[list[str]]:
        path = folder / "kea.json"
        path.write_text(json.dumps(_kea(folder)))
        argv = fetch("kea-dhcp4-server", cache).argv("kea-dhcp4", "-c", str(path))
        # Its lock and process id go to the folder, not to /run.
        kea = [argv[0], f"KEA_PIDFILE_DIR={folder}", f"KEA_LOCKFILE_DIR={folder}", *argv[1:]]
        return [kea, atftpd(cache, content), nginx(cache, folder, content, _WORKERS)]

    return (
        Contender("provd", provd),
        Contender("dnsmasq, nginx", dnsmasq_and_nginx),
        Contender("Kea, atftpd, nginx", kea_and_others),
    )


def _kea(folder: Path) -> dict[str, object]:
    subnet = {
        "id": 1,
        "subnet": NETWORK,
        "pools": [{"pool": f"{FIRST}-{LAST}"}],
        "next-server": SERVER,
        "boot-file-name": LOADER,
        "option-data": [{"name": "routers", "data": SERVER}],
    }
    return {
        "Dhcp4": {
            # Clients without an address can only be answered by raw sockets.
            "interfaces-config": {"interfaces": ["server"], "dhcp-socket-type": "raw"},
            "lease-database": {"type": "memfile", "persist": True, "name": f"{folder}/leases.csv", "lfc-interval": 0},
            "multi-threading": {"enable-multi-threading": True, "thread-pool-size": _WORKERS, "packet-queue-size": 64},
            "valid-lifetime": 3600,
            "subnet4": [subnet],
            "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": f"{folder}/log"}]}],
        }
    }

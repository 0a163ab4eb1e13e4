"""Another DHCP server on a private network: dnsmasq, which knows nothing of booting machines."""

from __future__ import annotations

from pathlib import Path

from provd.lab.network import Host
from provd.lab.process import Process
from provd.lab.unpacked import fetch


class ForeignServer:
    """dnsmasq on one host, without DNS and TFTP.

    Args:
        host: it has an address on the link.
        cache: laboratory cache with the unpacked program.
        pool: first and last address it gives.
        interface: that it serves.
        router: option 3; empty for its own address.
        dns: option 6; empty for none.
    """

    def __init__(
        self,
        host: Host,
        cache: Path,
        pool: tuple[str, str],
        *,
        interface: str = "eth0",
        router: str = "",
        dns: str = "",
        folder: Path,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.lease_file = folder / f"{host.name}.leases"
        options = [f"--dhcp-option=3,{router}"] if router else []
        options += [f"--dhcp-option=6,{dns}"] if dns else []
        self._command = fetch("dnsmasq-base", cache).argv(
            "dnsmasq",
            *("--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"),
            *("--port=0", "--user=root", "--group=root", f"--pid-file={folder / host.name}.pid", "--no-ping"),
            *(f"--interface={interface}", "--bind-dynamic", "--log-dhcp", f"--dhcp-leasefile={self.lease_file}"),
            *(f"--dhcp-range={pool[0]},{pool[1]},255.255.255.0,10m", *options),
        )
        self._host = host
        self.process: Process = host.start(f"dnsmasq-{host.name}", self._command)
        self.process.wait_for_text("DHCP, IP range", 10)

    @property
    def text(self) -> str:
        """What it logged: every message it heard and sent."""
        return self.process.text()

    def leases(self) -> dict[str, str]:
        """Hardware address to address."""
        lines = self.lease_file.read_text().splitlines() if self.lease_file.exists() else []
        return {fields[1]: fields[2] for line in lines if len(fields := line.split()) >= 3}

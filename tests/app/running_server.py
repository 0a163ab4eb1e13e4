"""A real `provd run` in a process of its own, on loopback and high ports, so that any user can run it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

CONFIG = """\
data_dir = "data"
socket = "run/provd.sock"
site_dir = "site"
user = ""
enabled = ["relay", "pxelinux", "grub_efi", "static_files", "source_http", "install_callbacks", "installer_kickstart"]

[listen]
addresses = ["127.0.0.1"]
dhcp_port = {dhcp}
dhcp_client_port = {client}
tftp_port = {tftp}
http_port = {http}

[syslog]
enabled = {takes_logs}
port = {syslog}

[[interface]]
name = "lo"

[[subnet]]
network = "127.0.0.0/8"
pool = "127.0.9.1-127.0.9.200"
"""
START_S = 20.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now, for UDP and TCP alike."""
    found: list[int] = []
    while len(found) < count:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found


class RunningServer:
    """Starts, watches and stops the process; its log is a file.

    The port for log lines of installers is a free one too: the standard one is bound as root only, by one server only.
    """

    def __init__(self, folder: Path, extra: str = "", python: str = sys.executable, *, takes_logs: bool = True) -> None:
        self.folder, self.log, self.python = folder, folder / "log", python
        self.dhcp, self.client, self.tftp, self.http, self.syslog = free_ports(5)
        self.config = folder / "provd.toml"
        text = CONFIG.format(
            dhcp=self.dhcp,
            client=self.client,
            tftp=self.tftp,
            http=self.http,
            syslog=self.syslog,
            takes_logs=str(takes_logs).lower(),
        )
        self.config.write_text(text + extra)
        for name in ("distros", "profiles", "systems"):
            (folder / "site" / name).mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str] | None = None) -> None:
        """Start and wait until it says that it is ready."""
        self.spawn(environment)
        self.wait_for("ready: DHCP on lo")

    def spawn(
        self, environment: dict[str, str] | None = None, before: Sequence[str] = (), program: str = "provd"
    ) -> None:
        """Start; ``before`` is a command that ends by executing the rest of its arguments, ``program`` a module."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, self.python, "-m", program, "run", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                # A checkout in the working directory would stand in for a package that is not installed.
                cwd=None if self.python == sys.executable else self.folder,
                env={**os.environ, **(environment or {})},
            )

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text()

    def wait_for(self, wanted: str) -> None:
        """Wait until the log says something."""
        wait_until(lambda: wanted in self.text() or self.ended(), START_S, self.text)
        assert wanted in self.text(), self.text()

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is not None and self.process.poll() is not None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop and return the exit status."""
        assert self.process is not None
        if not self.ended():
            self.process.send_signal(number)
        return self.process.wait(15)


def wait_until(condition: Callable[[], bool], most_s: float, told: Callable[[], str]) -> None:
    """Look again and again until a condition holds."""
    end = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.05)

"""Private networks: namespaces joined by bridges. No interface of the machine itself is touched.

Needs root. Bridges and taps live in a namespace of their own, so that nothing appears beside the machine's interfaces.
Namespaces carry the process id in their name; those of processes that died are removed at the next start.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from provd.lab.errors import LabError
from provd.lab.process import Process
from provd.lab.unpacked import fetch

_PREFIX = "provdlab"
_NETNS = Path("/run/netns")
_numbers = itertools.count(1)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"ip {' '.join(arguments)}: {done.stderr.strip()}"
        raise LabError(msg)
    return done.stdout


@dataclass(frozen=True, slots=True)
class Tap:
    """An interface for a virtual machine: its name and the namespace in which the machine must run."""

    name: str
    namespace: str


class Segment:
    """One broadcast domain: a bridge."""

    def __init__(self, namespace: str, bridge: str) -> None:
        self.namespace = namespace
        self.bridge = bridge
        # Without this the bridge holds a new port's packets back for 15 s.
        _ip("-n", namespace, "link", "add", bridge, "type", "bridge", "forward_delay", "0", "stp_state", "0")
        _ip("-n", namespace, "link", "set", bridge, "up")

    def tap(self) -> Tap:
        """A new port for a virtual machine."""
        name = f"tap{next(_numbers)}"
        _ip("-n", self.namespace, "tuntap", "add", "dev", name, "mode", "tap")
        self._join(name)
        return Tap(name, self.namespace)

    def port(self, name: str) -> None:
        """Take an interface of this namespace as port."""
        self._join(name)

    def _join(self, name: str) -> None:
        _ip("-n", self.namespace, "link", "set", name, "master", self.bridge, "up")


class Host:
    """One namespace with interfaces of its own, as a machine on the network."""

    def __init__(self, namespace: str, name: str, logs: Path) -> None:
        self.namespace = namespace
        self.name = name
        self._logs = logs
        self._processes: list[Process] = []
        _ip("-n", namespace, "link", "set", "lo", "up")

    def attach(self, segment: Segment, interface: str, *addresses: str, mac: str | None = None) -> None:
        """Plug an interface into a segment.

        Args:
            segment: where.
            interface: its name in this host.
            addresses: each with prefix length, as ``10.77.0.1/24``; none for a client that asks for one.
            mac: hardware address, ``52:54:00:...``; None lets the kernel choose.
        """
        port = f"port{next(_numbers)}"
        own = ["address", mac] if mac else []
        _ip(
            *("-n", segment.namespace, "link", "add", port, "type", "veth"),
            *("peer", "name", interface, *own, "netns", self.namespace),
        )
        segment.port(port)
        _ip("-n", self.namespace, "link", "set", interface, "up")
        for address in addresses:
            self.add_address(interface, address)

    def add_address(self, interface: str, address: str) -> None:
        """One more address, with prefix length."""
        _ip("-n", self.namespace, "address", "add", address, "dev", interface)

    def add_route(self, network: str, gateway: str) -> None:
        """Reach a network through a gateway."""
        _ip("-n", self.namespace, "route", "add", network, "via", gateway)

    def forward(self) -> None:
        """Become a router."""
        self.run(["/bin/sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])

    def argv(self, command: Sequence[str]) -> list[str]:
        """Command line that runs a program in this host."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def run(
        self, command: Sequence[str], timeout_s: float = 60.0, *, check: bool = True, input_text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end.

        Raises:
            LabError: it failed (unless ``check`` is false) or took too long.
        """
        try:
            done = subprocess.run(
                self.argv(command),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                input=input_text,
                check=False,
            )
        except subprocess.TimeoutExpired:
            msg = f"{self.name}: {' '.join(command)} did not end within {timeout_s:.0f} s"
            raise LabError(msg) from None
        if check and done.returncode:
            msg = f"{self.name}: {' '.join(command)} ended with code {done.returncode}: {done.stderr.strip()}"
            raise LabError(msg)
        return done

    def start(self, name: str, command: Sequence[str], pass_fds: Sequence[int] = ()) -> Process:
        """Start a program that ends with the network at the latest; its output goes to ``LOGS/NAME.log``."""
        process = Process(name, self.argv(command), self._logs / f"{name}.log", pass_fds)
        self._processes.append(process)
        return process

    def stop_all(self) -> None:
        """End every program started here, the newest first."""
        while self._processes:
            self._processes.pop().stop()


class PrivateNetwork:
    """Segments and hosts that vanish at the end of the ``with`` block.

    Args:
        logs: folder for the output of programs.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._unique = f"{_PREFIX}-{os.getpid()}-{next(_numbers)}"
        self._namespaces: list[str] = []
        self._hosts: list[Host] = []
        self.segments: list[Segment] = []
        self._switch = ""

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            msg = "private networks need root: run this with sudo"
            raise LabError(msg)
        remove_stale()
        self._switch = self._add_namespace("switch")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the programs of all hosts and remove every namespace, and with them all interfaces."""
        while self._hosts:
            self._hosts.pop().stop_all()
        while self._namespaces:
            with contextlib.suppress(LabError):
                _ip("netns", "delete", self._namespaces.pop())

    def segment(self) -> Segment:
        """A new broadcast domain."""
        made = Segment(self._switch, f"br{len(self.segments) + 1}")
        self.segments.append(made)
        return made

    def host(self, name: str) -> Host:
        """A new host without interfaces."""
        host = Host(self._add_namespace(name), name, self.logs)
        self._hosts.append(host)
        return host

    def _add_namespace(self, name: str) -> str:
        namespace = f"{self._unique}-{name}"
        _ip("netns", "add", namespace)
        self._namespaces.append(namespace)
        return namespace


def start_relay(host: Host, cache: Path, *, downstream: str, upstream: str, server: str, other: str = "") -> Process:
    """ISC dhcrelay on a router between two segments, adding option 82 (RFC 3046).

    Args:
        host: the router; it has an interface and an address on both sides.
        cache: laboratory cache with the unpacked program.
        downstream: interface towards the clients.
        upstream: interface towards the server; its answers come in there.
        server: address of the DHCP server.
        other: address of a second one.
    """
    host.forward()
    relay = fetch("isc-dhcp-relay", cache)
    command = relay.argv(
        "dhcrelay", "-4", "-d", "--no-pid", "-a", "-id", downstream, "-iu", upstream, server, *[other] * bool(other)
    )
    process = host.start(f"dhcrelay-{host.name}", command)
    process.wait_for_text("Sending on   Socket/fallback", 10)
    return process


def _alive(namespace: str) -> bool:
    pid = namespace.split("-")[1]
    return not pid.isdigit() or Path(f"/proc/{pid}").is_dir()


def stale() -> Iterator[str]:
    """Namespaces of processes that ended without removing them."""
    if _NETNS.is_dir():
        for path in sorted(_NETNS.iterdir()):
            if path.name.startswith(f"{_PREFIX}-") and not _alive(path.name):
                yield path.name


def remove_stale() -> None:
    """Remove what processes left behind that were killed."""
    for namespace in list(stale()):
        with contextlib.suppress(LabError):
            _ip("netns", "delete", namespace)

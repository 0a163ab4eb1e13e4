"""What ails a running service, judged from numbers: how bad, what, and what to do. ``provd doctor`` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ERROR, WARNING, INFO = "error", "warning", "info"
ORDER: Final = (ERROR, WARNING, INFO)
"""Levels, the worst first."""

_DAY_S: Final = 86_400.0
_CERTIFICATE_S: Final = 30 * _DAY_S
_POOL_FULL: Final = 0.9
_DISK_SHARE, _DISK_OCTETS = 0.05, 1 << 30
_DISK_GONE: Final = 100 << 20
_JUMP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ailment:
    """One finding.

    Attributes:
        level: ``error`` (machines are not served), ``warning`` (they soon may not be), ``info``.
        area: as in ``listeners``, ``leases``, ``clock``.
        text: what is wrong, a sentence.
        advice: what to do.
    """

    level: str
    area: str
    text: str
    advice: str


def pool(name: str, size: int, taken: int) -> Iterator[Ailment]:
    """A subnet's pool.

    Args:
        name: of the subnet.
        size: addresses of the pool.
        taken: those that no other client can be given now.
    """
    if size and taken >= size:
        text = f"pool of subnet {name} is full: all {size} addresses are taken, new machines get none"
        yield Ailment(ERROR, "leases", text, "widen its pool, shorten lease_s, or: provd lease list")
    elif size and taken >= size * _POOL_FULL:
        text = f"pool of subnet {name} is nearly full: {taken} of {size} addresses are taken"
        yield Ailment(WARNING, "leases", text, "widen its pool or shorten lease_s before it is full")


def certificate(what: str, end: float, now: float, *, own: bool) -> Iterator[Ailment]:
    """A certificate of a listener.

    Args:
        what: which one, with its file.
        end: seconds since the epoch when it ends.
        now: seconds since the epoch.
        own: provd made it.
    """
    left = end - now
    advice = "provd makes a new one at its next start" if own else "put a new one in its place and restart provd"
    if left <= 0:
        yield Ailment(ERROR, "certificates", f"{what} ended {-left / _DAY_S:.0f} days ago: clients refuse it", advice)
    elif left < _CERTIFICATE_S:
        yield Ailment(WARNING, "certificates", f"{what} ends in {left / _DAY_S:.0f} days", advice)


def disk(where: str, free: int, total: int, inodes: int) -> Iterator[Ailment]:
    """Room on a file system.

    Args:
        where: the directory.
        free: octets for provd's user.
        total: octets.
        inodes: free ones; negative where the file system has no number of them.
    """
    if free < _DISK_GONE or inodes == 0:
        what = "no inode is free" if inodes == 0 else f"{free >> 20} MiB are free"
        text = f"{where}: {what}; without room no lease is stored, and no client gets an ACK"
        yield Ailment(ERROR, "disk", text, "make room: provd mirror purge, old images, other programs' files")
    elif (free < total * _DISK_SHARE and free < 10 * _DISK_OCTETS) or free < _DISK_OCTETS:
        text = f"{where}: {free >> 20} MiB of {total >> 20} are free"
        yield Ailment(WARNING, "disk", text, "limit mirrors with max_mb, or make room")


def clock(now: float, newest: float, drift_s: float, *, synchronised: bool | None) -> Iterator[Ailment]:
    """This machine's clock, which ends leases, tokens and certificates.

    Args:
        now: seconds since the epoch.
        newest: of the newest event that was ever stored, 0 where there is none.
        drift_s: how much further the clock went than time since the service started.
        synchronised: whether the kernel says so, None where it does not tell.
    """
    if newest > now + _JUMP_S:
        text = f"the clock is {newest - now:.0f} s behind the newest stored event: it was set back"
        yield Ailment(ERROR, "clock", text, "set the clock; leases and tokens end too late until then")
    elif abs(drift_s) > _JUMP_S:
        way = "forward" if drift_s > 0 else "back"
        text = f"the clock was set {way} by {abs(drift_s):.0f} s while provd ran"
        yield Ailment(WARNING, "clock", text, "lease ends that clients were told moved by as much; keep a time service")
    if synchronised is False:
        text = "the kernel says that the clock follows no time server"
        yield Ailment(WARNING, "clock", text, "start chrony or systemd-timesyncd: Kerberos and TLS of machines need it")


def datagrams(service: str, port: int, dropped: int, waiting: int) -> Iterator[Ailment]:
    """A UDP listener's queue in the kernel.

    Args:
        service: name for people.
        port: its port.
        dropped: datagrams that found no room since it was bound.
        waiting: octets that wait now.
    """
    if dropped:
        text = f"{service} port {port}: the kernel dropped {dropped} datagrams that came faster than they are read"
        yield Ailment(WARNING, "listeners", text, "sysctl net.core.rmem_max, and see docs/performance.md")
    if waiting > 1 << 20:
        text = f"{service} port {port}: {waiting >> 10} KiB wait to be read"
        yield Ailment(WARNING, "listeners", text, "provd is behind: provd plugin stats shows which plugin is slow")

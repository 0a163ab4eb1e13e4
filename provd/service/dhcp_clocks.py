"""The clocks that DHCP goes by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as arguments.

    Attributes:
        wall: seconds since the epoch, for what is stored and shown.
        monotonic: seconds that no clock change moves, for everything that ends.
        boot: which run of the machine ``monotonic`` counts in; empty where nobody knows.
    """

    wall: Callable[[], float]
    monotonic: Callable[[], float]
    boot: str = ""


def this_boot() -> str:
    """Which run of this machine this is, as Linux names it (random(4)); empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""

"""Firmware that does something else than all the others, and what provd does about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quirk:
    """One quirk: every condition that is named must hold, then every effect is had.

    Attributes:
        name: unique.
        why: what the firmware does wrong, in a sentence.
        oui: first octets of the hardware address, any of these.
        vendor_class: beginning of option 60.
        user_class: one of option 77.
        arch: names of architectures, as in ``x64-uefi``.
        uuid: option 97 is one of these.
        as_arch: the machine counts as of this architecture.
        forget_uuid: its UUID tells nothing.
        labels: client classes that plugins see.
        broadcast: replies are broadcast, whatever its flag says.
        options: DHCP options that it gets instead of what it would.
        without: options that it never gets.
        origin: file that says so.
    """

    name: str
    why: str
    oui: tuple[bytes, ...] = ()
    vendor_class: str = ""
    user_class: str = ""
    arch: tuple[str, ...] = ()
    uuid: tuple[str, ...] = ()
    as_arch: str = ""
    forget_uuid: bool = False
    labels: tuple[str, ...] = ()
    broadcast: bool = False
    options: Mapping[int, bytes] = field(default_factory=dict)
    without: frozenset[int] = frozenset()
    origin: str = ""

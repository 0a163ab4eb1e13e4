"""Wakes machines by Wake-on-LAN when something happens.

    [[plugins.trigger_wol.wakes]]
    name = "workers"
    on = ["install.finished"]
    systems = ["head*"]                              # events of these machines; empty: of every one
    macs = ["52:54:00:aa:bb:01", "52:54:00:aa:bb:02"]
    broadcast = ["10.0.0.255"]

Here the workers are switched on when a head node is installed. Without ``macs`` the machine that the event is about is
woken itself. Each packet (AMD publication 20213) is sent to every broadcast address, ``repeat`` times with a second
between, because nothing acknowledges it. Name the plugin in ``enabled``. ``provd system wake NAME`` does it by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from ipaddress import IPv4Address

from provd.plugin.api import (
    Event,
    GiveUpError,
    KeepsRuntime,
    Mac,
    Plugin,
    Settings,
    Trigger,
    hookimpl,
    magic_packet,
    wake_on_lan,
    wants,
)


class Wake(Settings, frozen=True):
    """Whom to wake, and when.

    Attributes:
        name: of the trigger.
        on: event kinds, ``*`` as in file names.
        broadcast: broadcast addresses of the networks that the machines are in.
        systems: names of the systems whose events count, ``*`` as in file names; empty for all.
        macs: hardware addresses to wake; empty for the one that the event names.
        port: UDP port.
        repeat: times that each packet is sent.
    """

    name: str
    on: tuple[str, ...]
    broadcast: tuple[str, ...]
    systems: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    port: int = 9
    repeat: int = 3

    def __post_init__(self) -> None:
        if not self.broadcast:
            raise ValueError(f"{self.name!r}: broadcast names no address")
        for text in self.broadcast:
            _checked(self.name, "broadcast", text, IPv4Address)
        for text in self.macs:
            _checked(self.name, "macs", text, _six_octets)
        if not 1 <= self.port <= 65535:
            raise ValueError(f"{self.name!r}: port must be from 1 to 65535")
        if not 1 <= self.repeat <= 10:
            raise ValueError(f"{self.name!r}: repeat must be from 1 to 10")


class SettingsOfTriggerWol(Settings, frozen=True):
    """``wakes``: whom to wake when."""

    wakes: tuple[Wake, ...] = ()


class TriggerWol(KeepsRuntime):
    """Sends through the runtime; the kernel chooses the interface."""

    def __init__(self, settings: SettingsOfTriggerWol) -> None:
        self._wakes = settings.wakes

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        return [Trigger(one.name, one.on, one.repeat + 5.0, partial(self.wake, one)) for one in self._wakes]

    async def wake(self, wanted: Wake, event: Event) -> str:
        """Send the packets of one event; returns whom they were for."""
        if wanted.systems and not wants(wanted.systems, event):
            return f"nobody: {wanted.name} does not want events of {event.system or 'unknown machines'}"
        macs = wanted.macs or ((event.mac,) if event.mac else ())
        if not macs:
            raise GiveUpError(f"{wanted.name}: the event {event.kind} names no hardware address, and macs is empty")
        try:
            return await wake_on_lan(self.runtime, macs, wanted.broadcast, wanted.port, wanted.repeat)
        except OSError as error:
            raise OSError(f"{wanted.name}: {error}") from error


def _six_octets(text: str) -> None:
    magic_packet(Mac.parse(text).octets)


def _checked(name: str, key: str, text: str, parse: Callable[[str], object]) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ValueError(f"{name!r}: {key}: {error}") from error


PLUGIN = Plugin(name="trigger_wol", settings=SettingsOfTriggerWol, build=TriggerWol, triggers="wakes")

"""Wake-on-LAN for machines without a board: it switches on, and can do and know nothing else."""

from __future__ import annotations

from ipaddress import IPv4Address

from provd.plugin.api import Mac, PowerCall, Runtime, Settings, wake_on_lan


class WakeTable(Settings, frozen=True):
    """``[power]`` of a machine without a board.

    Attributes:
        broadcast: broadcast addresses of the networks that its cards are in.
        macs: cards to wake, empty for all of the system.
        port: UDP.
        repeat: times that each packet is sent, with a second between.
    """

    broadcast: tuple[str, ...]
    macs: tuple[str, ...] = ()
    port: int = 9
    repeat: int = 3


def fault(table: WakeTable) -> str:
    """Why nothing would be woken, or empty."""
    try:
        for text in table.broadcast:
            IPv4Address(text)
        for text in table.macs:
            Mac.parse(text)
    except ValueError as error:
        return str(error)
    if not table.broadcast:
        return "broadcast names no address"
    if not (1 <= table.port <= 65535 and 1 <= table.repeat <= 10):
        return "port must be from 1 to 65535, and repeat from 1 to 10"
    return ""


async def switch(runtime: Runtime, call: PowerCall) -> str:
    """Send the packets.

    Raises:
        ValueError: the system has no network card.
        OSError: the kernel knows no way to any of the networks.
    """
    table: WakeTable = call.settings
    macs = table.macs or tuple(str(card.mac) for card in call.system.interfaces)
    if not macs:
        raise ValueError("it has no network card to wake")
    return await wake_on_lan(runtime, macs, table.broadcast, table.port, table.repeat)

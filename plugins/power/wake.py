"""Wake-on-LAN for machines without a board: it switches on, and can do and know nothing else."""

from __future__ import annotations

from ipaddress import IPv4Address

from provd.plugin.api import Mac, PowerCall, Runtime, Settings, magic_packet


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
    failed: dict[str, str] = {}
    for at in range(table.repeat):
        if at:
            await runtime.sleep(1.0)
        for address in table.broadcast:
            if fault := _sent(runtime, macs, address, table.port):
                failed[address] = fault
    lost = ", ".join(f"{address}: {fault}" for address, fault in failed.items())
    there = [address for address in table.broadcast if address not in failed]
    if not there:
        raise OSError(lost)
    return f"woke {', '.join(macs)} at {', '.join(there)}" + (f"; not at {lost}" if lost else "")


def _sent(runtime: Runtime, macs: tuple[str, ...], address: str, port: int) -> str:
    """Send to one network; why that failed, or empty."""
    try:
        for text in macs:
            runtime.broadcast(magic_packet(Mac.parse(text).octets), address, port)
    except OSError as error:
        return str(error.strerror or error)
    return ""

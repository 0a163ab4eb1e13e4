"""Rules of a diagnosis about addresses: pools, subnets, relays, other DHCP servers, machines that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provd.core.diagnosis_facts import Boot, Finding, word
from provd.model.event import Event
from provd.model.session import step_reached

OTHER_SERVER: Final = "another server was chosen"
FULL: Final = "pool exhausted"
NO_SUBNET: Final = frozenset({"no subnet", "unknown relay", "interface without an address"})


def _dropped(boot: Boot, *reasons: str) -> Event | None:
    """The newest message that was not answered for one of these reasons, unless the boot went on after it."""
    found = [one for one in boot.of("dhcp.dropped") if word(one, "reason") in reasons]
    return found[-1] if found and boot.in_vain(found[-1]) else None


def _stage(boot: Boot, firmware: str) -> tuple[str, str]:
    """Who asks for an address, and the step that it is."""
    return ("the installer", "installer-dhcp") if step_reached(boot.session, "kernel") else ("the machine", firmware)


def no_subnet(boot: Boot) -> Iterator[Finding]:
    """A DISCOVER through a relay, or on a network, that no subnet has."""
    event = _dropped(boot, *NO_SUBNET)
    if event is not None:
        relay = word(event, "relay")
        through = f"it came through the relay {relay}, and" if relay else "it came in on a network that"
        yield Finding(
            "wrong-relay", _stage(boot, "offer")[1],
            f"its DISCOVER got no answer: {through} no subnet of provd.toml has this address",
            "add the subnet, or mend the relay's address or link selection",
        )  # fmt: skip


def full_pool(boot: Boot) -> Iterator[Finding]:
    """No free address."""
    event = _dropped(boot, FULL)
    if event is not None:
        who, step = _stage(boot, "offer")
        subnet = f"subnet {word(event, 'subnet')}" if word(event, "subnet") else "its subnet"
        yield Finding(
            "full-pool", step,
            f"there was no free address for {who}: the pool of {subnet} is full",
            "widen the pool, shorten the lease time, or look for who takes them: provd lease list",
        )  # fmt: skip


def elsewhere(boot: Boot) -> Iterator[Finding]:
    """The firmware, or later its installer, took another server's address."""
    # Beside another DHCP server (mode "proxy") that is as it should be; there it is the event "dhcp.elsewhere".
    event = _dropped(boot, OTHER_SERVER)
    if event is None:
        return
    who, step = _stage(boot, "ack")
    other = word(event, "server") or word(event, "address")
    yield Finding(
        "other-dhcp-server", step,
        f"{who} took the address of another DHCP server{f' ({other})' if other else ''}",
        'provd check rogue names it: switch it off, or make this subnet mode = "proxy"',
    )  # fmt: skip


def refused_client(boot: Boot) -> Iterator[Finding]:
    """A gate, a limit or the subnet's settings refuse the machine."""
    event = boot.last("dhcp.dropped")
    if event is None or boot.of("dhcp.offer") or word(event, "reason") in {FULL, OTHER_SERVER, *NO_SUBNET}:
        return
    yield Finding(
        "not-answered", "offer",
        f"its DISCOVER got no answer: {word(event, 'reason')}",
        "a gate plugin, a limit, or the subnet's settings refuse this machine",
    )  # fmt: skip


def lost_offer(boot: Boot) -> Iterator[Finding]:
    """An OFFER that the relay does not bring back."""
    asked = boot.last("dhcp.discover")
    relay = word(asked, "relay") if asked is not None else ""
    if relay and boot.stands and boot.session.step == "offer":
        yield Finding(
            "wrong-relay", "offer",
            f"its OFFER went to the relay {relay}, and no REQUEST came back: the relay does not hear it, or passes "
            "it to another link",
            "from here the relay's address must be reachable, and UDP 67 open on it; or another server was quicker",
        )  # fmt: skip

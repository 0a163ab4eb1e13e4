"""``/etc/network/interfaces`` of the installed system, as Debian's ifupdown reads it (interfaces(5)).

The installer itself stays on the network that it was started with, and would hand that on. A card is written as
``@52:54:00:aa:bb:cc@``: only the machine knows its name, and puts it in. Links are made by iproute2, which every Debian
has, so that no further package is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provd.plugin.api import (
    Connection,
    beneath_first,
    bond_options,
    bridge_options,
    connections,
    parts,
    plain_names,
    with_booting,
)

MARK = "# provd: network"
"""Where the text comes in."""
_BRIDGE: Mapping[str, tuple[str, int]] = {
    "stp": ("stp_state", 1),
    "priority": ("priority", 1),
    "forward-delay": ("forward_delay", 100),
    "hello-time": ("hello_time", 100),
    "max-age": ("max_age", 100),
    "ageing-time": ("ageing_time", 100),
}
"""Names of iproute2, which counts hundredths of a second."""


def interfaces(values: Mapping[str, Any]) -> str:
    """The text: stanzas with an empty line between them.

    Raises:
        ValueError: a link, an option of a link or ``network`` is not what is expected, in one sentence.
    """
    found = beneath_first(connections(with_booting(values)))
    plain_names(found)
    names = {one.name: f"@{one.mac}@" if one.mac else one.name for one in found}
    head = ["source /etc/network/interfaces.d/*", "auto lo\niface lo inet loopback"]
    return "\n\n".join([*head, *(_stanza(one, found, names) for one in found)])


def _stanza(one: Connection, found: Sequence[Connection], names: Mapping[str, str]) -> str:
    name = names[one.name]
    # A card that nobody waits for may be without a cable.
    start = "auto" if one.needed or one.over or one.vlans else "allow-hotplug"
    method = "manual" if one.method == "none" else one.method
    lines = [f"{start} {name}", f"iface {name} inet {method}", *(f"    {line}" for line in _address(one))]
    return "\n".join(
        [*lines, *(f"    {line}" for line in _made(one, [names[part] for part in parts(one, found)], names))]
    )


def _address(one: Connection) -> list[str]:
    if one.method != "static":
        return []
    words = {
        "address": one.address,
        "gateway": one.gateway,
        "dns-nameservers": " ".join(one.dns),
        "dns-search": one.search,
    }
    return [f"{key} {value}" for key, value in words.items() if value]


def _made(one: Connection, members: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """How a link is made, and that it goes; old versions leave down what has no address of its own."""
    up = [f"up ip link set {names[one.name]} up"] if one.over else []
    if one.kind == "ethernet":
        return up
    # One may be there: left by a try that failed, or made by ifupdown where the name looks like a VLAN's.
    made = [f"pre-up ip link del {one.name} 2> /dev/null || true"]
    if one.kind == "vlan":
        made.append(f"pre-up ip link add link {members[0]} name {one.name} type vlan id {one.vlan}")
    else:
        made.append(f"pre-up ip link add {one.name} type {one.kind} {_options(one, names)}")
        for member in members:
            made += [f"pre-up ip link set {member} down"] if one.kind == "bond" else []
            made.append(f"pre-up ip link set {member} master {one.name}")
    return [*made, *up, f"post-down ip link del {one.name}"]


def _options(one: Connection, names: Mapping[str, str]) -> str:
    if one.kind == "bond":
        options = bond_options(one)
        if "primary" in options:
            options["primary"] = names.get(options["primary"], options["primary"])
        return " ".join(f"{key} {value}" for key, value in options.items())
    if one.kind == "bridge":
        return " ".join(f"{_BRIDGE[key][0]} {value * _BRIDGE[key][1]}" for key, value in bridge_options(one).items())
    return ""

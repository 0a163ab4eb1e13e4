"""Options of bonds and bridges: which there are, their values, and their names in the kernel and in netplan.

Sources: the kernel's ``Documentation/networking/bonding.rst``, netplan's YAML reference (``bonds``, ``bridges``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import AddressValueError, IPv4Address
from typing import Final


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a bond.

    Attributes:
        netplan: its name there; the kernel's is the key of :data:`BOND`.
        words: its values in the order of their numbers; empty where it is a number.
        named: it is a text: an interface, or addresses.
    """

    netplan: str
    words: tuple[str, ...] = ()
    named: bool = False


_ARP_WHAT: Final = ("none", "active", "backup", "all", "filter", "filter_active", "filter_backup")
_HASHED: Final = ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")
MODES: Final = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
BOND: Final[Mapping[str, Option]] = {
    "mode": Option("mode", MODES),
    "miimon": Option("mii-monitor-interval"),
    "updelay": Option("up-delay"),
    "downdelay": Option("down-delay"),
    "lacp_rate": Option("lacp-rate", ("slow", "fast")),
    "xmit_hash_policy": Option("transmit-hash-policy", _HASHED),
    "ad_select": Option("ad-select", ("stable", "bandwidth", "count")),
    "min_links": Option("min-links"),
    "primary": Option("primary", named=True),
    "primary_reselect": Option("primary-reselect-policy", ("always", "better", "failure")),
    "fail_over_mac": Option("fail-over-mac-policy", ("none", "active", "follow")),
    "arp_interval": Option("arp-interval"),
    "arp_ip_target": Option("arp-ip-targets", named=True),
    "arp_validate": Option("arp-validate", _ARP_WHAT),
    "arp_all_targets": Option("arp-all-targets", ("any", "all")),
    "all_slaves_active": Option("all-slaves-active"),
    "num_grat_arp": Option("gratuitous-arp"),
    "packets_per_slave": Option("packets-per-slave"),
    "resend_igmp": Option("resend-igmp"),
    "lp_interval": Option("learn-packet-interval"),
}
"""By the names of the kernel's module; times are in milliseconds."""
BRIDGE: Final = ("stp", "priority", "forward-delay", "hello-time", "max-age", "ageing-time")
"""Options of a bridge, by the names of netplan; times are in seconds."""
_KERNELS: Final[Mapping[str, str]] = {
    **{option.netplan.replace("-", "_"): kernels for kernels, option in BOND.items()},
    **{kernels: kernels for kernels in BOND},
    "all_members_active": "all_slaves_active",
    "packets_per_member": "packets_per_slave",
    "gratuitious_arp": "num_grat_arp",
}
_INTERFACE: Final = re.compile(r"[A-Za-z0-9_.-]+")
_WHOLE: Final = re.compile(r"[0-9]+")


class OptionError(ValueError):
    """An option that nobody knows, or a value that it cannot have."""


def bond_in_kernel(options: Mapping[str, object]) -> dict[str, str]:
    """Options of a bond as the module of the kernel calls them, ``mode`` first.

    Where none is said, the bond is ``active-backup``, and the link is looked at every 100 ms: the kernel's own default
    would never see a cable pulled out.

    Args:
        options: by the names of the kernel or of netplan, with hyphens or underlines.

    Raises:
        OptionError: the sentence begins with ``option NAME``.
    """
    made = {"mode": "active-backup"}
    for key, value in options.items():
        known = _KERNELS.get(key.replace("-", "_"))
        if known is None:
            near = get_close_matches(key.replace("-", "_"), _KERNELS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(BOND)}"
            raise OptionError(f"option {key!r} of a bond is not known; {hint}")
        made[known] = _value(key, BOND[known], value)
    return made if made.keys() & {"miimon", "arp_interval", "arp_ip_target"} else made | {"miimon": "100"}


def bond_in_netplan(options: Mapping[str, object]) -> dict[str, object]:
    """The same as netplan calls them, numbers as numbers.

    Raises:
        OptionError: as :func:`bond_in_kernel`.
    """
    made: dict[str, object] = {}
    for key, text in bond_in_kernel(options).items():
        value: object = int(text) if _WHOLE.fullmatch(text) else text
        if key == "arp_ip_target":
            value = text.split(",")
        made[BOND[key].netplan] = text == "1" if key == "all_slaves_active" else value
    return made


def bridge_in_netplan(options: Mapping[str, object]) -> dict[str, int]:
    """Options of a bridge as netplan calls them, times in seconds; ``stp`` is always there, 0 where it is not said.

    Raises:
        OptionError: an option that is none of these, or no number.
    """
    made = {"stp": 0}
    for key, value in options.items():
        name = key.replace("_", "-")
        if name not in BRIDGE:
            raise OptionError(f"option {key!r} of a bridge is not one of {', '.join(BRIDGE)}")
        if not isinstance(value, int) or value < 0:
            raise OptionError(f"option {key!r} is {value!r}, a number or true or false is expected")
        made[name] = int(value)
    return made


def option_fault(kind: str, options: Mapping[str, object]) -> str:
    """What is wrong with the options of a link of this kind, or empty."""
    try:
        if kind == "bond":
            bond_in_kernel(options)
        elif kind == "bridge":
            bridge_in_netplan(options)
        elif options:
            return f"option {next(iter(options))!r}: a {kind} has none"
    except OptionError as error:
        return str(error)
    return ""


def _value(key: str, option: Option, value: object) -> str:
    if option.named:
        return _named(key, value)
    text = str(int(value)) if isinstance(value, bool | int) else str(value)
    if option.words:
        number = int(text) if _WHOLE.fullmatch(text) else len(option.words)
        if text not in option.words and number >= len(option.words):
            raise OptionError(f"option {key!r} is {value!r}, must be one of {', '.join(option.words)}")
        return text if text in option.words else option.words[number]
    if not _WHOLE.fullmatch(text):
        raise OptionError(f"option {key!r} is {value!r}, a number is expected; times are in milliseconds")
    return text


def _named(key: str, value: object) -> str:
    """Addresses with a comma between them, or the name of an interface."""
    listed = value if isinstance(value, list | tuple) else str(value).split(",")
    texts = [str(one).strip() for one in listed]
    if key.replace("-", "_").startswith("arp"):
        try:
            return ",".join(str(IPv4Address(text)) for text in texts)
        except AddressValueError as error:
            raise OptionError(f"option {key!r} is {value!r}, IPv4 addresses are expected") from error
    if len(texts) != 1 or not _INTERFACE.fullmatch(texts[0]):
        raise OptionError(f"option {key!r} is {value!r}, the name of a member is expected")
    return texts[0]

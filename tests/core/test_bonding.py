"""Options of bonds and bridges: both languages that people write them in, and the values that there are."""

from __future__ import annotations

import pytest

from provd.core.bonding import BOND, OptionError, bond_in_kernel, bond_in_netplan, bridge_in_netplan, option_fault

KERNEL: dict[str, object] = {
    "mode": 4, "miimon": 50, "updelay": 100, "downdelay": 200, "lacp_rate": 1, "xmit_hash_policy": "layer3+4",
    "ad_select": "bandwidth", "min_links": 2, "fail_over_mac": "active", "resend_igmp": "3", "all_slaves_active": True,
}  # fmt: skip
NETPLAN: dict[str, object] = {
    "mode": "802.3ad", "mii-monitor-interval": 50, "up-delay": 100, "down-delay": 200, "lacp-rate": "fast",
    "transmit-hash-policy": "layer3+4", "ad-select": "bandwidth", "min-links": 2, "fail-over-mac-policy": "active",
    "resend-igmp": 3, "all-slaves-active": True,
}  # fmt: skip


def test_both_languages_become_either() -> None:
    assert bond_in_netplan(KERNEL) == bond_in_netplan(NETPLAN) == NETPLAN
    assert bond_in_kernel(KERNEL) == bond_in_kernel(NETPLAN)
    assert bond_in_kernel(NETPLAN) == {
        "mode": "802.3ad", "miimon": "50", "updelay": "100", "downdelay": "200", "lacp_rate": "fast",
        "xmit_hash_policy": "layer3+4", "ad_select": "bandwidth", "min_links": "2", "fail_over_mac": "active",
        "resend_igmp": "3", "all_slaves_active": "1",
    }  # fmt: skip


def test_a_bond_is_always_watched() -> None:
    assert bond_in_kernel({}) == {"mode": "active-backup", "miimon": "100"}
    assert bond_in_kernel({"primary": "eth0"}) == {"mode": "active-backup", "primary": "eth0", "miimon": "100"}
    arp = {"arp-interval": 200, "arp-ip-targets": ["10.0.0.1", "10.0.0.2"]}
    assert bond_in_kernel(arp) == {"mode": "active-backup", "arp_interval": "200", "arp_ip_target": "10.0.0.1,10.0.0.2"}
    assert bond_in_netplan({"arp_ip_target": "10.0.0.1", "arp_interval": 1})["arp-ip-targets"] == ["10.0.0.1"]


@pytest.mark.parametrize("name", BOND)
def test_every_option_has_one_name_in_each_language(name: str) -> None:
    value: object = "10.0.0.1" if name == "arp_ip_target" else "eth0" if name == "primary" else 1
    made = bond_in_kernel({name: value})
    assert made == bond_in_kernel({BOND[name].netplan: value}) == bond_in_kernel({name.replace("_", "-"): value})
    assert set(bond_in_netplan({name: value})) <= {option.netplan for option in BOND.values()}


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("bond", {"miimonn": 1}, "option 'miimonn' of a bond is not known; did you mean miimon?"),
        ("bond", {"zz": 1}, "option 'zz' of a bond is not known; there are: mode, miimon, "),
        ("bond", {"mode": "lacp"}, "option 'mode' is 'lacp', must be one of balance-rr, active-backup"),
        ("bond", {"mode": 7}, "option 'mode' is 7, must be one of"),
        ("bond", {"miimon": "100ms"}, "option 'miimon' is '100ms', a number is expected; times are in milliseconds"),
        ("bond", {"miimon": -1}, "option 'miimon' is -1, a number is expected"),
        ("bond", {"miimon": [1]}, "option 'miimon' is [1], a number is expected"),
        ("bond", {"primary": "a b"}, "option 'primary' is 'a b', the name of a member is expected"),
        ("bond", {"arp_ip_target": "x"}, "option 'arp_ip_target' is 'x', IPv4 addresses are expected"),
        ("bridge", {"miimon": 1}, "option 'miimon' of a bridge is not one of stp, priority"),
        ("bridge", {"stp": "on"}, "option 'stp' is 'on', a number or true or false is expected"),
        ("vlan", {"mtu": 1400}, "option 'mtu': a vlan has none"),
    ],
)
def test_what_no_link_has_is_told(kind: str, options: dict[str, object], sentence: str) -> None:
    assert option_fault(kind, options).startswith(sentence)


def test_what_there_is_has_no_fault() -> None:
    assert [option_fault("bond", KERNEL), option_fault("bridge", {"forward_delay": 4}), option_fault("vlan", {})] == [
        ""
    ] * 3
    assert bridge_in_netplan({"forward_delay": 4, "stp": True}) == {"stp": 1, "forward-delay": 4}
    with pytest.raises(OptionError, match="option 'zz' of a bond"):
        bond_in_netplan({"zz": 1})

"""Network files of Fedora CoreOS (NetworkManager) and Flatcar (networkd)."""

from __future__ import annotations

from tests.fakes.ignition_machine import (
    BONDED,
    FIRST,
    NM,
    SECOND,
    changed,
    keyfile,
)


def test_a_card_by_dhcp_keeps_its_lease_on_both() -> None:
    parsed = keyfile(changed("coreos", interfaces=[FIRST, SECOND])[f"{NM}/eth0.nmconnection"])
    assert parsed["ethernet"]["mac-address"] == "52:54:00:AA:BB:CC"
    assert dict(parsed["ipv4"]) == {"method": "auto", "dhcp-client-id": "mac"}
    networkd = changed("flatcar", interfaces=[FIRST, SECOND])
    assert networkd["/etc/systemd/network/10-eth0.network"] == (
        "[Match]\nPermanentMACAddress=52:54:00:aa:bb:cc\n\n[Network]\nDHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\n"
    )
    assert "RequiredForOnline=no" in networkd["/etc/systemd/network/10-eth1.network"]


def test_a_static_network_writes_the_leased_address_down() -> None:
    values: dict[str, object] = {"interfaces": [FIRST], "interface": FIRST, "network": "static"}
    parsed = keyfile(changed("coreos", **values)[f"{NM}/eth0.nmconnection"])
    assert dict(parsed["ipv4"]) == {
        "method": "manual", "address1": "10.88.0.133/24,10.88.0.1", "dns": "10.88.0.1;", "dns-search": "lab.example;",
    }  # fmt: skip
    assert changed("flatcar", **values)["/etc/systemd/network/10-eth0.network"].endswith(
        "[Network]\nAddress=10.88.0.133/24\nGateway=10.88.0.1\nDNS=10.88.0.1\nDomains=lab.example\n"
    )


def test_a_bridge_on_a_vlan_on_a_bond_by_networkmanager() -> None:
    found = changed("coreos", interfaces=[FIRST, SECOND], interface=FIRST, links=BONDED)
    parsed = {
        path.removeprefix(f"{NM}/").removesuffix(".nmconnection"): keyfile(text)
        for path, text in found.items()
        if NM in path
    }
    assert set(parsed) == {"eth0", "eth1", "bond0", "bond0.7", "br0"}
    uuids = {name: one["connection"]["uuid"] for name, one in parsed.items()}
    assert len(set(uuids.values())) == 5
    for port in ("eth0", "eth1"):
        assert parsed[port]["connection"]["master"] == uuids["bond0"]
        assert parsed[port]["connection"]["slave-type"] == "bond"
        assert "ipv4" not in parsed[port]
    assert dict(parsed["bond0"]["bond"]) == {"mode": "802.3ad", "miimon": "100"}
    assert parsed["bond0"]["ipv4"]["address1"] == "10.88.0.9/24,10.88.0.1"
    assert dict(parsed["bond0.7"]["vlan"]) == {"flags": "1", "id": "7", "parent": uuids["bond0"]}
    assert parsed["bond0.7"]["connection"]["master"] == uuids["br0"]
    assert parsed["br0"]["bridge"]["stp"] == "false"
    assert parsed["br0"]["ipv4"]["method"] == "auto"


def test_a_bridge_on_a_vlan_on_a_bond_by_networkd() -> None:
    found = changed("flatcar", interfaces=[FIRST, SECOND], interface=FIRST, links=BONDED)
    at = {path.removeprefix("/etc/systemd/network/"): text for path, text in found.items() if "/network/" in path}
    assert "Bond=bond0\nLinkLocalAddressing=no" in at["10-eth0.network"]
    assert at["20-bond0.netdev"] == "[NetDev]\nName=bond0\nKind=bond\n\n[Bond]\nMode=802.3ad\nMIIMonitorSec=100ms\n"
    assert "VLAN=bond0.7\nAddress=10.88.0.9/24\nGateway=10.88.0.1\n" in at["20-bond0.network"]
    assert at["20-bond0.7.netdev"].endswith("[VLAN]\nId=7\n")
    assert "Bridge=br0" in at["20-bond0.7.network"]
    assert at["20-br0.netdev"].endswith("[Bridge]\nSTP=false\n")

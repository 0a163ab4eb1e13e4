"""A bond with an address of its own is the machine's way out: router and name servers go with it, in every family."""

from __future__ import annotations

import pytest

from plugins.installer_agama.network import connections as agama
from plugins.installer_autoinstall.network import network as netplan
from plugins.installer_autoyast.network import networking as autoyast
from provd.plugin.api import connections

CARD = {
    "name": "eth0", "mac": "52:54:00:aa:bb:cc", "address": "10.0.0.10", "netmask": "255.255.255.0", "prefix": 24,
    "gateway": "10.0.0.1", "dns": ["10.0.0.2"], "domain": "lab.example", "vars": {},
}  # fmt: skip
BOND = {
    "name": "bond0", "kind": "bond", "members": ["eth0"], "vlan": 0, "address": "10.0.0.10", "options": {}, "vars": {},
}  # fmt: skip
VALUES = {"interfaces": [CARD], "interface": CARD, "links": [BOND], "hostname": "web1", "network": "dhcp"}
ELSEWHERE = {**BOND, "address": "10.9.0.10", "vars": {"gateway": "10.9.0.254", "prefix": 20}}


@pytest.mark.parametrize("network", ["dhcp", "static"])
@pytest.mark.parametrize(("link", "router"), [(BOND, "10.0.0.1"), (ELSEWHERE, "10.9.0.254")])
def test_router_and_name_servers_of_a_bond_with_an_address(network: str, link: dict[str, object], router: str) -> None:
    values = {**VALUES, "network": network, "links": [link]}
    address = connections(values)[-1].address
    bond = netplan(values)["bonds"]["bond0"]
    assert bond["addresses"] == [address]
    assert bond["routes"] == [{"to": "0.0.0.0/0", "via": router}]
    assert bond["nameservers"] == {"addresses": ["10.0.0.2"], "search": ["lab.example"]}
    found = agama(values)[-1]
    assert (found["addresses"], found["gateway4"]) == ([address], router)
    assert (found["nameservers"], found["dnsSearchlist"]) == (["10.0.0.2"], ["lab.example"])
    section = autoyast(values, old=False)
    assert [route["gateway"] for route in section["routing"]["routes"]] == [router]
    assert (section["dns"]["nameservers"], section["dns"]["searchlist"]) == (["10.0.0.2"], ["lab.example"])


def test_a_link_of_another_subnet_has_no_router_that_it_cannot_reach() -> None:
    values = {**VALUES, "links": [{**BOND, "address": "10.9.0.10"}]}
    assert "routes" not in netplan(values)["bonds"]["bond0"]
    assert "gateway4" not in agama(values)[-1]
    assert "routing" not in autoyast(values, old=False)

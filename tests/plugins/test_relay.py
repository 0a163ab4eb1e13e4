"""The relay plugin alone: which subnet, which echo (RFC 3046, RFC 3011, RFC 3527, RFC 5107)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import msgspec
import pytest

from plugins.relay import PLUGIN, Relay, RelaySettings
from provd.core.client_facts import client_facts
from provd.model.dhcp import Destination, DhcpRequest, Reply
from provd.model.subnet import Subnet
from provd.wire.dhcp import decode
from tests.fakes.dhcp_world import DISCOVER, ip, request

ONE = Subnet("one", IPv4Network("10.1.0.0/24"))
TWO = Subnet("two", IPv4Network("10.2.0.0/24"), relays=(IPv4Address("10.255.0.2"),))
SUBNETS = (ONE, TWO)
REPLY = Reply(2, ip("10.1.0.9"), 0, b"", b"", {1: b"mask"}, ip("10.0.0.72"), Destination(ip("10.1.0.1"), 67))


def asked(giaddr: str, information: bytes | None = None, selection: str = "") -> DhcpRequest:
    options = {} if information is None else {82: information}
    if selection:
        options[118] = ip(selection).to_bytes(4)
    packet = decode(request(DISCOVER, giaddr=ip(giaddr), options=options))
    return DhcpRequest(packet, client_facts(packet), "eth0", ip("10.0.0.72"))


def sub_option(code: int, address: str) -> bytes:
    return bytes((code, 4)) + ip(address).to_bytes(4)


def test_the_subnet_that_giaddr_lies_in() -> None:
    assert Relay(RelaySettings()).provd_dhcp_subnet(asked("10.2.0.1"), SUBNETS) is TWO


def test_the_subnet_that_lists_giaddr_under_relays() -> None:
    assert Relay(RelaySettings()).provd_dhcp_subnet(asked("10.255.0.2"), SUBNETS) is TWO


def test_L08_none_for_an_unknown_relay() -> None:
    assert Relay(RelaySettings()).provd_dhcp_subnet(asked("10.3.0.1"), SUBNETS) is None


def test_none_for_a_client_on_the_link() -> None:
    assert Relay(RelaySettings()).provd_dhcp_subnet(asked("0.0.0.0"), SUBNETS) is None


@pytest.mark.parametrize(("honoured", "subnet"), [(True, ONE), (False, TWO)])
def test_L06_link_selection_is_honoured_where_it_is_switched_on(honoured: bool, subnet: Subnet) -> None:
    relay = Relay(RelaySettings(link_selection=honoured))
    assert relay.provd_dhcp_subnet(asked("10.2.0.1", sub_option(5, "10.1.0.0")), SUBNETS) is subnet


def test_L06_a_link_nobody_knows_is_no_reason_to_take_giaddrs_subnet() -> None:
    assert Relay(RelaySettings()).provd_dhcp_subnet(asked("10.2.0.1", sub_option(5, "10.9.0.0")), SUBNETS) is None


@pytest.mark.parametrize(("honoured", "subnet"), [(True, ONE), (False, TWO)])
def test_L06_subnet_selection_is_honoured_where_it_is_switched_on(honoured: bool, subnet: Subnet) -> None:
    relay = Relay(RelaySettings(subnet_selection=honoured))
    assert relay.provd_dhcp_subnet(asked("10.2.0.1", selection="10.1.0.0"), SUBNETS) is subnet


def test_L06_link_selection_comes_before_subnet_selection() -> None:
    relay = Relay(RelaySettings(subnet_selection=True))
    both = asked("10.2.0.1", sub_option(5, "10.2.0.0"), selection="10.1.0.0")
    assert relay.provd_dhcp_subnet(both, SUBNETS) is TWO


def test_other_subnets_after_a_reload_are_used() -> None:
    relay = Relay(RelaySettings())
    relay.provd_dhcp_subnet(asked("10.2.0.1"), SUBNETS)
    moved = replace(TWO, name="moved", relays=())
    assert relay.provd_dhcp_subnet(asked("10.2.0.1"), (ONE, moved)) is moved


def test_L01_option_82_goes_back_as_it_came() -> None:
    information = b"\x01\x06labbr1\xff\x00"
    changed = Relay(RelaySettings()).provd_dhcp_reply(asked("10.1.0.1", information), REPLY)
    assert changed == replace(REPLY, trailer=information)


def test_L03_nothing_changes_without_option_82() -> None:
    assert Relay(RelaySettings()).provd_dhcp_reply(asked("10.1.0.1"), REPLY) is None


@pytest.mark.parametrize(("honoured", "server"), [(True, "10.1.0.3"), (False, "10.0.0.72")])
def test_A12_the_server_identifier_of_the_relay(honoured: bool, server: str) -> None:
    relay = Relay(RelaySettings(server_override=honoured))
    changed = relay.provd_dhcp_reply(asked("10.1.0.1", sub_option(11, "10.1.0.3")), REPLY)
    assert changed is not None
    assert (changed.server_id, changed.destination) == (ip(server), REPLY.destination)


def test_L07_an_honoured_option_118_is_returned_unchanged() -> None:
    relay = Relay(RelaySettings(subnet_selection=True))
    changed = relay.provd_dhcp_reply(asked("10.2.0.1", selection="10.1.0.0"), REPLY)
    assert changed is not None
    assert changed.options == {1: b"mask", 118: ip("10.1.0.0").to_bytes(4)}


@pytest.mark.parametrize(("honoured", "subnet"), [(True, TWO), (False, None)])
def test_L06_subnet_selection_comes_before_the_receiving_interface(honoured: bool, subnet: Subnet | None) -> None:
    """RFC 3011 section 2: it overrides whatever way the server has, the link too."""
    relay = Relay(RelaySettings(subnet_selection=honoured))
    assert relay.provd_dhcp_subnet(asked("0.0.0.0", selection="10.2.0.0"), SUBNETS) is subnet


@pytest.mark.parametrize(("selection", "honoured"), [("10.2.0.0", True), ("10.9.0.0", False)])
def test_L07_option_118_of_a_client_on_the_link_is_returned_where_it_was_honoured(
    selection: str, honoured: bool
) -> None:
    relay, direct = Relay(RelaySettings(subnet_selection=True)), asked("0.0.0.0", selection=selection)
    relay.provd_dhcp_subnet(direct, SUBNETS)
    changed = relay.provd_dhcp_reply(direct, REPLY)
    assert (changed is not None and 118 in changed.options) is honoured


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `link_selecton`"):
        msgspec.convert({"link_selecton": True}, PLUGIN.settings)

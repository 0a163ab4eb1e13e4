"""What a reply carries: rules D002 to D019 and P03 to P13 (RFC 2131 section 4.3.1, RFC 2132, RFC 4578, PXE 2.1)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from provd.model.boot import BootFile
from provd.model.dhcp import OptionSet
from provd.wire.dhcp import decode
from provd.wire.pxe import decode_pxe_options
from tests.fakes.dhcp_world import (
    DISCOVER,
    INFORM,
    MAC,
    OFFER,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_profile,
    a_system,
    ip,
    request,
)

PXE = {60: b"PXEClient:Arch:00007:UNDI:003000", 93: b"\0\7", 97: b"\0" + bytes(range(16))}
HTTP = {60: b"HTTPClient:Arch:00016:UNDI:003000", 93: b"\0\x10", 97: b"\0" + bytes(range(16))}


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def offer(
    world: DhcpWorld, options: dict[int, bytes] | None = None, flags: int = 0, wanted: bytes = b""
) -> dict[int, bytes]:
    """Options of the OFFER."""
    options = {**(options or {}), **({55: wanted} if wanted else {})}
    sent = world.answer(request(DISCOVER, options=options, flags=flags))
    assert sent.kind == OFFER
    return dict(sent.packet.options)


def test_D002_a_reply_copies_the_header_of_the_request(world: DhcpWorld) -> None:
    data = request(DISCOVER, xid=0xDEADBEEF, flags=0x8000, secs=99)
    data = data[:34] + b"0123456789" + data[44:]
    reply = world.answer(data).packet
    packet = decode(data)
    for name in ("xid", "flags", "giaddr", "chaddr", "htype", "hlen"):
        assert getattr(reply, name) == getattr(packet, name)
    assert (reply.op, reply.secs, reply.hops) == (2, 0, 0)


def test_D003_the_message_type_is_in_every_reply(world: DhcpWorld) -> None:
    world.dora()
    world.ask(request(REQUEST, wanted=ip("10.88.0.105")))
    assert [sent.packet.options[53] for sent in world.sent] == [b"\x02", b"\x05", b"\x06"]


@pytest.mark.parametrize(("asked", "most"), [(None, 548), (100, 548), (576, 548), (1472, 1444), (65280, 1472)])
def test_D008_a_reply_is_never_larger_than_the_client_and_the_link_take(
    world: DhcpWorld, asked: int | None, most: int
) -> None:
    filler = {code: bytes([code]) * 200 for code in range(224, 240)}
    world.hooks.sets = [("big", OptionSet(filler, force=True))]
    options = {} if asked is None else {57: asked.to_bytes(2)}
    data = world.answer(request(DISCOVER, options=options)).data
    assert most - 210 < len(data) <= most


def test_D008_the_ack_to_OVMF_that_says_65280_fits_the_interfaces_mtu(world: DhcpWorld) -> None:
    world.hooks.sets = [("big", OptionSet(dict.fromkeys(range(224, 250), b"x" * 250), force=True))]
    data = world.answer(request(DISCOVER, options={57: b"\xff\x00"}), mtu=1400).data
    assert len(data) <= 1400 - 28


def test_D009_the_least_important_options_go_first(world: DhcpWorld) -> None:
    world.hooks.sets = [("big", OptionSet(dict.fromkeys(range(224, 230), b"x" * 250), force=True))]
    options = offer(world, {61: b"\x01" + MAC})
    assert {1, 3, 6, 51, 53, 54, 61} <= set(options)
    assert world.service.counters.trimmed > 0


def test_D012_unknown_options_are_no_reason_to_refuse(world: DhcpWorld) -> None:
    assert offer(world, dict.fromkeys((128, 175, 203, 235, 254), b"\x01"))


def test_D013_50_55_and_57_are_not_in_replies(world: DhcpWorld) -> None:
    assert not {50, 55, 57} & set(offer(world, {57: b"\x05\xdc", 50: b"\x0a\x58\0\x64"}, wanted=b"\x01\x32\x37\x39"))


def test_D014_the_order_is_the_clients(world: DhcpWorld) -> None:
    world.configure(domain="lab.example", ntp=(IPv4Address("10.88.0.9"),))
    codes = [code for code in offer(world, wanted=bytes([42, 15, 6, 3, 1])) if code in {42, 15, 6, 3, 1}]
    assert codes == [42, 15, 6, 1, 3]


def test_D015_the_mask_stands_before_the_router(world: DhcpWorld) -> None:
    codes = list(offer(world, wanted=bytes([3, 1])))
    assert codes.index(1) < codes.index(3)


def test_D016_only_what_is_configured_is_sent(world: DhcpWorld) -> None:
    options = offer(world, wanted=bytes(range(1, 255)))
    assert all(options.values())
    assert set(options) == {1, 3, 6, 28, 51, 53, 54, 58, 59}


def test_D016_what_nobody_asked_for_is_not_sent(world: DhcpWorld) -> None:
    world.configure(ntp=(IPv4Address("10.88.0.9"),))
    assert {28, 42} & set(offer(world, wanted=b"\x01\x03\x06")) == set()
    assert {28, 42} <= set(offer(world))


def test_D019_a_hostile_host_name_is_cleaned_or_dropped(world: DhcpWorld) -> None:
    world.dora(options={12: b"Web_1; rm -rf /\0"})
    assert world.store.rows[ip("10.88.0.100")].hostname == "web-1-rm--rf"
    world.dora(options={12: b"\0\xff;;"}, xid=8)
    assert world.store.rows[ip("10.88.0.100")].hostname == ""


def test_trap_option_6_is_always_sent_with_our_address_where_none_is_configured(world: DhcpWorld) -> None:
    assert offer(world, wanted=b"\x01")[6] == SERVER.to_bytes(4)
    world.configure(dns=(IPv4Address("9.9.9.9"), IPv4Address("1.1.1.1")))
    assert offer(world, wanted=b"\x01")[6] == bytes([9, 9, 9, 9, 1, 1, 1, 1])


def test_a_configured_option_is_sent_unasked(world: DhcpWorld) -> None:
    world.configure(options={"pcode": "CET"})
    assert offer(world, wanted=b"\x01")[100] == b"CET"


def test_of_two_plugins_the_first_wins_and_the_conflict_is_reported(
    world: DhcpWorld, logged_sentences: list[str]
) -> None:
    world.hooks.sets = [("one", OptionSet({252: b"1"})), ("two", OptionSet({252: b"2"}))]
    assert offer(world)[252] == b"1"
    assert logged_sentences == ["option wpad: plugin two wants another value than plugin one, which comes first"]


def test_a_wrong_option_in_a_profile_is_reported_and_the_others_are_sent(
    world: DhcpWorld, logged_sentences: list[str]
) -> None:
    world.systems.profiles["web"] = a_profile(options={"routers": "not an address", "pcode": "CET"})
    world.know(a_system(profile="web"))
    assert offer(world)[100] == b"CET"
    assert len(logged_sentences) == 1
    assert logged_sentences[0].startswith("profile web: option routers")


def test_a_system_is_told_its_host_name(world: DhcpWorld) -> None:
    world.know(a_system("web1"))
    assert offer(world, wanted=b"\x01")[12] == b"web1"


@pytest.mark.parametrize("client", [PXE, HTTP])
def test_P03_option_97_is_echoed_to_boot_clients(world: DhcpWorld, client: dict[int, bytes]) -> None:
    ack = world.dora(options=client)
    assert [sent.packet.options[97] for sent in (world.sent[0], ack)] == [client[97]] * 2


def test_P04_a_pxe_client_needs_no_option_60_back(world: DhcpWorld) -> None:
    assert 60 not in offer(world, PXE)


def test_P05_an_http_client_gets_HTTPClient_back_and_an_absolute_uri_in_67_and_file(world: DhcpWorld) -> None:
    world.director.file = BootFile("grub/grubx64.efi", transport="http")
    sent = world.answer(request(DISCOVER, options=HTTP))
    uri = b"http://10.88.0.1/grub/grubx64.efi"
    assert (sent.packet.options[60], sent.packet.options[67], sent.packet.file) == (b"HTTPClient", uri, uri)


def vendor(world: DhcpWorld, options: dict[int, bytes]) -> dict[int, bytes] | None:
    """Sub-options of option 43 in the offer to a client."""
    sent = world.answer(request(DISCOVER, options=options)).packet.options
    return decode_pxe_options(sent[43]) if 43 in sent else None


def test_P07_row_5_a_pxe_client_loads_the_file_at_once_and_looks_for_no_other_server(world: DhcpWorld) -> None:
    assert vendor(world, PXE) == {6: bytes((0b1011,))}
    # Also where its list does not name option 43.
    assert 43 in offer(world, PXE, wanted=b"\x01")


@pytest.mark.parametrize("client", [{}, {60: b"d-i"}, {60: b"PXE"}, HTTP])
def test_P06_other_clients_never_get_it(world: DhcpWorld, client: dict[int, bytes]) -> None:
    world.configure(options={"pxe": {"menu": [{"type": 0, "text": "Local"}]}})
    assert vendor(world, client) is None


def test_P06_a_client_that_boots_nothing_gets_none(world: DhcpWorld) -> None:
    world.director.file = None
    assert vendor(world, PXE) is None


def test_P06_the_most_particular_place_says_what_it_holds(world: DhcpWorld) -> None:
    def prompt(text: str) -> dict[str, object]:
        return {"pxe": {"prompt": {"text": text}}}

    assert vendor(world, PXE) == {6: b"\x0b"}
    world.service.classify(prompt("global"), ())
    assert (vendor(world, PXE) or {})[10] == b"\0global"
    world.configure(options=prompt("subnet"))
    assert (vendor(world, PXE) or {})[10] == b"\0subnet"
    world.systems.profiles["web"] = a_profile(options=prompt("profile"))
    world.know(a_system(profile="web"))
    assert (vendor(world, PXE) or {})[10] == b"\0profile"
    world.know(replace(a_system(profile="web"), options=prompt("system")))
    assert (vendor(world, PXE) or {})[10] == b"\0system"


def test_P06_octets_by_number_stand_for_pxe_clients_where_nothing_else_is_said(world: DhcpWorld) -> None:
    world.configure(options={"43": "01:01:00"})
    assert world.answer(request(DISCOVER, options=PXE)).packet.options[43] == b"\1\1\0"
    assert world.answer(request(DISCOVER)).packet.options[43] == b"\1\1\0"
    world.configure(options={"43": "01:01:00", "pxe": {}})
    assert vendor(world, PXE) == {6: b"\x0b"}
    assert world.answer(request(DISCOVER)).packet.options[43] == b"\1\1\0"


def test_P06_octets_of_a_more_particular_place_stand_before_what_is_said_for_pxe_clients(world: DhcpWorld) -> None:
    world.service.classify({"pxe": {"prompt": {"text": "global"}}}, ())
    world.know(replace(a_system(), options={"43": "01:01:00"}))
    assert world.answer(request(DISCOVER, options=PXE)).packet.options[43] == b"\1\1\0"
    world.know(replace(a_system(), options={}))
    assert (vendor(world, PXE) or {})[10] == b"\0global"


def test_P04_option_60_is_sent_where_the_pxe_port_is_answered_and_to_pxe_clients_only(world: DhcpWorld) -> None:
    world.configure(mode="combined")
    assert offer(world, PXE)[60] == b"PXEClient"
    assert 60 not in offer(world)
    world.director.file = None
    assert 60 not in offer(world, PXE)


def test_P10_the_boot_file_stands_in_the_header_and_in_66_and_67(world: DhcpWorld) -> None:
    ack = world.dora(options=PXE)
    for packet in (world.sent[0].packet, ack.packet):
        assert (packet.siaddr, packet.file) == (SERVER, b"pxelinux.0")
        assert (packet.options[66], packet.options[67]) == (b"10.88.0.1", b"pxelinux.0")


def test_P10_the_boot_file_is_sent_although_the_list_lacks_66(world: DhcpWorld) -> None:
    assert {66, 67} <= set(offer(world, HTTP, wanted=b"\x01\x43"))


def test_P13_a_name_over_127_octets_stands_in_67_alone(world: DhcpWorld) -> None:
    name = "a" * 128
    world.director.file = BootFile(name)
    sent = world.answer(request(DISCOVER, options=PXE))
    assert (sent.packet.options[67], sent.packet.file) == (name.encode(), b"")
    world.director.file = BootFile("a" * 127)
    assert world.answer(request(DISCOVER, options=PXE)).packet.file == b"a" * 127


def test_options_of_the_boot_loader_are_for_its_clients(world: DhcpWorld) -> None:
    world.director.file = BootFile("pxelinux.0", options={209: b"cfg"})
    assert offer(world, PXE, wanted=b"\x01")[209] == b"cfg"
    assert 209 not in offer(world)


@pytest.mark.parametrize("vendor", [b"", b"d-i", b"udhcp 1.36"])
def test_row_9_a_plain_client_gets_an_address_and_no_boot_file(world: DhcpWorld, vendor: bytes) -> None:
    ack = world.dora(options={60: vendor} if vendor else {})
    assert (ack.packet.siaddr, ack.packet.file) == (0, b"")
    assert not {60, 66, 67} & set(ack.packet.options)
    assert world.director.asked == []


def test_a_boot_client_without_a_loader_gets_an_address_and_no_boot_file(world: DhcpWorld) -> None:
    world.director.file = None
    ack = world.dora(options=PXE)
    assert (ack.packet.siaddr, ack.packet.file) == (0, b"")
    assert not {66, 67} & set(ack.packet.options)


def test_row_72_the_director_hears_the_address_and_the_server(world: DhcpWorld) -> None:
    world.dora(options=PXE)
    assert world.director.asked == [(ip("10.88.0.100"), "10.88.0.1")] * 2


def test_a_plugin_may_change_the_reply(world: DhcpWorld) -> None:
    world.hooks.change = lambda reply: replace(reply, siaddr=1, server_id=2)
    sent = world.answer(request(DISCOVER))
    assert (sent.packet.siaddr, sent.packet.options[54]) == (1, b"\0\0\0\2")


def test_a_plugins_reply_that_cannot_be_encoded_is_counted_and_not_sent(world: DhcpWorld) -> None:
    world.hooks.change = lambda reply: replace(reply, file=b"x" * 200)
    assert world.ask(request(DISCOVER)) == []
    assert world.service.counters.dropped["reply not encodable"] == 1


def test_labels_of_plugins_reach_the_later_hooks(world: DhcpWorld) -> None:
    world.hooks.given_labels = frozenset({"lab"})
    world.dora()
    assert world.director.heard[-1].request.client.labels == {"lab"}


def test_a_wrong_option_of_a_subnet_is_left_out_alone(world: DhcpWorld, logged_sentences: list[str]) -> None:
    world.configure(options={"routers": "none", "pcode": "CET", "100": "UTC", "tcode": "UTC"}, domain="lab.example")
    options = offer(world)
    assert (options[15], options[101]) == (b"lab.example", b"UTC")
    assert logged_sentences == ["subnet lab: option routers: 'none' is not one or more IPv4 addresses"]


def test_T1_and_T2_may_be_configured_while_they_are_in_order(world: DhcpWorld) -> None:
    world.configure(options={"dhcp-renewal-time": 600, "dhcp-rebinding-time": 1200})
    options = offer(world)
    assert [int.from_bytes(options[code]) for code in (58, 59, 51)] == [600, 1200, 3600]
    short = world.answer(request(DISCOVER, options={51: (1000).to_bytes(4)}, xid=8)).packet.options
    assert [int.from_bytes(short[code]) for code in (58, 59, 51)] == [500, 875, 1000]


def test_X06_an_inform_is_told_no_times_though_they_are_configured(world: DhcpWorld) -> None:
    world.configure(options={"dhcp-renewal-time": 600})
    ack = world.answer(request(INFORM, ciaddr=ip("10.88.0.50")), source=ip("10.88.0.50"))
    assert not {51, 58, 59} & set(ack.packet.options)


@pytest.mark.parametrize("code", [108, 116])
def test_O12_options_only_for_those_who_ask_are_not_sent_unasked(world: DhcpWorld, code: int) -> None:
    world.configure(options={str(code): 1})
    assert code not in offer(world)
    assert code not in offer(world, wanted=b"\x01\x03")
    assert code in offer(world, wanted=bytes([1, 3, code]))


def test_sub_options_of_43_reach_the_client_as_they_were_written(world: DhcpWorld) -> None:
    world.configure(options={"43": {"suboptions": {"241": {"ips": ["10.0.0.5", "10.0.0.6"]}, "1": "ap"}}})
    assert offer(world)[43].hex() == "f1080a0000050a000006" + "01026170"


@pytest.mark.parametrize(("length", "size"), [(128, 0), (200, 0), (300, 1500)])
def test_67_of_a_person_may_be_longer_than_the_header_field(world: DhcpWorld, length: int, size: int) -> None:
    name = "x" * length
    world.configure(options={"boot-file-name": name})
    sent = world.answer(request(DISCOVER, options={57: size.to_bytes(2)} if size else {}))
    assert (sent.packet.options[67], sent.packet.file) == (name.encode(), b"")
    assert len(sent.data) <= max(size, 576) - 28

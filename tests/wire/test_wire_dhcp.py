"""The DHCP codec, rule by rule; ids are those of the conformance table."""

from __future__ import annotations

import struct

import pytest

from provd.wire import codes
from provd.wire.dhcp import DhcpPacket, decode, decode_request, encode, reply_to
from provd.wire.errors import WireError

COOKIE = b"\x63\x82\x53\x63"
CHADDR = bytes.fromhex("525400880012") + bytes(range(10))


def message(options: bytes, *, op: int = 1, hlen: int = 6, sname: bytes = b"", file: bytes = b"") -> bytes:
    head = struct.pack("!BBBBIHHIIII", op, 1, hlen, 2, 0xCAFE, 7, 0x8000, 1, 2, 3, 4)
    return head + CHADDR + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + COOKIE + options


def reply(options: dict[int, bytes], *, sname: bytes = b"", file: bytes = b"") -> DhcpPacket:
    request = decode(message(b"\x35\x01\x01\xff"))
    return reply_to(request, options, yiaddr=0x0A000005, siaddr=0x0A000001, sname=sname, file=file)


def wire_codes(data: bytes) -> list[int]:
    """Codes in the options field as they stand on the wire."""
    found, at = [], 240
    while data[at] != 255:
        found.append(data[at])
        at += 2 + data[at + 1]
    return found


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "message: 0 octets"),
        (message(b"")[:239], "message: 239 octets"),
        (message(b"") + bytes(17000), "message: 17240 octets"),
        (message(b"", op=0), "op at octet 0: 0 is neither"),
        (message(b"", op=3), "op at octet 0: 3 is neither"),
        (message(b"", hlen=17), "hlen at octet 2: 17 is longer"),
        (message(b"")[:236] + bytes(4), "magic cookie at octet 236: is not 99.130.83.99"),
    ],
)
def test_d001_what_is_no_message_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        decode(data)


def test_d001_only_requests_are_answered() -> None:
    assert decode(message(b"\xff", op=2)).op == 2
    with pytest.raises(WireError, match="2 is a reply"):
        decode_request(message(b"\xff", op=2))


def test_header_fields_and_bootp_without_option_53() -> None:
    packet = decode(message(b"\xff", sname=b"srv\0junk", file=b"f" * 128))
    assert (packet.op, packet.htype, packet.hlen, packet.hops, packet.xid, packet.secs) == (1, 1, 6, 2, 0xCAFE, 7)
    assert (packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr) == (1, 2, 3, 4)
    assert (packet.sname, packet.file) == (b"srv", b"f" * 128)
    assert packet.mac == bytes.fromhex("525400880012")
    assert packet.broadcast
    assert packet.message_type == codes.MessageType.BOOTP


def test_d002_reply_copies_the_fields_of_table_3() -> None:
    request = decode(message(b"\x35\x01\x01\xff"))
    answer = reply_to(request, {53: b"\x02"}, yiaddr=9)
    assert (answer.op, answer.xid, answer.flags, answer.giaddr) == (2, request.xid, request.flags, request.giaddr)
    assert (answer.chaddr, answer.htype, answer.hlen) == (CHADDR, 1, 6)
    assert (answer.secs, answer.hops, answer.ciaddr, answer.yiaddr) == (0, 0, 0, 9)
    assert reply_to(request, {}, flags=0).flags == 0


def test_d003_type_first_end_last() -> None:
    data = encode(reply({6: b"abcd", 51: b"\0\0\1\0", 54: b"\n\0\0\1", 53: b"\x02"}), min_size=0).data
    assert wire_codes(data) == [53, 54, 51, 6]
    assert data[-1] == 255


def test_d004_padding_anywhere_and_nothing_after_end() -> None:
    packet = decode(message(b"\0\0\x35\x01\x01\0\x0c\x02ab\0\xff\x0c\x09z"))
    assert dict(packet.options) == {53: b"\x01", 12: b"ab"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, {53: b"\x01", 12: b"file"}), (2, {53: b"\x01", 12: b"sname"}), (3, {53: b"\x01", 12: b"filesname"})],
)
def test_d005_overload_reads_file_before_sname(value: int, expected: dict[int, bytes]) -> None:
    options = b"\x35\x01\x01\x34\x01" + bytes((value,)) + b"\xff"
    packet = decode(message(options, file=b"\x0c\x04file\xff", sname=b"\x0c\x05sname\xff"))
    assert dict(packet.options) == expected
    assert packet.file == (b"" if value & 1 else b"\x0c\x04file\xff")
    assert packet.sname == (b"" if value & 2 else b"\x0c\x05sname\xff")


@pytest.mark.parametrize("overload", [b"\x34\x01\x00", b"\x34\x01\x04", b"\x34\x00", b"\x34\x02\x01\x01"])
def test_d005_other_overload_values_mean_none(overload: bytes) -> None:
    packet = decode(message(overload + b"\xff", file=b"boot"))
    assert packet.file == b"boot"
    assert not packet.options


def test_d005_an_overloaded_field_cannot_overload_again() -> None:
    packet = decode(message(b"\x34\x01\x01\xff", file=b"\x34\x01\x02\xff", sname=b"name"))
    assert packet.sname == b"name"
    assert codes.OVERLOAD not in packet.options


def test_d006_instances_are_joined_across_fields() -> None:
    options = b"\x43\x02ab\x34\x01\x03\x43\x01c\xff"
    packet = decode(message(options, file=b"\x43\x01d\xff", sname=b"\x43\x01e\xff"))
    assert packet.options[67] == b"abcde"


def test_d007_a_long_option_leaves_in_instances() -> None:
    value = bytes(range(256)) * 3
    data = encode(reply({53: b"\x02", 43: value}), max_size=1500).data
    assert wire_codes(data) == [53, 43, 43, 43, 43]
    assert decode(data).options[43] == value


@pytest.mark.parametrize("max_size", [0, 300, 576, 1000, 1500])
def test_d008_never_larger_than_the_client_takes(max_size: int) -> None:
    options = {53: b"\x02"} | {code: bytes(40) for code in range(100, 180)}
    out = encode(reply(options), max_size=max_size)
    assert len(out.data) + 28 <= max(576, max_size)
    assert out.dropped


def test_d008_option_57_below_576_counts_as_576() -> None:
    assert decode(message(b"\x39\x02\x00\x10\xff")).max_size == 576
    assert decode(message(b"\x39\x02\x05\xc0\xff")).max_size == 1472
    assert decode(message(b"\x39\x01\x05\xff")).max_size == 576


def test_d009_overload_before_dropping() -> None:
    options = {53: b"\x02", 54: b"\n\0\0\1"} | {code: bytes(58) for code in range(100, 107)}
    out = encode(reply(options))
    assert out.dropped == ()
    assert codes.OVERLOAD in wire_codes(out.data)
    assert dict(decode(out.data).options) == options


def test_d009_header_names_are_never_overloaded() -> None:
    options = {53: b"\x02", 54: b"\n\0\0\1"} | {code: bytes(58) for code in range(100, 107)}
    out = encode(reply(options, sname=b"server", file=b"pxelinux.0"))
    assert (decode(out.data).sname, decode(out.data).file) == (b"server", b"pxelinux.0")
    assert set(out.dropped) == {104, 105, 106}
    assert encode(reply(options), overload=False).dropped == out.dropped


def test_d009_least_important_first_and_never_cut() -> None:
    options = {
        53: b"\x02",
        200: bytes(200),
        201: bytes(200),
        202: b"x",
        6: bytes(40),
        61: b"\1" + bytes(6),
        1: bytes(4),
    }
    out = encode(reply(options, sname=b"s", file=b"f"))
    assert out.dropped == (201,)
    back = decode(out.data).options
    assert {code: back[code] for code in back} == {code: options[code] for code in options if code != 201}


def test_d009_what_the_client_asked_for_first_is_no_more_important() -> None:
    options = {53: b"\x02", 200: bytes(200), 6: bytes(40), 61: b"\1" + bytes(6), 1: bytes(4), 201: bytes(100)}
    out = encode(reply(options, sname=b"s", file=b"f"), requested=bytes([201, 200]))
    assert out.dropped == (200,)
    assert {1, 6, 61} <= decode(out.data).options.keys()


@pytest.mark.parametrize(("octets", "dropped"), [(100, ()), (101, (202,))])
def test_d008_d009_without_free_fields_the_last_octet_is_used(octets: int, dropped: tuple[int, ...]) -> None:
    out = encode(reply({53: b"\x02", 201: bytes(200), 202: bytes(octets)}, sname=b"s", file=b"f"))
    assert out.dropped == dropped
    assert dropped or len(out.data) == 548


@pytest.mark.parametrize(
    ("main", "file", "sname", "dropped"),
    [(97, 125, 61, ()), (98, 125, 61, (203,)), (97, 126, 61, (203,)), (97, 125, 62, (204,))],
)
def test_d009_free_fields_are_used_to_their_last_octet(
    main: int, file: int, sname: int, dropped: tuple[int, ...]
) -> None:
    # 548 octets: 240 of header and cookie, END, option 52, and 304 for options; 127 in file and 63 in sname beside END.
    out = encode(reply({53: b"\x02", 201: bytes(200), 202: bytes(main), 203: bytes(file), 204: bytes(sname)}))
    assert set(out.dropped) >= set(dropped)
    assert bool(out.dropped) == bool(dropped)
    assert len(out.data) <= 548


@pytest.mark.parametrize(("octets", "kept"), [(300, True), (301, False)])
def test_l03_option_82_takes_the_last_octet_and_no_more(octets: int, kept: bool) -> None:
    out = encode(reply({53: b"\x02", 202: bytes(9)}, sname=b"s", file=b"f"), trailer=(82, bytes(octets)))
    assert out.dropped == ((202,) if kept else (82,))


@pytest.mark.parametrize(("file", "sname", "flag"), [(b"", b"s", 1), (b"f", b"", 2)])
def test_d005_only_the_field_that_is_free_is_overloaded(file: bytes, sname: bytes, flag: int) -> None:
    size = 120 if flag == 1 else 60
    out = encode(reply({53: b"\x02", 201: bytes(250), 202: bytes(size)}, sname=sname, file=file))
    assert out.dropped == ()
    assert bytes((52, 1, flag)) in out.data[240:]
    assert (decode(out.data).file, decode(out.data).sname) == (file, sname)


def test_d009_what_must_stay_goes_last() -> None:
    options = {53: b"\x02", 54: bytes(4), 1: bytes(4), 6: bytes(400), 61: bytes(9)}
    out = encode(reply(options, sname=b"s", file=b"f"), trailer=(82, bytes(250)))
    assert out.dropped == (6,)
    assert wire_codes(out.data) == [53, 54, 1, 61, 82]


def test_d011_an_option_past_the_packet_discards_it() -> None:
    for options in (b"\x35", b"\x35\x01", b"\x0c\x05abcd", b"\x35\x01\x01\x0c\xff"):
        with pytest.raises(WireError, match=r"options at octet 24\d: option \d+ (says|has no length)"):
            decode(message(options))
    with pytest.raises(WireError, match="file at octet 108: option 12 says 200 octets, 126 are left"):
        decode(message(b"\x34\x01\x01\xff", file=b"\x0c\xc8"))


def test_d011_message_type_must_be_one_octet() -> None:
    for options in (b"\x35\x00\xff", b"\x35\x02\x01\x01\xff", b"\x35\x01\x01\x35\x01\x01\xff"):
        with pytest.raises(WireError, match=r"option 53: is . octets long"):
            decode(message(options))


def test_d012_unknown_options_are_kept() -> None:
    assert decode(message(b"\xe0\x01x\xfe\x00\xff")).options == {224: b"x", 254: b""}


def test_d013_requests_only_options_stay_out_of_replies() -> None:
    options = {53: b"\x02", 50: bytes(4), 55: b"\1", 57: b"\5\xc0"}
    assert wire_codes(encode(reply(options)).data) == [53]


def test_d014_replies_follow_the_request_list() -> None:
    options = {53: b"\x05", 54: bytes(4), 51: bytes(4), 6: bytes(4), 15: b"lan", 42: bytes(4), 1: bytes(4), 3: bytes(4)}
    data = encode(reply(options), requested=bytes((42, 15, 15, 99, 3, 1))).data
    assert wire_codes(data) == [53, 54, 51, 42, 15, 1, 3, 6]


def test_d015_mask_before_router() -> None:
    assert wire_codes(encode(reply({3: bytes(4), 1: bytes(4), 53: b"\x02"})).data) == [53, 1, 3]
    assert wire_codes(encode(reply({3: bytes(4), 1: bytes(4)}), requested=b"\x03\x01").data) == [1, 3]


def test_l01_l02_option_82_is_echoed_last_and_whole() -> None:
    relay = bytes.fromhex("01066c6162627231ff00")
    for out in (
        encode(reply({53: b"\x02", 6: bytes(4)}), trailer=(82, relay), min_size=0),
        encode(reply({82: relay, 53: b"\x02", 6: bytes(4)}), min_size=0),
    ):
        assert wire_codes(out.data) == [53, 6, 82]
        assert decode(out.data).relay_information == relay


def test_l02_option_82_stays_out_of_overloaded_fields() -> None:
    relay = bytes(200)
    out = encode(reply({53: b"\x02"} | {code: bytes(30) for code in range(100, 108)}), trailer=(82, relay))
    assert wire_codes(out.data)[-1] == 82
    assert decode(out.data).relay_information == relay


@pytest.mark.parametrize("size", [90, 100, 110, 120])
def test_l02_the_room_of_option_82_is_taken_from_the_others(size: int) -> None:
    options = {53: b"\x02"} | {code: bytes(20) for code in range(100, 115)}
    out = encode(reply(options, sname=b"s", file=b"f"), trailer=(82, bytes(size)))
    assert len(out.data) + 28 <= 576
    assert decode(out.data).relay_information == bytes(size)
    assert out.dropped == tuple(range(100 + (307 - 3 - size - 2) // 22, 115))


def test_l03_option_82_goes_first_when_only_the_kept_are_left() -> None:
    options = {53: b"\x02", 54: bytes(4), 51: bytes(4), 1: bytes(4), 3: bytes(4), 6: bytes(60), 61: bytes(7)}
    out = encode(reply(options, sname=b"s", file=b"f"), trailer=(82, bytes(255)))
    assert out.dropped == (82,)
    assert decode(out.data).options == options


def test_requests_keep_their_order() -> None:
    request = decode(message(b"\x3d\x01x\x35\x01\x01\x37\x01\x03\xff"))
    assert wire_codes(encode(request).data) == [61, 53, 55]


def test_padded_to_300_octets_by_default() -> None:
    assert len(encode(reply({53: b"\x02"})).data) == 300
    assert len(encode(reply({53: b"\x02"}), min_size=0).data) == 244


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (reply({0: b""}), "option 0: is made by the encoder"),
        (reply({255: b""}), "option 255: is made by the encoder"),
        (reply({52: b"\1"}), "option 52: is made by the encoder"),
        (reply({}, file=bytes(129)), "file: is 129 octets long"),
        (reply({}, sname=bytes(65)), "sname: is 65 octets long"),
        (DhcpPacket(2, 1, 6, 0, 1 << 32, 0, 0, 0, 0, 0, 0, bytes(16), b"", b"", {}), "header: a number does not fit"),
        (DhcpPacket(2, 1, 6, 0, 1, 0, 0, 0, 0, 0, 0, bytes(6), b"", b"", {}), "chaddr: is 6 octets long"),
    ],
)
def test_encode_refuses_what_does_not_fit(packet: DhcpPacket, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        encode(packet)


def test_getters_read_malformed_options_as_absent() -> None:
    packet = decode(message(b"\x32\x03abc\x33\x02ab\x36\x04\x0a\x00\x00\x01\xff"))
    assert packet.requested_address == 0
    assert packet.requested_lease_s is None
    assert packet.server_id == 0x0A000001
    assert (packet.client_id, packet.vendor_class, packet.requested_options, packet.relay_information) == (b"",) * 4
    assert decode(message(b"\x33\x04\xff\xff\xff\xff\xff")).requested_lease_s == 0xFFFFFFFF

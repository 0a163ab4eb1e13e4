"""Properties of every decoder: octets either decode or raise WireError, and what was encoded decodes to itself."""

from __future__ import annotations

import contextlib
import itertools
import random
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provd.wire import pxe, relay, tftp
from provd.wire.classless_routes import Route, decode_classless_routes, encode_classless_routes
from provd.wire.dhcp import KEEP, DhcpPacket, decode, encode
from provd.wire.domain_search import decode_domain_search, encode_domain_search
from provd.wire.errors import WireError
from provd.wire.hostname import client_name, decode_fqdn, sanitise_name
from provd.wire.options import OPTIONS, decode_option
from provd.wire.path import clean_path
from provd.wire.suboptions import decode_suboptions, encode_suboptions

PACKETS = Path(__file__).parent.parent / "golden" / "packets"
CAPTURES = [path.read_bytes() for path in sorted(PACKETS.glob("*.bin"))]
DHCP_CAPTURES = [data for data in CAPTURES if len(data) >= 240]
FIXED = st.binary(min_size=236, max_size=236)

u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
option_code = st.integers(1, 254).filter(lambda code: code not in {50, 52, 53, 55, 57})
options = st.dictionaries(option_code, st.binary(max_size=600), max_size=12)


def text_field(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=size).map(lambda raw: raw.replace(b"\0", b"_"))


packets = st.builds(
    DhcpPacket,
    op=st.sampled_from([1, 2]), htype=u8, hlen=st.integers(0, 16), hops=u8, xid=u32, secs=u16, flags=u16, ciaddr=u32,
    yiaddr=u32, siaddr=u32, giaddr=u32, chaddr=st.binary(min_size=16, max_size=16),
    sname=text_field(64), file=text_field(128),
    options=options.flatmap(lambda rest: st.integers(1, 8).map(lambda kind: {53: bytes((kind,)), **rest})),
)  # fmt: skip


@given(packets, st.binary(max_size=40))
def test_dhcp_round_trip_with_room(packet: DhcpPacket, requested: bytes) -> None:
    out = encode(packet, max_size=16384, requested=requested)
    assert out.dropped == ()
    assert decode(out.data) == packet


@given(packets, st.integers(576, 1600), st.booleans(), st.binary(max_size=40))
@settings(max_examples=300)
def test_dhcp_in_a_small_packet_loses_whole_options_only(
    packet: DhcpPacket, max_size: int, overload: bool, requested: bytes
) -> None:
    out = encode(packet, max_size=max_size, overload=overload, requested=requested)
    back = decode(out.data)
    assert len(out.data) + 28 <= max_size
    assert dict(back.options) == {code: value for code, value in packet.options.items() if code not in out.dropped}
    assert (back.sname, back.file) == (packet.sname, packet.file)
    assert 53 in back.options
    assert encode(back, max_size=max_size, overload=overload, requested=requested).dropped == ()
    kept_sizes = [len(packet.options[code]) for code in KEEP if code in packet.options]
    if sum(kept_sizes) + 2 * len(kept_sizes) < 290 and all(size < 256 for size in kept_sizes):
        assert not set(out.dropped) & set(KEEP)


DECODERS: list[Callable[[bytes], object]] = [
    decode,
    tftp.decode,
    decode_domain_search,
    decode_classless_routes,
    relay.decode_relay_information,
    pxe.decode_pxe_options,
    lambda data: decode(b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63" + data),
    lambda data: decode(b"\x01\x01\x06\x00" + data.ljust(232, b"\7")[:232] + b"\x63\x82\x53\x63\x34\x01\x03\xff"),
    *(lambda data, code=code: decode_option(code, data) for code in OPTIONS),
]
TOLERANT: list[Callable[[bytes], object]] = [
    pxe.decode_architectures,
    pxe.decode_ndi,
    pxe.decode_uuid,
    pxe.decode_vendor_class,
    pxe.decode_user_class,
    pxe.decode_ipxe,
    sanitise_name,
    decode_fqdn,
]


@given(st.binary(max_size=700))
@settings(max_examples=400)
def test_any_octets_decode_or_raise_wire_error(data: bytes) -> None:
    for decoder in DECODERS:
        with contextlib.suppress(WireError):
            decoder(data)
    for reader in TOLERANT:
        reader(data)
    client_name({12: data, 81: data})
    pxe.is_ipxe({77: data})


def test_c24_all_tftp_datagrams_of_up_to_four_octets() -> None:
    """Every datagram of 0 to 2 octets, and every opcode with every third and some fourth octets."""
    datagrams = itertools.chain(
        (bytes(head) for size in range(3) for head in itertools.product(range(256), repeat=size)),
        (bytes((0, op, third)) for op in range(256) for third in range(256)),
        (bytes((0, op, third, last)) for op in range(8) for third in range(256) for last in range(256)),
        (bytes((high, op, 0, last)) for high in (1, 127, 255) for op in range(256) for last in (0, 1, 255)),
    )
    refused = 0
    for datagram in datagrams:
        try:
            tftp.decode(datagram)
        except WireError:
            refused += 1
    assert refused > 65536


@pytest.mark.parametrize("data", [*CAPTURES, b"\0\x03\0\1abc", b"\0\4\0\1", b"\0\5\0\1no\0", b"\0\6tsize\x001\0"])
def test_c24_each_packet_cut_at_each_octet(data: bytes) -> None:
    decoder = decode if len(data) >= 240 else tftp.decode
    for size in range(len(data)):
        with contextlib.suppress(WireError):
            decoder(data[:size])


def cpu_seconds(decoder: Callable[[bytes], object], data: bytes) -> float:
    """Processor time of one decode, the best of three where the first was slow: a garbage collection is not the codec."""
    best = 1.0
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(WireError):
            decoder(data)
        best = min(best, time.process_time() - start)
        if best < 0.005:
            break
    return best


def test_c21_mutated_captures_decode_or_raise_wire_error_in_bounded_time() -> None:
    chooser = random.Random(20)
    for _ in range(20_000):
        data = bytearray(chooser.choice(CAPTURES))
        for _ in range(chooser.randrange(1, 8)):
            data[chooser.randrange(len(data))] = chooser.randrange(256)
        octets = bytes(data[: chooser.randrange(len(data))] if chooser.random() < 0.1 else data)
        decoder = decode if len(octets) >= 240 else tftp.decode
        assert cpu_seconds(decoder, octets) < 0.010


@pytest.mark.parametrize("filler", [b"\x07\x00", b"\x07\x01a", b"\x00", b"\x01\x00\x02\x00"])
def test_the_most_expensive_dhcp_packets_are_cheap(filler: bytes) -> None:
    data = b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63" + (filler * 16384)[: (16384 - 240) // 12 * 12]
    assert cpu_seconds(decode, data) < 0.010


def test_the_most_expensive_domain_lists_are_cheap() -> None:
    data = b"\x01a" * 126 + b"\0" + b"\xc0\x00" * 30000
    with pytest.raises(WireError, match="more than 128 names"):
        decode_domain_search(data)
    assert cpu_seconds(decode_domain_search, data) < 0.050


pieces = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=63).map(lambda text: bytes((len(text),)) + text),
        st.sampled_from([b"\x01a", b"\x01b", b"\0"]),
        st.integers(0, 300).map(lambda at: (0xC000 | at).to_bytes(2)),
    ),
    max_size=300,
).map(b"".join)


@given(pieces)
@settings(max_examples=400)
def test_c19_names_made_of_labels_and_pointers_end_within_their_limits(data: bytes) -> None:
    try:
        names = decode_domain_search(data)
    except WireError:
        return
    assert len(names) <= 128
    assert all(0 < len(name) <= 253 for name in names)
    # What was understood can be written again, and means the same.
    assert not names or decode_domain_search(encode_domain_search(names)) == names


def test_c19_a_chain_of_pointers_is_followed_32_times_and_no_further() -> None:
    def chain(pointers: int) -> bytes:
        """A name, then names of one label and a pointer to the one before."""
        return b"\x01a\0" + b"".join(
            b"\x01b" + (0xC000 | (0 if at == 0 else 3 + 4 * (at - 1))).to_bytes(2) for at in range(pointers)
        )

    assert len(decode_domain_search(chain(32))) == 33
    with pytest.raises(WireError, match="more than 32 pointers"):
        decode_domain_search(chain(33))


label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
domain = st.lists(label, min_size=1, max_size=5).map(".".join)


@given(st.lists(domain, min_size=1, max_size=20))
def test_domain_search_round_trip(names: list[str]) -> None:
    assert decode_domain_search(encode_domain_search(names)) == tuple(names)


def masked(prefix: int, network: int, router: int) -> Route:
    return Route(network & ~(0xFFFFFFFF >> prefix) & 0xFFFFFFFF, prefix, router)


@given(st.lists(st.builds(masked, st.integers(0, 32), u32, u32), min_size=1, max_size=10))
def test_classless_routes_round_trip(routes: list[Route]) -> None:
    assert decode_classless_routes(encode_classless_routes(routes)) == tuple(routes)


@given(st.dictionaries(st.integers(1, 254), st.binary(max_size=255), max_size=8), st.booleans())
def test_suboptions_round_trip(values: dict[int, bytes], markers: bool) -> None:
    assert decode_suboptions(encode_suboptions(values, "x", markers=markers), "x", markers=markers) == values


token = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


@given(
    st.booleans(),
    token,
    st.sampled_from(["octet", "netascii"]),
    st.dictionaries(token.map(str.lower), token, max_size=5),
)
def test_tftp_request_round_trip(write: bool, name: str, mode: str, values: dict[str, str]) -> None:
    request = tftp.Request(write, name, mode, values)
    assert tftp.decode(tftp.encode_request(request)) == request
    assert values == {} or tftp.decode(tftp.encode_option_ack(values)) == tftp.OptionAck(values)


@given(u16, st.binary(max_size=600))
def test_tftp_data_ack_error_round_trip(number: int, octets: bytes) -> None:
    assert tftp.decode(tftp.encode_data(number, octets)) == tftp.Data(number, octets)
    assert tftp.decode(tftp.encode_data(number + 0x10000, octets)) == tftp.Data(number, octets)
    assert tftp.decode(tftp.encode_ack(number)) == tftp.Ack(number)
    assert tftp.decode(tftp.encode_error(number, "gone")) == tftp.Error(number, "gone")


@given(st.text(max_size=60))
def test_t23_c20_a_clean_path_stays_inside(name: str) -> None:
    try:
        path = clean_path(name)
    except WireError:
        return
    parts = path.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert "\\" not in path
    assert "\0" not in path
    assert clean_path(path) == path


@given(st.binary(max_size=300))
def test_d019_a_cleaned_name_is_a_dns_name_or_empty(raw: bytes) -> None:
    name = sanitise_name(raw)
    assert len(name) <= 253
    for part in name.split(".") if name else []:
        assert 1 <= len(part) <= 63
        assert part.strip("-") == part
        assert all(character.isascii() and (character.isalnum() or character == "-") for character in part)
    assert sanitise_name(name.encode()) == name


def test_scapy_agrees_on_what_we_encode() -> None:
    from scapy.layers.dhcp import BOOTP

    packet = decode(DHCP_CAPTURES[0])
    codes = [code for code in range(1, 60) if code in OPTIONS and OPTIONS[code].codec.kind == "ip"]
    for code in codes:
        value = struct.pack("!I", 0x0A000000 + code)
        other = BOOTP(encode(replace(packet, options={53: b"\1", code: value})).data)
        found = [item for item in other.payload.options if isinstance(item, tuple) and item[0] != "message-type"]
        assert found[0][1] == f"10.0.0.{code}"

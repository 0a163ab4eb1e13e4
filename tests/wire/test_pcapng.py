"""Recordings: what is written is read again, other tools read it, and a damaged one is told in a sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.wire.errors import WireError
from provd.wire.ipv4_udp import Datagram, ip_udp_packet, read_packet
from provd.wire.pcapng import Frame, decode, encode

PACKET = ip_udp_packet(b"payload", 0x0A000001, 67, 0xFFFFFFFF, 68)
FRAMES = [
    Frame(1_700_000_000.123456, "eth1", True, PACKET, '{"kind": "dhcp"}', "place one"),
    Frame(1_700_000_001.0, "eth1", False, PACKET + b"\0", "", ""),
    Frame(1_700_000_002.5, "ueth", True, PACKET, "n", "place two"),
]


def test_what_is_written_is_read() -> None:
    assert decode(encode(FRAMES, "provd")) == FRAMES
    assert decode(encode([], "provd")) == []


def test_packets_come_apart_as_they_were_made() -> None:
    assert read_packet(PACKET) == Datagram(0x0A000001, 67, 0xFFFFFFFF, 68, b"payload")
    for wrong in (PACKET[:-1], b"", b"\x65" + PACKET[1:], PACKET[:9] + b"\x06" + PACKET[10:]):
        with pytest.raises(WireError):
            read_packet(wrong)


@pytest.mark.parametrize("cut", range(1, len(encode(FRAMES, "provd"))))
def test_every_cut_is_told(cut: int) -> None:
    """Only at the end of a block nothing is seen of it: there the rest is a whole, shorter recording."""
    with suppress(WireError):
        assert decode(encode(FRAMES, "provd")[:cut]) in (FRAMES[:0], FRAMES[:1], FRAMES[:2])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no pcapng file"),
        (b"\xd4\xc3\xb2\xa1" + bytes(20), "is no pcapng file, as provd record writes them"),  # classic pcap
        (b"not a recording at all", "is no pcapng file"),
        (encode(FRAMES, "provd")[:-4] + b"\0\0\0\0", "two lengths differ"),
    ],
)
def test_what_is_none(data: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        decode(data)


@given(st.binary(max_size=300), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_no_octets_raise_anything_else(noise: bytes, at: int, over: bytes) -> None:
    whole = encode(FRAMES, "provd")
    for data in (noise, whole[:at] + over + whole[at + len(over) :]):
        with suppress(WireError):
            decode(data)


def test_another_reader_reads_it(tmp_path: Path) -> None:
    """Scapy's, which knows nothing of provd."""
    from scapy.layers.inet import IP, UDP
    from scapy.utils import rdpcap

    file = tmp_path / "a.pcapng"
    file.write_bytes(encode(FRAMES, "provd"))
    first, *_ = packets = rdpcap(str(file))
    assert len(packets) == len(FRAMES)
    assert (first[IP].src, first[UDP].sport, bytes(first[UDP].payload)) == ("10.0.0.1", 67, b"payload")
    assert float(first.time) == FRAMES[0].at

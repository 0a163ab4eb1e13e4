"""The TFTP codec, rule by rule."""

from __future__ import annotations

import pytest

from provd.wire import tftp
from provd.wire.errors import WireError
from provd.wire.path import clean_path


def test_requests_with_options_in_order() -> None:
    request = tftp.decode(b"\0\1boot/GRUB.efi\0OCTET\0TSize\x000\0blksize\x001468\0")
    assert request == tftp.Request(False, "boot/GRUB.efi", "octet", {"tsize": "0", "blksize": "1468"})
    assert isinstance(request, tftp.Request)
    assert list(request.options) == ["tsize", "blksize"]
    assert tftp.decode(b"\0\2x\0netascii\0") == tftp.Request(True, "x", "netascii")


def test_t13_an_option_counts_once() -> None:
    request = tftp.decode(b"\0\1x\0octet\0blksize\x00512\0BLKSIZE\x009\0")
    assert request == tftp.Request(False, "x", "octet", {"blksize": "512"})


def test_t13_oack_has_nothing_after_its_last_nul() -> None:
    data = tftp.encode_option_ack({"blksize": "1408", "tsize": "7"})
    assert data == b"\0\6blksize\x001408\0tsize\x007\0"
    assert tftp.decode(data) == tftp.OptionAck({"blksize": "1408", "tsize": "7"})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "packet: 0 octets"),
        (b"\0\1a", "packet: 3 octets"),
        (b"\0\0ab", "opcode at octet 0: 0 is unknown"),
        (b"\0\7ab", "opcode at octet 0: 7 is unknown"),
        (b"\0\4\0\1x", "ACK: 5 octets"),
        (b"\0\1file\0octet", "RRQ at octet 11: does not end in NUL"),
        (b"\0\1file\0", "RRQ: has no transfer mode"),
        (b"\0\1\0octet\0", "RRQ: has an empty file name"),
        (b"\0\2f\0mail\0", "WRQ: asks for a mode that is neither octet nor netascii"),
        (b"\0\1f\0octet\0blksize\0", "RRQ: has an option without a value"),
        (b"\0\1f\xc3\xa4\0octet\0", "RRQ at octet 3: has a text that is not ASCII"),
        (b"\0\1" + b"f" * 520 + b"\0octet\0", "RRQ: 529 octets, at most 512"),
        (b"\0\6tsize\0", "OACK: has an option without a value"),
    ],
)
def test_t10_t11_t22_bad_packets_are_one_clear_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        tftp.decode(data)


def test_errors_are_read_generously() -> None:
    assert tftp.decode(b"\0\5\0\x08User aborted\0") == tftp.Error(8, "User aborted")
    assert tftp.decode(b"\0\5\0\1no nul") == tftp.Error(1, "no nul")
    assert tftp.decode(b"\0\5\0\0\xff\0") == tftp.Error(0, "\ufffd")
    assert tftp.encode_error(1, "caf\xe9\0secret") == b"\0\5\0\1caf?\0"


@pytest.mark.parametrize(
    "request_",
    [tftp.Request(False, "a\0b", "octet"), tftp.Request(False, "ä", "octet"), tftp.Request(False, "x" * 510, "octet")],
)
def test_requests_that_cannot_be_written(request_: tftp.Request) -> None:
    with pytest.raises(WireError, match="RRQ"):
        tftp.encode_request(request_)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("pxelinux.0", "pxelinux.0"),
        ("/pxelinux.0", "pxelinux.0"),
        ("//a///b/./c/", "a/b/c"),
        ("\\boot\\x64\\wdsnbp.com", "boot/x64/wdsnbp.com"),
        ("grub/mac/52:54:00:88:00:12.cfg", "grub/mac/52:54:00:88:00:12.cfg"),
        ("a..b/...", "a..b/..."),
        ("%2e%2e/x", "%2e%2e/x"),
    ],
)
def test_t23_paths_have_one_form(name: str, path: str) -> None:
    assert clean_path(name) == path


@pytest.mark.parametrize(
    "name",
    ["", "/", "..", "../etc/passwd", "a/../../b", "a/..", "..\\..\\x", "/../data-private/x", "a\0b", "a\nb", "\x7f"],
)
def test_t23_c20_paths_that_are_refused(name: str) -> None:
    with pytest.raises(WireError, match="file name"):
        clean_path(name)


@pytest.mark.parametrize("mode", [b"octet", b"OCTET", b"OcTeT", b"NetASCII"])
def test_t11_modes_may_be_written_in_any_case(mode: bytes) -> None:
    packet = tftp.decode(b"\0\1file\0" + mode + b"\0")
    assert isinstance(packet, tftp.Request)
    assert packet.mode == mode.decode().lower()

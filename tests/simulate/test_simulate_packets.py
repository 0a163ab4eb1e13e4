"""The simulated clients' packets are those of captured real ones, octet for octet."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from provd.simulate import firmware
from provd.simulate.actions import TftpGet
from provd.simulate.firmware import ClientStyle, Machine
from provd.simulate.tftp import TftpRead
from provd.wire import tftp
from provd.wire.dhcp import decode

GOLDEN = Path(__file__).parent.parent / "golden" / "packets"
CAPTURED = [
    ("bios-ipxerom.ipxe", firmware.BIOS_IPXE),
    ("bios-install.ipxe", firmware.BIOS_IPXE),
    ("uefi-ovmf-pxe.pxe", firmware.OVMF_PXE),
    ("uefi-ovmf-http.http", firmware.OVMF_HTTP),
    ("uefi-ovmf-http.grub", firmware.GRUB),
    ("uefi-aavmf-pxe.pxe", firmware.ARM64_PXE),
    ("uefi-aavmf-http.http", firmware.ARM64_HTTP),
    ("bios-install.di-udhcpc", firmware.DEBIAN_INSTALLER),
]


def _machine(mac: bytes) -> Machine:
    return Machine(mac, UUID(f"88880000-0000-4000-8000-{mac.hex()}"))


@pytest.mark.parametrize(("name", "style"), CAPTURED)
def test_discover_equals_the_captured_one(name: str, style: ClientStyle) -> None:
    raw = (GOLDEN / f"{name}.discover.bin").read_bytes()
    packet = decode(raw)
    assert firmware.discover(style, _machine(packet.mac), packet.xid) == raw


@pytest.mark.parametrize(("name", "style"), CAPTURED)
def test_request_equals_the_captured_one(name: str, style: ClientStyle) -> None:
    raw = (GOLDEN / f"{name}.request.bin").read_bytes()
    packet = decode(raw)
    made = firmware.request(style, _machine(packet.mac), packet.xid, packet.requested_address, packet.server_id)
    assert made == raw


@pytest.mark.parametrize(
    ("name", "path", "options"),
    [
        ("bios-ipxerom.pxelinux.0", "pxelinux.0", (("blksize", "1432"), ("tsize", "0"))),
        ("bios-ipxerom.ldlinux.c32", "ldlinux.c32", (("tsize", "0"), ("blksize", "1408"))),
        ("uefi-ovmf-pxe.bootnetx64.efi", "bootnetx64.efi", (("tsize", "0"), ("blksize", "1468"), ("windowsize", "4"))),
        ("uefi-ovmf-pxe.bootnetx64.efi-2", "bootnetx64.efi", (("blksize", "1468"), ("windowsize", "4"))),
        ("uefi-ovmf-pxe.grubx64.efi", "grubx64.efi", (("blksize", "512"), ("windowsize", "4"))),
        ("uefi-ovmf-pxe.grub.cfg", "/debian-installer/amd64/grub/grub.cfg", (("blksize", "1024"), ("tsize", "0"))),
    ],
)
def test_read_requests_equal_the_captured_ones(name: str, path: str, options: tuple[tuple[str, str], ...]) -> None:
    assert TftpRead(TftpGet("10.0.0.1", path, options)).first() == (GOLDEN / f"tftp-rrq.{name}.bin").read_bytes()


def test_a_read_with_windows_survives_a_lost_block() -> None:
    read = TftpRead(TftpGet("10.0.0.1", "x", (("blksize", "8"), ("windowsize", "2"))))
    assert read.received(tftp.encode_option_ack({"blksize": "8", "windowsize": "2"})) == [tftp.encode_ack(0)]
    assert read.received(tftp.encode_data(1, b"a" * 8)) == []
    assert read.received(tftp.encode_data(2, b"b" * 8)) == [tftp.encode_ack(2)]
    assert read.received(tftp.encode_data(4, b"late")) == [tftp.encode_ack(2)]
    assert read.again() == tftp.encode_ack(2)
    assert read.received(tftp.encode_data(3, b"end")) == [tftp.encode_ack(3)]
    assert read.result is not None
    assert read.result.body == b"a" * 8 + b"b" * 8 + b"end"


def test_a_read_goes_over_block_65535() -> None:
    read = TftpRead(TftpGet("10.0.0.1", "x"))
    for number in range(1, 65537):
        assert read.received(tftp.encode_data(number % 65536, b"x" * 512)) == [tftp.encode_ack(number % 65536)]
    read.received(tftp.encode_data(1, b""))
    assert read.result is not None
    assert len(read.result.body) == 65536 * 512


def test_errors_of_the_server_end_a_read() -> None:
    read = TftpRead(TftpGet("10.0.0.1", "x"))
    assert read.received(tftp.encode_error(1, "no such file")) == []
    assert read.result is not None
    assert (read.result.status, read.result.ok) == (404, False)

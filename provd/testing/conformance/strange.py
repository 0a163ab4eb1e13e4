"""Requests as a hostile network sends them, and machines with awkward values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from provd.model.arch import ARCHS
from provd.model.client import ClientFacts, RelayInfo
from provd.model.content import FileRequest
from provd.model.dhcp import Destination, DhcpRequest, Reply
from provd.model.event import Event
from provd.model.event_kinds import EVENT_KINDS
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import Interface, System
from provd.testing.samples import MAC, PEER, client, profile
from provd.wire.packet import DhcpPacket

SSH_KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
"""Of a public test vector (RFC 8032 section 7.1)."""

#: Names that break quoting: of shells, of TOML, YAML and XML, of loader scripts.
AWKWARD: Final = (
    "it's", 'say "hi"', "a b", "$HOME", "`id`", "{{ 1 }}", "{% raw %}", "<x>&amp;", "ü€日本", "#no: comment",
)  # fmt: skip
PATHS: Final = (
    "", "x", "../etc/passwd", "a/../../etc/passwd", "pxelinux.cfg/default", "grub/grub.cfg", "boot.ipxe", "x" * 5000,
    "ü/日本", "a\0b", "a\nb", "answer/AAAA/x", "callback/AAAA/x", "//a//b", ".", "%2e%2e/x",
)  # fmt: skip
SUBNET: Final = Subnet("lab", IPv4Network("10.88.0.0/24"))


def clients() -> Iterator[ClientFacts]:
    """Every architecture, iPXE, relays, no boot at all, and strange words."""
    for number in ARCHS:
        yield client(number)
    yield client(0, ipxe=True)
    yield client(7, vendor="HTTPClient")
    yield ClientFacts(mac=MAC)
    yield replace(
        client(), hostname="x" * 255, vendor_class="PXEClient" + "\0" * 40, user_classes=("",), client_id=b"\0"
    )
    relay = RelayInfo(0x0A580001, b"\x01\x04\xff\x00\x80\x7f\x02\x00", b"\xff\x00\x80\x7f", b"")
    yield replace(client(7), relay=relay)


def dhcp_requests() -> Iterator[DhcpRequest]:
    """A DISCOVER of each of them."""
    for one in clients():
        packet = DhcpPacket(1, 1, 6, 0, 1, 0, 0, 0, 0, 0, 0, MAC.octets.ljust(16, b"\0"), b"", b"", {53: b"\x01"})
        yield DhcpRequest(packet, one, "eth0", 0x0A580001)


def reply() -> Reply:
    """A reply as it stands before plugins change it."""
    options = {3: b"\x0a\x58\x00\x01"}
    return Reply(2, 0x0A580085, 0x0A580001, b"x.efi", b"", options, 0x0A580001, Destination(2**32 - 1, 68))


def file_requests() -> Iterator[FileRequest]:
    """Every path over TFTP and HTTP."""
    for path in PATHS:
        yield FileRequest("tftp", path, PEER, "10.88.0.1")
        yield FileRequest("http", path, PEER, "10.88.0.1", {"user-agent": "x"}, "GET")
        yield FileRequest("http", path, PEER, "10.88.0.1", {}, "HEAD")


def events() -> Iterator[Event]:
    """Every kind of event, with and without details."""
    for kind in EVENT_KINDS:
        yield Event(kind, 1.0)
        yield Event(kind, 1.0, "s1", "web1", str(MAC), {"text": "\x1b[31m" + AWKWARD[-1], "bytes": 1})


def systems() -> Iterator[System]:
    """An ordinary machine, one with many cards, and one with a long name."""
    card = Interface("eth0", MAC, IPv4Address(PEER))
    more = tuple(
        Interface(f"eth{number}", replace(MAC, octets=MAC.octets[:5] + bytes([number]))) for number in range(1, 4)
    )
    yield System("web1", "sample", (card,))
    yield System("many", "sample", (card, *more), hostname="many.lab.example")
    yield System("n" * 63, "sample", (card,), hostname=f"{'n' * 63}.{'d' * 63}.example", comment=AWKWARD[0])


def profiles(family: str, installer: str) -> Iterator[Profile]:
    """Of this family: plain, and with awkward answers."""
    distro = replace(
        profile().distro, name="sample-1", family=family, version="9", installer=installer, tree="http://10.88.0.9/tree",
        vars={"suite": "sample"},
    )  # fmt: skip
    plain = replace(profile(), name="sample", distro=distro, installer=installer)
    yield plain
    users = [
        {"name": f"ops{number}", "gecos": text, "ssh_keys": [f"{SSH_KEY} {text}"]}
        for number, text in enumerate(AWKWARD)
    ]
    commands = [f"echo {text}" for text in AWKWARD]
    yield replace(plain, answers={"users": users, "post_install": commands, "packages": ["vim"]})

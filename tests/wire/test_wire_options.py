"""Options by name and number, relays, PXE, and names that clients give themselves."""

from __future__ import annotations

from ipaddress import IPv4Address
from uuid import UUID

import pytest

from provd.core.client_facts import client_facts
from provd.wire import pxe, relay
from provd.wire.classless_routes import Route, decode_classless_routes, encode_classless_routes
from provd.wire.domain_search import decode_domain_search, encode_domain_search
from provd.wire.errors import WireError
from provd.wire.hostname import client_name, decode_fqdn, sanitise_name
from provd.wire.options import OPTIONS, decode_option, encode_option, encode_value, option_code, option_name
from provd.wire.packet import DhcpPacket


@pytest.mark.parametrize(
    ("key", "value", "octets"),
    [
        ("subnet-mask", "255.255.255.0", "ffffff00"),
        ("broadcast-address", IPv4Address("10.0.0.255"), "0a0000ff"),
        ("routers", ["10.0.0.1", "10.0.0.2"], "0a0000010a000002"),
        ("3", "10.0.0.1", "0a000001"),
        (6, ["10.0.0.1"], "0a000001"),
        ("time-offset", -3600, "fffff1f0"),
        ("interface-mtu", 1500, "05dc"),
        ("default-ip-ttl", 64, "40"),
        ("dhcp-lease-time", 0xFFFFFFFF, "ffffffff"),
        ("ip-forwarding", True, "01"),
        ("ip-forwarding", False, "00"),
        ("rapid-commit", True, ""),
        ("boot-file-name", "http://10.0.0.1/" + "a" * 200, b"http://10.0.0.1/".hex() + "61" * 200),
        ("vendor-encapsulated-options", "06:01:08:ff", "060108ff"),
        ("dhcp-client-identifier", "01525400880012", "01525400880012"),
        ("client-system", [7, 9], "00070009"),
        ("domain-search", ["lab.example", "example"], "036c6162076578616d706c6500c004"),
        ("classless-static-route", ["10.1.0.0/16 via 10.0.0.1", "0.0.0.0/0 via 10.0.0.2"], "100a010a000001000a000002"),
        ("user-class", "iPXE", "69505845"),
        ("user-class", ["iPXE", "lab"], "0469505845036c6162"),
        ("pxelinux-reboot-time", 30, "0000001e"),
        ("224", "site text", b"site text".hex()),
        (224, {"hex": "00:ff"}, "00ff"),
        ("224", {"ips": ["1.2.3.4"]}, "01020304"),
        ("routers", {"hex": "00"}, "00"),
    ],
)
def test_options_as_people_write_them(key: str | int, value: object, octets: str) -> None:
    assert encode_value(key, value).hex() == octets


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subnet-mask", "255.255.255.0"),
        ("domain-name-servers", ["10.0.0.1"]),
        ("time-offset", -1),
        ("host-name", "node"),
        ("mask-supplier", False),
        ("rapid-commit", True),
        ("domain-search", ["a.example", "b.a.example"]),
        ("classless-static-route", ["192.168.7.0/25 via 10.0.0.1"]),
        ("user-class", "iPXE"),
        ("user-class", ["one", "two"]),
        ("uuid-guid", "00:11:22"),
    ],
)
def test_decoded_values_have_the_form_people_write(key: str, value: object) -> None:
    assert decode_option(option_code(key), encode_value(key, value)) == value


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("no-such-option", 1, "option no-such-option: is no known name"),
        ("0", 1, "option 0: is no known name and no number from 1 to 254"),
        (255, 1, "option 255: is no known name"),
        ("subnet-mask", "300.1.1.1", "option subnet-mask: '300.1.1.1' is not one IPv4 address"),
        ("subnet-mask", 5, "option subnet-mask: 5 is not one IPv4 address"),
        ("routers", [], r"option routers: \[\] is not one or more IPv4 addresses"),
        ("interface-mtu", 65536, "option interface-mtu: 65536 is not a whole number from 68 to 65535"),
        ("interface-mtu", "1500", "is not a whole number"),
        ("interface-mtu", True, "is not a whole number"),
        ("ip-forwarding", 1, "1 is not true or false"),
        ("rapid-commit", False, "leave it out for false"),
        ("host-name", "", "'' is not a text that is not empty"),
        ("224", {"hex": "0:a1:b"}, "option 224: '0:a1:b' is not octets as hexadecimal text"),
        ("uuid-guid", "xyz", "is not octets as hexadecimal text"),
        ("domain-search", ["-bad-"], "option domain-search: '-bad-' is no DNS name"),
        ("domain-search", [], "option domain-search: has no domain"),
        ("classless-static-route", ["10.0.0.1/8 via 10.0.0.1"], "is not routes as"),
        ("classless-static-route", ["10.0.0.0/8"], "is not routes as"),
        ("routers", {"ip": "1.2.3.4", "hex": ""}, "option routers: a table needs exactly one key, one of ip, ips"),
        ("routers", {"address": "1.2.3.4"}, "a table needs exactly one key"),
        ("user-class", ["x" * 256], "is not a text"),
    ],
)
def test_a_wrong_value_is_one_clear_sentence(key: str | int, value: object, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        encode_value(key, value)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("dhcp-message-type", "option dhcp-message-type: is set by the protocol itself and cannot be configured"),
        ("82", "option 82: is set by the protocol itself and cannot be configured"),
        (50, "option 50: is said by clients and never configured"),
        ("dhcp-lease-time", "option dhcp-lease-time: is set by lease_s of the subnet, class or profile"),
        (54, "option 54: is set by server_address of the subnet"),
        ("rapid-commit", "option rapid-commit: is answered where rapid_commit is set on the subnet"),
        ("fqdn", "option fqdn: is not supported: provd keeps no DNS records"),
        (118, "option 118: is returned by the relay plugin"),
    ],
)
def test_what_cannot_be_configured_says_why(key: str | int, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        encode_option(key, {"hex": "00"})


def test_the_table_is_sound() -> None:
    assert len({row.name for row in OPTIONS.values()}) == len(OPTIONS)
    assert all(1 <= code <= 254 for code in OPTIONS)
    assert option_name(67) == "boot-file-name"
    assert option_name(224) == "224"
    assert decode_option(224, b"\1\xff") == "01:ff"
    with pytest.raises(WireError, match="option 3: 00:01 is not one or more IPv4 addresses"):
        decode_option(3, b"\0\1")


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        ("c000", "does not lead back"),
        ("016100" + "0162c003", "does not lead back"),
        ("0161c000", "does not lead back"),
        ("0161c005", "does not lead back"),
        ("0161", "ends inside a name"),
        ("0561", "no DNS label"),
        ("c0", "ends inside a pointer"),
        ("00", "has an empty name"),
        ("012e00", "no DNS label"),
        ("4061", "no DNS label"),
        ("0161" * 130 + "00", "no DNS label"),
    ],
)
def test_d017_domain_search_refuses_loops_and_rubbish(octets: str, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        decode_domain_search(bytes.fromhex(octets))


def test_d017_pointer_chains_have_a_limit() -> None:
    chain = b"\x01a\x00" + b"".join(b"\x01b" + (0xC000 | max(0, 4 * at - 1)).to_bytes(2) for at in range(40))
    with pytest.raises(WireError, match="more than 32 pointers"):
        decode_domain_search(chain)
    assert decode_domain_search(b"\x01a\x00\x01b\xc0\x00\xc0\x03") == ("a", "b.a", "b.a")


def test_d017_suffixes_are_compressed_once() -> None:
    data = encode_domain_search(["eng.apple.com.", "marketing.APPLE.com"])
    assert data == b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"


@pytest.mark.parametrize(
    ("prefix", "octets"), [(0, "00"), (1, "0180"), (8, "0880"), (9, "098080"), (24, "18808080"), (32, "2080808080")]
)
def test_d018_only_significant_octets(prefix: int, octets: str) -> None:
    network = 0x80808080 & ~(0xFFFFFFFF >> prefix) & 0xFFFFFFFF
    assert encode_classless_routes([Route(network, prefix, 1)]).hex() == octets + "00000001"


def test_d018_refuses_and_clears_host_bits() -> None:
    with pytest.raises(WireError, match="has host bits beyond /8"):
        encode_classless_routes([Route(0x0A000001, 8, 1)])
    with pytest.raises(WireError, match="prefix 33"):
        encode_classless_routes([Route(0, 33, 1)])
    with pytest.raises(WireError, match="prefix 33 is outside"):
        decode_classless_routes(b"\x21" + bytes(8))
    with pytest.raises(WireError, match="ends inside a route"):
        decode_classless_routes(b"\x08\x0a\0\0\0")
    assert decode_classless_routes(b"\x09\x0a\xff\0\0\0\1") == (Route(0x0A800000, 9, 1),)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"node7", "node7"),
        (b"Node_7.Example.ORG.", "node-7.example.org"),
        (b"-a-.--.b", "a.b"),
        (b"\xff\x00$(reboot)", "reboot"),
        (b"../../etc/passwd", "etc-passwd"),
        (b"<script>", "script"),
        (b"....", ""),
        (b"\0\0\0", ""),
        (b"", ""),
        (b"10.0.0.1", ""),
        (b"a" * 70, "a" * 63),
        (b"\xf0\x9f\x92\xa9", ""),
    ],
)
def test_d019_c14_host_names_are_cleaned_or_dropped(raw: bytes, name: str) -> None:
    assert sanitise_name(raw) == name
    assert client_name({12: raw}) == name


def test_d019_fqdn_in_both_forms() -> None:
    assert decode_fqdn(b"\x01\0\0node.example.org") == "node.example.org"
    assert decode_fqdn(b"\x05\0\0\x04node\x07example\x00") == "node.example"
    assert decode_fqdn(b"\x05\0\0\x04no") == "no"
    assert decode_fqdn(b"\x05\0") == ""
    assert client_name({81: b"\0\0\0one", 12: b"two"}) == "one"
    assert client_name({81: b"\0\0\0...", 12: b"two"}) == "two"
    assert client_name({}) == ""


def test_p01_architectures_are_a_list() -> None:
    assert pxe.decode_architectures(b"\0\x07") == (7,)
    assert pxe.decode_architectures(b"\0\x07\0\x09") == (7, 9)
    assert pxe.decode_architectures(b"") == pxe.decode_architectures(b"\0\0\x07") == ()


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        ("0000", "bios"),
        ("0006", "ia32-uefi"),
        ("0007", "x64-uefi"),
        ("0009", "x64-uefi"),
        ("000a", "arm32-uefi"),
        ("000b", "arm64-uefi"),
        ("000f", "ia32-uefi-http"),
        ("0010", "x64-uefi-http"),
        ("0012", "arm32-uefi-http"),
        ("0013", "arm64-uefi-http"),
        ("001b", "riscv64-uefi"),
        ("001c", "riscv64-uefi-http"),
        # The first that is known counts (RFC 4578 section 2.1).
        ("00070000", "x64-uefi"),
        ("00000007", "bios"),
        ("ffff00010010", "x64-uefi-http"),
    ],
)
def test_p01_the_first_known_architecture_counts(octets: str, name: str) -> None:
    packet = DhcpPacket(1, 1, 6, 0, 1, 0, 0, 0, 0, 0, 0, bytes(16), b"", b"", {93: bytes.fromhex(octets)})
    arch = client_facts(packet).arch
    assert arch is not None
    assert arch.name == name


@pytest.mark.parametrize("octets", ["", "00", "000007", "ffff", "0001"])
def test_p01_no_architecture_where_none_is_known(octets: str) -> None:
    packet = DhcpPacket(1, 1, 6, 0, 1, 0, 0, 0, 0, 0, 0, bytes(16), b"", b"", {93: bytes.fromhex(octets)})
    assert client_facts(packet).arch is None


def test_p02_malformed_identity_options_are_ignored() -> None:
    uuid = UUID("88880000-0000-4000-8000-525400880011")
    assert pxe.decode_uuid(bytes.fromhex("0000008888000000408000525400880011")) == uuid
    assert pxe.decode_uuid(b"\1" + bytes(16)) is pxe.decode_uuid(bytes(16)) is pxe.decode_uuid(b"") is None
    assert pxe.decode_ndi(b"\1\3\x10") == (3, 16)
    assert pxe.decode_ndi(b"\2\3\x10") is pxe.decode_ndi(b"\1\3") is None


def test_p06_option_43_for_pxe() -> None:
    data = pxe.encode_pxe_options(
        control=8, servers=[(1, [0x0A000001])], menu=[(1, "Go")], prompt=(255, "Wait"), item=(1, 0)
    )
    assert data.hex() == "06010808070001010a0000010905000102476f0a05ff57616974470400010000ff"
    assert list(pxe.decode_pxe_options(data)) == [6, 8, 9, 10, 71]
    assert pxe.decode_pxe_options(b"\0\x06\x01\x08\xff\x09") == {6: b"\x08"}
    with pytest.raises(WireError, match="option 43: sub-option 9 is 503 octets long"):
        pxe.encode_pxe_options(menu=[(1, "x" * 250), (2, "x" * 247)])
    with pytest.raises(WireError, match="option 43: a number does not fit"):
        pxe.encode_pxe_options(control=256)
    with pytest.raises(WireError, match="option 43 at octet 0: sub-option 6 says 9"):
        pxe.decode_pxe_options(b"\x06\x09")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"PXEClient:Arch:00007:UNDI:003016", pxe.VendorClass("PXEClient", 7, (3, 16))),
        (b"HTTPClient:Arch:00016:UNDI:003000", pxe.VendorClass("HTTPClient", 16, (3, 0))),
        (b"PXEClient", pxe.VendorClass("PXEClient", None, None)),
        (b"PXEClient:Arch:abc", pxe.VendorClass("PXEClient", None, None)),
        (b"PXEClientele", None),
        (b"d-i", None),
        (b"", None),
    ],
)
def test_vendor_class(raw: bytes, expected: pxe.VendorClass | None) -> None:
    assert pxe.decode_vendor_class(raw) == expected


def test_p11_ipxe_by_user_class_in_both_forms_or_by_option_175() -> None:
    assert pxe.decode_user_class(b"iPXE") == (b"iPXE",)
    assert pxe.decode_user_class(b"\x04iPXE\x03lab") == (b"iPXE", b"lab")
    assert pxe.decode_user_class(b"\x04iPX") == (b"\x04iPX",)
    assert pxe.decode_user_class(b"") == ()
    assert pxe.is_ipxe({77: b"iPXE"})
    assert pxe.is_ipxe({77: b"\x04iPXE"})
    assert pxe.is_ipxe({175: b""})
    assert not pxe.is_ipxe({77: b"gPXE"})
    assert not pxe.is_ipxe({})
    assert pxe.decode_ipxe(b"\xb1\xff") == pxe.IpxeInfo(None, frozenset(), b"")


def test_l05_relay_sub_options_are_opaque_octets() -> None:
    values = {
        relay.CIRCUIT_ID: b"\0\xff",
        relay.REMOTE_ID: b"",
        relay.LINK_SELECTION: b"\x0a\0\0\0",
        0: b"x",
        255: b"y",
    }
    data = relay.encode_relay_information(values)
    assert relay.decode_relay_information(data) == values
    assert relay.relay_address(values, relay.LINK_SELECTION) == 0x0A000000
    assert relay.relay_address(values, relay.CIRCUIT_ID) == relay.relay_address({}, relay.SERVER_ID_OVERRIDE) == 0
    with pytest.raises(WireError, match="option 82 at octet 0: sub-option 1 says 6 octets, 2 are left"):
        relay.decode_relay_information(b"\x01\x06ab")
    with pytest.raises(WireError, match="sub-option 1 is 256 octets long"):
        relay.encode_relay_information({1: bytes(256)})

"""Every option of the table, written from the RFCs by hand: the way a person writes it, its octets, and what is refused.

Values and octets stand here a second time on purpose: a slip in the table of provd.wire.options must be found.
"""

from __future__ import annotations

import pytest

from provd.wire.errors import WireError
from provd.wire.options import OPTIONS, decode_option, encode_value, option_code, option_name

IP, IPS = "one IPv4 address", "one or more IPv4 addresses"
PAIRS = "an even number of IPv4 addresses, two by two"
TEXT, BOOL, HEX = "a text that is not empty", "true or false", "octets as hexadecimal text, '0a:0b' or '0a0b'"
U8, U16, U32 = "a whole number from 0 to 255", "a whole number from 0 to 65535", "a whole number from 0 to 4294967295"
ONE, TWO = ["192.0.2.1"], ["192.0.2.1", "192.0.2.2"]
A, AB = "c0000201", "c0000201c0000202"

#: code, name, value, its octets, a wrong value, what is expected.
TABLE: list[tuple[int, str, object, str, object, str]] = [
    # RFC 2132 section 3
    (1, "subnet-mask", "255.255.255.0", "ffffff00", ["255.255.255.0"], IP),
    (2, "time-offset", -3600, "fffff1f0", 1 << 31, "a whole number from -2147483648 to 2147483647"),
    *[
        (code, name, TWO, AB, "router.example", IPS)
        for code, name in (
            (3, "routers"), (4, "time-servers"), (5, "name-servers"), (6, "domain-name-servers"), (7, "log-servers"),
            (8, "cookie-servers"), (9, "lpr-servers"), (10, "impress-servers"), (11, "resource-location-servers"),
        )
    ],
    (12, "host-name", "web1", "77656231", 1, TEXT),
    (13, "boot-size", 512, "0200", 65536, U16),
    (14, "merit-dump", "/core", "2f636f7265", "", TEXT),
    (15, "domain-name", "lab.example", b"lab.example".hex(), "", TEXT),
    (16, "swap-server", "192.0.2.1", A, ONE, IP),
    (17, "root-path", "/nfs/root", b"/nfs/root".hex(), "", TEXT),
    (18, "extensions-path", "/ext", b"/ext".hex(), "a\0b", TEXT),
    # section 4
    (19, "ip-forwarding", True, "01", 1, BOOL),
    (20, "non-local-source-routing", False, "00", "no", BOOL),
    (21, "policy-filter", ["10.1.0.0", "255.255.0.0"], "0a010000ffff0000", ["10.1.0.0"], PAIRS),
    (22, "max-dgram-reassembly", 576, "0240", 575, "a whole number from 576 to 65535"),
    (23, "default-ip-ttl", 64, "40", 0, "a whole number from 1 to 255"),
    (24, "path-mtu-aging-timeout", 600, "00000258", -1, U32),
    (25, "path-mtu-plateau-table", [68, 1500], "004405dc", [67], "a list of whole numbers from 68 to 65535"),
    # section 5
    (26, "interface-mtu", 1500, "05dc", 67, "a whole number from 68 to 65535"),
    (27, "all-subnets-local", True, "01", 0, BOOL),
    (28, "broadcast-address", "192.0.2.255", "c00002ff", "192.0.2", IP),
    (29, "perform-mask-discovery", True, "01", None, BOOL),
    (30, "mask-supplier", False, "00", "false", BOOL),
    (31, "router-discovery", True, "01", "true", BOOL),
    (32, "router-solicitation-address", "192.0.2.1", A, 1, IP),
    (33, "static-routes", TWO, AB, ["192.0.2.1", "192.0.2.2", "192.0.2.3"], PAIRS),
    # sections 6 and 7
    (34, "trailer-encapsulation", True, "01", 1, BOOL),
    (35, "arp-cache-timeout", 60, "0000003c", "60", U32),
    (36, "ieee802-3-encapsulation", False, "00", 0, BOOL),
    (37, "default-tcp-ttl", 64, "40", 256, "a whole number from 1 to 255"),
    (38, "tcp-keepalive-interval", 0, "00000000", 1 << 32, U32),
    (39, "tcp-keepalive-garbage", True, "01", [], BOOL),
    # section 8
    (40, "nis-domain", "nis", "6e6973", b"nis", TEXT),
    (41, "nis-servers", ONE, A, [], IPS),
    (42, "ntp-servers", TWO, AB, ["ntp.example"], IPS),
    (43, "vendor-encapsulated-options", "01:02:03:04", "01020304", "", HEX),
    (44, "netbios-name-servers", ONE, A, 1, IPS),
    (45, "netbios-dd-server", ONE, A, {}, "a table needs exactly one key"),
    (46, "netbios-node-type", 8, "08", 0, "a whole number from 1 to 8"),
    (47, "netbios-scope", "scope", b"scope".hex(), 1, TEXT),
    (48, "font-servers", ONE, A, "::1", IPS),
    (49, "x-display-managers", ONE, A, "", IPS),
    (64, "nisplus-domain", "plus", b"plus".hex(), 1, TEXT),
    (65, "nisplus-servers", ONE, A, 1, IPS),
    (68, "mobile-ip-home-agents", [], "", 1, "IPv4 addresses, or an empty list"),
    *[
        (code, name, ONE, A, [1], IPS)
        for code, name in (
            (69, "smtp-servers"), (70, "pop-servers"), (71, "nntp-servers"), (72, "www-servers"),
            (73, "finger-servers"), (74, "irc-servers"), (75, "streettalk-servers"),
            (76, "streettalk-directory-assistance-servers"),
        )
    ],
    # section 9
    (50, "dhcp-requested-address", "192.0.2.1", A, 1, IP),
    (51, "dhcp-lease-time", 0xFFFFFFFF, "ffffffff", -1, U32),
    (52, "dhcp-option-overload", 3, "03", 4, "a whole number from 1 to 3"),
    (53, "dhcp-message-type", 1, "01", 256, U8),
    (54, "dhcp-server-identifier", "192.0.2.1", A, "x", IP),
    (55, "dhcp-parameter-request-list", [1, 3], "0103", [], "a list of whole numbers from 0 to 255"),
    (56, "dhcp-message", "no", "6e6f", "", TEXT),
    (57, "dhcp-max-message-size", 1500, "05dc", 575, "a whole number from 576 to 65535"),
    (58, "dhcp-renewal-time", 1800, "00000708", 1.5, U32),
    (59, "dhcp-rebinding-time", 3150, "00000c4e", True, U32),
    (60, "vendor-class-identifier", "PXEClient", b"PXEClient".hex(), 1, TEXT),
    (61, "dhcp-client-identifier", "01:52:54:00:00:00:01", "01525400000001", "1", HEX),
    (66, "tftp-server-name", "192.0.2.1", b"192.0.2.1".hex(), 1, TEXT),
    (67, "boot-file-name", "x" * 300, "78" * 300, "", TEXT),
    # RFC 2242
    (62, "nwip-domain-name", "nw", b"nw".hex(), 1, TEXT),
    (63, "nwip-suboptions", "01:00", "0100", "zz", HEX),
    # later RFCs
    (77, "user-class", ["iPXE", "lab"], "0469505845036c6162", [], "a text, or a list of texts for RFC 3004"),
    (78, "slp-directory-agent", "00:c0:00:02:01", "00c0000201", 1, HEX),
    (79, "slp-service-scope", "00:61", "0061", "", HEX),
    (80, "rapid-commit", True, "", False, "true; leave it out for false"),
    (81, "fqdn", "05:00:00:61", "05000061", 5, HEX),
    (82, "dhcp-agent-options", "01:01:61", "010161", None, HEX),
    (83, "isns", "00:00", "0000", [], HEX),
    (85, "nds-servers", ONE, A, 1, IPS),
    (86, "nds-tree-name", "tree", b"tree".hex(), 1, TEXT),
    (87, "nds-context", "ctx", b"ctx".hex(), 1, TEXT),
    (88, "bcms-controller-names", "01:61:00", "016100", 1, HEX),
    (89, "bcms-controller-address", ONE, A, 1, IPS),
    (90, "authentication", "00:00", "0000", "", HEX),
    (91, "client-last-transaction-time", 9, "00000009", -1, U32),
    (92, "associated-ip", TWO, AB, 1, IPS),
    (93, "client-system", [7, 9], "00070009", [65536], "a list of whole numbers from 0 to 65535"),
    (94, "client-ndi", "01:03:10", "010310", "0x", HEX),
    (97, "uuid-guid", "00:11", "0011", 1, HEX),
    (98, "uap-servers", "http://u", b"http://u".hex(), 1, TEXT),
    (99, "geoconf-civic", "00:64:65", "006465", 1, HEX),
    (100, "pcode", "CET-1", b"CET-1".hex(), 1, TEXT),
    (101, "tcode", "Europe/Berlin", b"Europe/Berlin".hex(), 1, TEXT),
    (108, "v6-only-preferred", 1800, "00000708", "1800", U32),
    (112, "netinfo-server-address", ONE, A, 1, IPS),
    (113, "netinfo-server-tag", "tag", b"tag".hex(), 1, TEXT),
    (114, "v4-captive-portal", "https://p.example/api", b"https://p.example/api".hex(), "", TEXT),
    (116, "auto-config", 1, "01", 2, "a whole number from 0 to 1"),
    (117, "name-service-search", [6, 44], "0006002c", [], "a list of whole numbers from 0 to 65535"),
    (118, "subnet-selection", "192.0.2.0", "c0000200", ONE, IP),
    (119, "domain-search", ["lab.example", "example"], "036c6162076578616d706c6500c004", [], "has no domain"),
    (120, "sip-servers", "01:c0:00:02:01", "01c0000201", 1, HEX),
    (121, "classless-static-route", ["10.1.0.0/16 via 10.0.0.1"], "100a010a000001", ["10.1.0.1/16 via 10.0.0.1"],
     "routes as '10.1.0.0/16 via 10.0.0.1'"),
    (122, "cablelabs-configuration", "01:04:c0:00:02:01", "0104c0000201", 1, HEX),
    (123, "geoconf", "00", "00", 1, HEX),
    (124, "vivco-suboptions", "00:00:0d:e9:01:61", "00000de90161", 1, HEX),
    (125, "vivso-suboptions", {"vendors": {"3561": {"1": "x", "2": {"u16": 7}}}}, "00000de907010178" + "02020007",
     {"vendors": {}}, "a table of sub-options by enterprise number"),
    (128, "tftp-server-ip", "c0:00:02:01", A, 1, HEX),
    (136, "pana-agent", ONE, A, 1, IPS),
    (137, "v4-lost", "01:61:00", "016100", 1, HEX),
    (138, "capwap-ac-v4", ONE, A, 1, IPS),
    (141, "sip-ua-cs-domains", ["example"], "076578616d706c6500", ["-"], "'-' is no DNS name"),
    (143, "v4-sztp-redirect", "00:01:61", "000161", 1, HEX),
    (146, "rdnss-selection", "00", "00", 1, HEX),
    (150, "tftp-server-address", TWO, AB, "tftp.example", IPS),
    (158, "v4-pcp-server", "04:c0:00:02:01", "04c0000201", 1, HEX),
    (159, "v4-portparams", "00:00:00:00", "00000000", 1, HEX),
    (161, "mud-url", "https://m.example/m", b"https://m.example/m".hex(), 1, TEXT),
    (162, "v4-dnr", "00:01", "0001", 1, HEX),
    (175, "ipxe-encapsulated-options", {"suboptions": {"8": {"u8": 1}}}, "080101", "x", HEX),
    (208, "pxelinux-magic", "f1:00:74:7e", "f100747e", 1, HEX),
    (209, "pxelinux-config-file", "cfg", "636667", "", TEXT),
    (210, "pxelinux-path-prefix", "/tftp/", b"/tftp/".hex(), 1, TEXT),
    (211, "pxelinux-reboot-time", 30, "0000001e", -1, U32),
    (212, "option-6rd", "00", "00", 1, HEX),
    (213, "v4-access-domain", "01:61:00", "016100", 1, HEX),
    (249, "ms-classless-static-route", ["0.0.0.0/0 via 10.0.0.1"], "000a000001", "10.0.0.1",
     "routes as '10.1.0.0/16 via 10.0.0.1'"),
    (252, "wpad", "http://w/wpad.dat", b"http://w/wpad.dat".hex(), 1, TEXT),
]  # fmt: skip
ROWS = [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in TABLE]


def test_no_option_of_the_table_is_missing_here() -> None:
    assert sorted(row[0] for row in TABLE) == sorted(OPTIONS)
    # RFC 2132 defines 1 to 61 and 64 to 76; the later ones are those that boot networks meet.
    assert {*range(1, 77), 77, 81, 82, 93, 94, 97, 108, 114, 116, 118, 119, 121, 125, 150, 208, 209, 210, 211, 252} <= (
        set(OPTIONS)
    )


@pytest.mark.parametrize(("code", "name", "value", "octets", "wrong", "wants"), ROWS)
def test_name_octets_round_trip_and_refusal(
    code: int, name: str, value: object, octets: str, wrong: object, wants: str
) -> None:
    assert (option_name(code), option_code(name), option_code(str(code)), option_code(code)) == (name, *[code] * 3)
    data = encode_value(name, value)
    assert data.hex() == octets
    shown = decode_option(code, data)
    assert encode_value(code, shown) == data or (isinstance(value, dict) and shown == data.hex(":"))
    assert isinstance(value, dict) or shown == value
    with pytest.raises(WireError) as refused:
        encode_value(name, wrong)
    sentence = str(refused.value)
    assert sentence.startswith(f"option {name}: ")
    assert wants in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("code", [code for code in range(1, 255) if code not in OPTIONS])
def test_any_option_can_be_written_by_number(code: int) -> None:
    assert encode_value(code, "text") == b"text"
    for typed, octets in (
        ({"hex": "00:ff"}, "00ff"),
        ({"u8s": [0, 255]}, "00ff"),
        ({"u16": 258}, "0102"),
        ({"u32s": [1, 2]}, "0000000100000002"),
        ({"i32": -1}, "ffffffff"),
        ({"ips": ONE}, A),
        ({"bool": True}, "01"),
        ({"flag": True}, ""),
        ({"suboptions": {"1": {"ip": "192.0.2.1"}, "2": "ab", "end": True}}, "0104c000020102026162ff"),
    ):
        assert encode_value(str(code), typed).hex() == octets


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"suboptions": {"0": "x"}}, "option 43: '0' is no number from 1 to 254"),
        ({"suboptions": {"255": "x"}}, "option 43: '255' is no number from 1 to 254"),
        ({"suboptions": {"name": "x"}}, "option 43: 'name' is no number from 1 to 254"),
        ({"suboptions": {"1": 5}}, "option 43: sub-option 1: 5 is not a text that is not empty"),
        ({"suboptions": {"1": "x" * 256}}, "option 43: sub-option 1: is 256 octets long, at most 255"),
        ({"suboptions": {"1": "x", "end": False}}, "option 43: end is not true; leave it out for false"),
        ({"suboptions": {}}, "option 43: {} is not a table of sub-options by number"),
        ({"suboptions": "01:02"}, "option 43: '01:02' is not a table of sub-options by number"),
        ({"vendors": {"x": {"1": "a"}}}, "option 43: 'x' is no number from 1 to 4294967295"),
        ({"vendors": {"9": {"1": "a" * 200, "2": "b" * 200}}}, "option 43: vendor 9: is 404 octets long, at most 255"),
    ],
)
def test_wrong_suboptions_are_one_clear_sentence(value: object, sentence: str) -> None:
    with pytest.raises(WireError) as refused:
        encode_value(43, value)
    assert str(refused.value) == sentence


def test_suboptions_of_43_may_be_longer_than_one_instance() -> None:
    # RFC 3396: the option is split, the sub-options are not.
    assert len(encode_value(43, {"suboptions": {"1": "a" * 255, "2": "b" * 255}})) == 514

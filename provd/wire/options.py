"""Options by name and number with the type of their value, for configuration and display (RFC 2132 and successors)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provd.wire.codes import PXE_VENDOR
from provd.wire.errors import WireError
from provd.wire.option_codecs import CODECS, VALUE_ERRORS, Codec, OptionValue
from provd.wire.pxe_table import encode_pxe_table

PXE: Final = "pxe"

_TABLE: Final = """
1 subnet-mask ip|2 time-offset i32|3 routers ips|4 time-servers ips|5 name-servers ips|6 domain-name-servers ips
7 log-servers ips|8 cookie-servers ips|9 lpr-servers ips|10 impress-servers ips|11 resource-location-servers ips
12 host-name text|13 boot-size u16|14 merit-dump text|15 domain-name text|16 swap-server ip|17 root-path text
18 extensions-path text|19 ip-forwarding bool|20 non-local-source-routing bool|21 policy-filter ips
22 max-dgram-reassembly u16|23 default-ip-ttl u8|24 path-mtu-aging-timeout u32|25 path-mtu-plateau-table u16s
26 interface-mtu u16|27 all-subnets-local bool|28 broadcast-address ip|29 perform-mask-discovery bool
30 mask-supplier bool|31 router-discovery bool|32 router-solicitation-address ip|33 static-routes ips
34 trailer-encapsulation bool|35 arp-cache-timeout u32|36 ieee802-3-encapsulation bool|37 default-tcp-ttl u8
38 tcp-keepalive-interval u32|39 tcp-keepalive-garbage bool|40 nis-domain text|41 nis-servers ips|42 ntp-servers ips
43 vendor-encapsulated-options hex|44 netbios-name-servers ips|45 netbios-dd-server ips|46 netbios-node-type u8
47 netbios-scope text|48 font-servers ips|49 x-display-managers ips|50 dhcp-requested-address ip
51 dhcp-lease-time u32|52 dhcp-option-overload u8|53 dhcp-message-type u8|54 dhcp-server-identifier ip
55 dhcp-parameter-request-list u8s|56 dhcp-message text|57 dhcp-max-message-size u16|58 dhcp-renewal-time u32
59 dhcp-rebinding-time u32|60 vendor-class-identifier text|61 dhcp-client-identifier hex|64 nisplus-domain text
65 nisplus-servers ips|66 tftp-server-name text|67 boot-file-name text|68 mobile-ip-home-agents ips|69 smtp-servers ips
70 pop-servers ips|71 nntp-servers ips|72 www-servers ips|73 finger-servers ips|74 irc-servers ips
75 streettalk-servers ips|76 streettalk-directory-assistance-servers ips|77 user-class user-class|80 rapid-commit flag
81 fqdn hex|82 dhcp-agent-options hex|93 client-system u16s|94 client-ndi hex|97 uuid-guid hex|100 pcode text
101 tcode text|108 v6-only-preferred u32|114 captive-portal text|116 auto-config u8|117 name-service-search u16s
118 subnet-selection ip|119 domain-search domains|121 classless-static-route routes|124 vivco-suboptions hex
125 vivso-suboptions hex|128 tftp-server-ip hex|138 capwap-ac-v4 ips|150 tftp-server-address ips
175 ipxe-encapsulated-options hex|208 pxelinux-magic hex|209 pxelinux-config-file text|210 pxelinux-path-prefix text
211 pxelinux-reboot-time u32|252 wpad text
"""


@dataclass(frozen=True, slots=True)
class OptionType:
    """One row of the table: code, name as Kea and ISC write it, and the codec of its value."""

    code: int
    name: str
    codec: Codec


def _rows() -> dict[int, OptionType]:
    rows: dict[int, OptionType] = {}
    for row in _TABLE.strip().replace("\n", "|").split("|"):
        code, name, kind = row.split()
        rows[int(code)] = OptionType(int(code), name, CODECS[kind])
    return rows


OPTIONS: Final[Mapping[int, OptionType]] = _rows()
_CODES: Final[Mapping[str, int]] = {row.name: row.code for row in OPTIONS.values()}
_MADE_BY_THE_SERVER: Final = frozenset({0, 50, 52, 53, 55, 57, 82, 255})


def option_name(code: int) -> str:
    """Name of an option, or its number as text where it has none here."""
    row = OPTIONS.get(code)
    return str(code) if row is None else row.name


def option_code(key: str | int) -> int:
    """Code of an option by name or number (``"boot-file-name"``, ``"67"`` or ``67``).

    Raises:
        WireError: an unknown name, or a number outside 1 to 254.
    """
    code = _CODES.get(key, -1) if isinstance(key, str) else key
    if code < 0 and isinstance(key, str) and key.isascii() and key.isdigit():
        code = int(key)
    if not 1 <= code <= 254:
        raise WireError(f"option {key}", "is no known name and no number from 1 to 254")
    return code


def encode_option(key: str | int, value: object) -> tuple[int, bytes]:
    """One option as a person configures it: (code, octets).

    The value has the type of the table above; a TOML table with one key chooses another type, ``{hex = "0a:0b"}``,
    and is the way for options that have no row (there, a plain text is taken as text).

    The name ``pxe`` stands for option 43 of PXE clients alone (:mod:`provd.wire.pxe_table`); its code is
    :data:`provd.wire.codes.PXE_VENDOR`, which is never sent as such.

    Raises:
        WireError: an unknown option, one that only the server itself may set, or a value of the wrong type.
    """
    if key == PXE:
        return PXE_VENDOR, encode_pxe_table(value)
    code = option_code(key)
    if code in _MADE_BY_THE_SERVER:
        raise WireError(f"option {key}", "is set by the protocol itself and cannot be configured")
    row = OPTIONS.get(code)
    codec = CODECS["text"] if row is None else row.codec
    if isinstance(value, Mapping):
        if len(value) != 1 or next(iter(value)) not in CODECS:
            raise WireError(f"option {key}", f"a table needs exactly one key, one of {', '.join(CODECS)}")
        kind, value = next(iter(value.items()))
        codec = CODECS[kind]
    try:
        return code, codec.encode(value)
    except WireError as error:
        raise WireError(f"option {key}", error.problem) from error
    except VALUE_ERRORS as error:
        raise WireError(f"option {key}", f"{value!r} is not {codec.wants}") from error


def decode_option(code: int, data: bytes) -> OptionValue:
    """The value in the form a person would write; octets of an unknown option as hexadecimal text.

    Raises:
        WireError: octets that are not of the option's type.
    """
    row = OPTIONS.get(code)
    codec = CODECS["hex"] if row is None else row.codec
    try:
        return codec.decode(data)
    except WireError:
        raise
    except VALUE_ERRORS as error:
        raise WireError(f"option {code}", f"{data.hex(':')} is not {codec.wants}") from error

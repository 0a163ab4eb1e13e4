"""Options by name and number with the type of their value, for configuration and display (RFC 2132 and successors)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provd.wire.codes import PXE_VENDOR
from provd.wire.errors import WireError
from provd.wire.option_codecs import VALUE_ERRORS, Codec, OptionValue, within
from provd.wire.option_nested import CODECS, encode_typed
from provd.wire.pxe_table import encode_pxe_table

PXE: Final = "pxe"

_TABLE: Final = """
1 subnet-mask ip|2 time-offset i32|3 routers ips|4 time-servers ips|5 name-servers ips|6 domain-name-servers ips
7 log-servers ips|8 cookie-servers ips|9 lpr-servers ips|10 impress-servers ips|11 resource-location-servers ips
12 host-name text|13 boot-size u16|14 merit-dump text|15 domain-name text|16 swap-server ip|17 root-path text
18 extensions-path text|19 ip-forwarding bool|20 non-local-source-routing bool|21 policy-filter ip-pairs
22 max-dgram-reassembly u16:576-65535|23 default-ip-ttl u8:1-255|24 path-mtu-aging-timeout u32
25 path-mtu-plateau-table u16s:68-65535|26 interface-mtu u16:68-65535|27 all-subnets-local bool|28 broadcast-address ip
29 perform-mask-discovery bool|30 mask-supplier bool|31 router-discovery bool|32 router-solicitation-address ip
33 static-routes ip-pairs|34 trailer-encapsulation bool|35 arp-cache-timeout u32|36 ieee802-3-encapsulation bool
37 default-tcp-ttl u8:1-255|38 tcp-keepalive-interval u32|39 tcp-keepalive-garbage bool|40 nis-domain text
41 nis-servers ips|42 ntp-servers ips|43 vendor-encapsulated-options hex|44 netbios-name-servers ips
45 netbios-dd-server ips|46 netbios-node-type u8:1-8|47 netbios-scope text|48 font-servers ips
49 x-display-managers ips|50 dhcp-requested-address ip|51 dhcp-lease-time u32|52 dhcp-option-overload u8:1-3
53 dhcp-message-type u8|54 dhcp-server-identifier ip|55 dhcp-parameter-request-list u8s|56 dhcp-message text
57 dhcp-max-message-size u16:576-65535|58 dhcp-renewal-time u32|59 dhcp-rebinding-time u32
60 vendor-class-identifier text|61 dhcp-client-identifier hex|62 nwip-domain-name text|63 nwip-suboptions hex
64 nisplus-domain text|65 nisplus-servers ips|66 tftp-server-name text|67 boot-file-name text
68 mobile-ip-home-agents ips-or-none|69 smtp-servers ips|70 pop-servers ips|71 nntp-servers ips|72 www-servers ips
73 finger-servers ips|74 irc-servers ips|75 streettalk-servers ips|76 streettalk-directory-assistance-servers ips
77 user-class user-class|78 slp-directory-agent hex|79 slp-service-scope hex|80 rapid-commit flag|81 fqdn hex
82 dhcp-agent-options hex|83 isns hex|85 nds-servers ips|86 nds-tree-name text|87 nds-context text
88 bcms-controller-names hex|89 bcms-controller-address ips|90 authentication hex|91 client-last-transaction-time u32
92 associated-ip ips|93 client-system u16s|94 client-ndi hex|97 uuid-guid hex|98 uap-servers text|99 geoconf-civic hex
100 pcode text|101 tcode text|108 v6-only-preferred u32|112 netinfo-server-address ips|113 netinfo-server-tag text
114 v4-captive-portal text|116 auto-config u8:0-1|117 name-service-search u16s|118 subnet-selection ip
119 domain-search domains|120 sip-servers hex|121 classless-static-route routes|122 cablelabs-configuration hex
123 geoconf hex|124 vivco-suboptions hex|125 vivso-suboptions hex|128 tftp-server-ip hex|136 pana-agent ips
137 v4-lost hex|138 capwap-ac-v4 ips|141 sip-ua-cs-domains domains|143 v4-sztp-redirect hex|146 rdnss-selection hex
150 tftp-server-address ips|158 v4-pcp-server hex|159 v4-portparams hex|161 mud-url text|162 v4-dnr hex
175 ipxe-encapsulated-options hex|208 pxelinux-magic hex|209 pxelinux-config-file text|210 pxelinux-path-prefix text
211 pxelinux-reboot-time u32|212 option-6rd hex|213 v4-access-domain hex|249 ms-classless-static-route routes
252 wpad text
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
        kind, _, limits = kind.partition(":")
        codec = within(CODECS[kind], *map(int, limits.split("-"))) if limits else CODECS[kind]
        rows[int(code)] = OptionType(int(code), name, codec)
    return rows


OPTIONS: Final[Mapping[int, OptionType]] = _rows()
_CODES: Final[Mapping[str, int]] = {PXE: PXE_VENDOR} | {row.name: row.code for row in OPTIONS.values()}
OPTION_NAMES: Final = frozenset(_CODES)
"""Every name that an option can be configured by."""
_BY_PROTOCOL: Final = "is set by the protocol itself and cannot be configured"
_BY_CLIENT: Final = "is said by clients and never configured"
REFUSED: Final[Mapping[int, str]] = {
    **dict.fromkeys((52, 53, 82, 90), _BY_PROTOCOL),
    **dict.fromkeys((50, 55, 57, 61, 77, 93, 94, 97), _BY_CLIENT),
    51: "is set by lease_s of the subnet, class or profile",
    54: "is set by server_address of the subnet",
    80: "is answered where rapid_commit is set on the subnet",
    81: "is not supported: provd keeps no DNS records (RFC 4702 section 4)",
    118: "is returned by the relay plugin (RFC 3011 section 3) and cannot be configured",
}
"""Why an option cannot be configured."""


_DIGITS: Final = 20
"""Digits of a number that are looked at: Python refuses to read thousands of them."""


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
    if code < 0 and isinstance(key, str) and key.isascii() and key.isdigit() and len(key) <= _DIGITS:
        code = int(key)
    if not 1 <= code <= 254 and key != PXE:
        raise WireError(f"option {key}", "is no known name and no number from 1 to 254")
    return code


def encode_option(key: str | int, value: object) -> tuple[int, bytes]:
    """One option as a person configures it: (code, octets).

    The name ``pxe`` stands for option 43 of PXE clients alone (:mod:`provd.wire.pxe_table`); its code is
    :data:`provd.wire.codes.PXE_VENDOR`, which is never sent as such.

    Raises:
        WireError: as :func:`encode_value`, and for an option that cannot be configured.
    """
    if key == PXE:
        return PXE_VENDOR, encode_pxe_table(value)
    code = option_code(key)
    if code in REFUSED:
        raise WireError(f"option {key}", REFUSED[code])
    return code, encode_value(key, value)


def encode_value(key: str | int, value: object) -> bytes:
    """Octets of an option.

    The value has the type of the table above; a TOML table with one key chooses another type, ``{hex = "0a:0b"}``,
    and is the way for options that have no row (there, a plain text is taken as text).

    Raises:
        WireError: an unknown option, or a value of the wrong type; the sentence names what is expected.
    """
    row = OPTIONS.get(option_code(key))
    codec = CODECS["text"] if row is None else row.codec
    try:
        return encode_typed(value, codec)
    except WireError as error:
        raise WireError(f"option {key}", error.problem) from error


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

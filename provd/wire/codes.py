"""Numbers of DHCP: option codes (RFC 2132 and its successors), message types (RFC 2132 section 9.6), operations."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

BOOTREQUEST: Final = 1
BOOTREPLY: Final = 2

PAD: Final = 0
SUBNET_MASK: Final = 1
ROUTER: Final = 3
DNS_SERVERS: Final = 6
HOST_NAME: Final = 12
DOMAIN_NAME: Final = 15
INTERFACE_MTU: Final = 26
BROADCAST_ADDRESS: Final = 28
NTP_SERVERS: Final = 42
VENDOR_SPECIFIC: Final = 43
PXE_VENDOR: Final = 256 + VENDOR_SPECIFIC
"""No code of the protocol: option 43 as it is configured for PXE clients alone."""
REQUESTED_ADDRESS: Final = 50
LEASE_TIME: Final = 51
OVERLOAD: Final = 52
MESSAGE_TYPE: Final = 53
SERVER_ID: Final = 54
PARAMETER_REQUEST_LIST: Final = 55
MESSAGE: Final = 56
MAX_MESSAGE_SIZE: Final = 57
RENEWAL_TIME: Final = 58
REBINDING_TIME: Final = 59
VENDOR_CLASS: Final = 60
CLIENT_ID: Final = 61
TFTP_SERVER_NAME: Final = 66
BOOT_FILE: Final = 67
USER_CLASS: Final = 77
RAPID_COMMIT: Final = 80
CLIENT_FQDN: Final = 81
RELAY_INFORMATION: Final = 82
CLIENT_ARCHITECTURE: Final = 93
CLIENT_NDI: Final = 94
CLIENT_UUID: Final = 97
IPV6_ONLY: Final = 108
AUTO_CONFIGURE: Final = 116
SUBNET_SELECTION: Final = 118
DOMAIN_SEARCH: Final = 119
CLASSLESS_ROUTES: Final = 121
TFTP_SERVERS: Final = 150
IPXE_ENCAPSULATED: Final = 175
PXELINUX_CONFIG_FILE: Final = 209
PXELINUX_PATH_PREFIX: Final = 210
END: Final = 255


class MessageType(IntEnum):
    """Values of option 53; 0 stands for a BOOTP packet, which has none."""

    BOOTP = 0
    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8
    FORCERENEW = 9
    LEASEQUERY = 10

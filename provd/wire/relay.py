"""Option 82, relay agent information (RFC 3046); every sub-option value is opaque octets (rule L05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provd.wire.suboptions import decode_suboptions, encode_suboptions

CIRCUIT_ID: Final = 1
REMOTE_ID: Final = 2
LINK_SELECTION: Final = 5
SUBSCRIBER_ID: Final = 6
RELAY_FLAGS: Final = 10
SERVER_ID_OVERRIDE: Final = 11
RELAY_ID: Final = 12
SOURCE_PORT: Final = 19


def decode_relay_information(data: bytes) -> dict[int, bytes]:
    """Sub-options by code, in order.

    Raises:
        WireError: a sub-option that runs past the end. The echo in the reply uses the octets as received, never this.
    """
    return decode_suboptions(data, "option 82", markers=False)


def encode_relay_information(values: Mapping[int, bytes]) -> bytes:
    """Octets of option 82.

    Raises:
        WireError: a code or value that does not fit.
    """
    return encode_suboptions(values, "option 82", markers=False)


def relay_address(values: Mapping[int, bytes], code: int) -> int:
    """Address in sub-option 5 (RFC 3527) or 11 (RFC 5107); 0 where it is absent or malformed."""
    value = values.get(code, b"")
    return int.from_bytes(value) if len(value) == 4 else 0

"""Which options of a read request are accepted, and with which value (RFC 2347, 2348, 2349, 7440)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from provd.wire.tftp import Request

DEFAULT_BLKSIZE: Final = 512
_MAX_DIGITS: Final = 19


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """What a transfer may use; times in seconds.

    Attributes:
        blksize: largest block in octets: 1468 fills an Ethernet frame (1500 less 20 IP, 8 UDP, 4 TFTP).
        windowsize: most blocks in flight.
        rollover: block number that follows 65535, 0 or 1.
        first_timeout: wait before the first retransmission while the round trip is unknown.
        min_timeout: shortest wait, however near the client is.
        max_timeout: longest wait, whatever the back-off or the client's timeout option says.
        retries: retransmissions to a client that was never heard.
        data_retries: the same where the first answer is DATA, which is larger than what asked for it.
        patience: how long a client that was heard may stay silent.
    """

    blksize: int = 1468
    windowsize: int = 64
    rollover: int = 0
    first_timeout: float = 1.0
    min_timeout: float = 0.1
    max_timeout: float = 5.0
    retries: int = 5
    data_retries: int = 3
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The outcome.

    Attributes:
        blksize: octets of a full block.
        windowsize: blocks between two ACKs.
        timeout: seconds the client asked for, or None.
        accepted: what the OACK says, in the client's order; empty means that no OACK is sent.
    """

    blksize: int = DEFAULT_BLKSIZE
    windowsize: int = 1
    timeout: int | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)


def negotiate(request: Request, size: int, limits: TransferLimits) -> Negotiated:
    """Accept what is known and in range, ignore the rest (RFC 2347 section 2).

    Args:
        request: the read request.
        size: octets of the file, told for ``tsize`` in octet mode only (the size on the wire of netascii is not known)
            and never as 0, which curl takes for an error.
        limits: caps of the server; an answer is never above what was asked (RFC 2348).
    """
    blksize, windowsize, timeout = DEFAULT_BLKSIZE, 1, None
    accepted: dict[str, str] = {}
    for name, text in request.options.items():
        value = _number(text)
        if name == "blksize" and 8 <= value <= 65464:
            blksize = min(value, limits.blksize)
            accepted[name] = str(blksize)
        elif name == "windowsize" and 1 <= value <= 65535:
            windowsize = min(value, limits.windowsize)
            accepted[name] = str(windowsize)
        elif name == "timeout" and 1 <= value <= 255:
            timeout = value
            accepted[name] = text
        elif name == "tsize" and value >= 0 and size > 0 and request.mode == "octet":
            accepted[name] = str(size)
    return Negotiated(blksize, windowsize, timeout, accepted)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else -1

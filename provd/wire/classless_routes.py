"""Option 121: routes with significant octets only (RFC 3442)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from provd.wire.errors import WireError

_FIELD: Final = "option 121"


@dataclass(frozen=True, slots=True)
class Route:
    """One route; addresses are numbers.

    Attributes:
        network: destination, host bits zero.
        prefix: bits of the mask, 0 to 32.
        router: next hop, 0 where the destination is on the link.
    """

    network: int
    prefix: int
    router: int


def encode_classless_routes(routes: Sequence[Route]) -> bytes:
    """Octets of the option.

    Raises:
        WireError: a prefix over 32, host bits in a network, or an empty list.
    """
    if not routes:
        raise WireError(_FIELD, "has no route (RFC 3442)")
    parts: list[bytes] = []
    for route in routes:
        if not 0 <= route.prefix <= 32:
            raise WireError(_FIELD, f"prefix {route.prefix} is outside 0 to 32 (RFC 3442)")
        if route.network & (0xFFFFFFFF >> route.prefix):
            raise WireError(_FIELD, f"network {route.network:#010x} has host bits beyond /{route.prefix}")
        significant = (route.prefix + 7) // 8
        parts.append(bytes((route.prefix,)) + route.network.to_bytes(4)[:significant] + route.router.to_bytes(4))
    return b"".join(parts)


def decode_classless_routes(data: bytes) -> tuple[Route, ...]:
    """Routes in order; host bits are cleared, as RFC 3442 asks of the receiver.

    Raises:
        WireError: a prefix over 32, or octets that end early.
    """
    routes: list[Route] = []
    at = 0
    while at < len(data):
        prefix = data[at]
        if prefix > 32:
            raise WireError(_FIELD, f"prefix {prefix} is outside 0 to 32 (RFC 3442)", at)
        significant = (prefix + 7) // 8
        router_at = at + 1 + significant
        if router_at + 4 > len(data):
            raise WireError(_FIELD, "ends inside a route (RFC 3442)", at)
        network = int.from_bytes(data[at + 1 : router_at].ljust(4, b"\0")) & ~(0xFFFFFFFF >> prefix)
        routes.append(Route(network, prefix, int.from_bytes(data[router_at : router_at + 4])))
        at = router_at + 4
    return tuple(routes)

"""What an address may be in the middle of; compiled, unlike :mod:`provd.core.dhcp_binding`."""

from __future__ import annotations

from enum import Enum
from typing import Final

INFINITE: Final = 0xFFFFFFFF
"""Lease time that means for ever (RFC 2131 section 3.3)."""


class State(Enum):
    """What an address is in the middle of."""

    OFFERED = "offered"
    BOUND = "bound"
    IDLE = "idle"
    DECLINED = "declined"

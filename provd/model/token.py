"""Install tokens: what lets one machine fetch its answers during one boot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InstallToken:
    """One token; it belongs to a system and a boot session.

    Attributes:
        token: the unguessable text; never logged, never printed.
        system: system name.
        session: id of the boot session.
        bound: address it is bound to (dotted quad).
        minted_at: seconds since the epoch.
        expires_at: seconds since the epoch.
        ended_at: seconds since the epoch, 0 while it is alive.
        end_reason: ``finished``, ``superseded`` or ``revoked``.
        fetches: document name to number of complete fetches.
    """

    token: str = field(repr=False)
    system: str
    session: str
    bound: str
    minted_at: float
    expires_at: float
    ended_at: float = 0.0
    end_reason: str = ""
    fetches: Mapping[str, int] = field(default_factory=dict)

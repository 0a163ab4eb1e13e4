"""How many addresses DECLINE may take out of a pool; RFC 2131 section 4.3.3 names no bound, abuse needs one."""

from __future__ import annotations

from typing import Final

from provd.core.dhcp_leases import AddressTable

_PER_CLIENT: Final = 3
_POOL_SHARE: Final = 0.25


SHARE_IS_SPENT: Final = "too much of the pool is in quarantine"


def pool_share_is_spent(table: AddressTable, share: float = _POOL_SHARE) -> bool:
    """No further address may be taken out of this pool; one always may."""
    return table.declined >= max(1, int(table.pool_size * share))


class DeclineGuard:
    """Admits DECLINE messages: a few per client and time, and never more than a share of the pool at once.

    Args:
        per_client: addresses one hardware address may decline within the subnet's ``decline_s``.
        pool_share: share of a pool that may be in quarantine; one address always may.
    """

    def __init__(self, per_client: int = _PER_CLIENT, pool_share: float = _POOL_SHARE) -> None:
        self._per_client = per_client
        self._pool_share = pool_share
        self._seen: dict[tuple[str, bytes], tuple[float, int]] = {}

    def refusal(self, table: AddressTable, mac: bytes, now: float) -> str:
        """Why this DECLINE is ignored, or an empty text; an admitted one is counted."""
        subnet = table.subnet
        if pool_share_is_spent(table, self._pool_share):
            return SHARE_IS_SPENT
        began, count = self._seen.get((subnet.name, mac), (now, 0))
        if now - began >= subnet.decline_s:
            began, count = now, 0
        if count >= self._per_client:
            return "this client declines too often"
        self._prune(now, subnet.decline_s)
        self._seen[subnet.name, mac] = began, count + 1
        return ""

    def _prune(self, now: float, window_s: float) -> None:
        if len(self._seen) > 1024:
            self._seen = {key: seen for key, seen in self._seen.items() if now - seen[0] < window_s}

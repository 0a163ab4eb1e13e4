"""Frees an address because an operator says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provd.core.dhcp_states import State
from provd.service.dhcp_commit import LeaseCommits
from provd.service.dhcp_subnets import SubnetTables

NO_SUBNET: Final = "no subnet has this address now"
NOT_IN_USE: Final = "it has no running lease and is in no quarantine"


class ReleaseByHand:
    """Ends leases and quarantines.

    Args:
        tables: the address tables.
        commits: writes leases.
    """

    def __init__(self, tables: SubnetTables, commits: LeaseCommits) -> None:
        self._tables, self._commits = tables, commits

    def __call__(self, address: int, done: Callable[[Exception | None], None] | None) -> str:
        """Free an address and call ``done`` once that is durable; returns why not, or an empty text.

        Without ``done`` nothing is freed: it only says whether it could be.

        The client is not told (DHCP has no message for it): it may use the address until its own lease ends, and gets
        it back when it renews before somebody else has it.
        """
        table = self._tables.of_address(address)
        if table is None:
            return NO_SUBNET
        binding = table.at(address)
        if binding is None or binding.state not in {State.BOUND, State.DECLINED}:
            return NOT_IN_USE
        if done is None:
            return ""
        if binding.state is State.BOUND:
            self._commits.release(table, binding, done)
        else:
            self._commits.end_quarantine(table, binding, done)
        return ""

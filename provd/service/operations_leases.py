"""Operations on leases: the binding table, what is in quarantine, and giving an address back by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from msgspec import Meta
from twisted.internet.defer import Deferred

from provd.model.lease import Lease
from provd.plugin.contract import Operation
from provd.service.binding_table import BindingQuery, abandoned_table, address_of, binding_row, binding_table
from provd.service.operations import Arguments, DryRun, OperationError

Written = Callable[[Exception | None], None]
Release = Callable[[int, Written | None], str]
"""Frees an address and calls back once that is durable; returns why it cannot, or an empty text. None: only says so."""


InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class AbandonedQuery(Arguments, frozen=True):
    """Which addresses: all, or those of a subnet."""

    subnet: Annotated[str, Meta(description="Only those of one subnet.")] = ""


class ReleaseLease(Arguments, frozen=True):
    """Which lease ends."""

    address: str
    dry_run: DryRun = False


class Addressed(Arguments, frozen=True):
    """Which lease."""

    address: str


class LeaseOperations:
    """The operations, around the lease store and the DHCP service.

    Args:
        leases: every lease.
        release: frees an address.
        wall: seconds since the epoch.
        in_thread: runs what takes long; with 50,000 leases a table takes half a second.
    """

    def __init__(
        self,
        leases: Callable[[], Iterable[Lease]],
        release: Release,
        wall: Callable[[], float],
        in_thread: InThread,
    ) -> None:
        self._leases = leases
        self._release = release
        self._wall = wall
        self._in_thread = in_thread

    def operations(self) -> tuple[Operation, ...]:
        """``lease.list``, ``lease.show``, ``lease.release`` and ``lease.abandoned``."""
        return (
            Operation(
                "lease.list",
                "List leases: who has which address, through which relay port.",
                "read",
                BindingQuery,
                self.list,
                "provd lease list --subnet lan",
                result="One row per binding, by address.",
            ),
            Operation(
                "lease.show",
                "Show one lease.",
                "read",
                Addressed,
                self.show,
                "provd lease show 10.0.0.100",
                result="The binding in full.",
            ),
            Operation(
                "lease.release",
                "Free an address: end its lease, or its quarantine.",
                "operate",
                ReleaseLease,
                self.release,
                "provd lease release 10.0.0.100",
                result="`released`: the address.",
            ),
            Operation(
                "lease.abandoned",
                "List addresses that somebody else uses, with the reason and the time they are tried again.",
                "read",
                AbandonedQuery,
                self.abandoned,
                "provd lease abandoned --subnet lan",
                "One row per address.",
            ),
        )

    async def list(self, arguments: BindingQuery) -> object:
        """One row per lease, by address."""
        wall = self._wall()
        return await self._in_thread(lambda: binding_table(self._leases(), arguments, wall))

    async def show(self, arguments: Addressed) -> object:
        """The lease of one address."""
        return binding_row(await self._found(arguments.address), self._wall())

    async def release(self, arguments: ReleaseLease) -> object:
        """Free an address; answered when that is durable."""
        lease = await self._found(arguments.address)
        if arguments.dry_run:
            if refusal := self._release(lease.address, None):
                raise OperationError(f"{arguments.address}: {refusal}", field="address")
            return {"released": arguments.address, "applied": False}
        written: Deferred[Exception | None] = Deferred()
        refusal = self._release(lease.address, written.callback)
        if refusal:
            raise OperationError(f"{arguments.address}: {refusal}", field="address")
        problem = await written
        if problem is not None:
            raise OperationError(f"{arguments.address} could not be freed: {problem}", kind="failed")
        return {"released": arguments.address}

    async def abandoned(self, arguments: AbandonedQuery) -> object:
        """One row per address in quarantine."""
        wall = self._wall()
        return await self._in_thread(lambda: abandoned_table(self._leases(), arguments.subnet, wall))

    async def _found(self, text: str) -> Lease:
        address = int(address_of(text, "address"))
        found = await self._in_thread(lambda: [lease for lease in self._leases() if lease.address == address])
        if not found:
            raise OperationError(f"{text} has no lease", field="address", kind="not-found")
        lease: Lease = found[0]
        return lease

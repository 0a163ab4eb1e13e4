"""An ACK leaves only after its lease is durable, and a repeated REQUEST gets the same ACK without a second write."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace
from twisted.logger import Logger

from provd.core.dhcp_binding import Binding, Who
from provd.core.dhcp_identity import SECOND_IDENTITY, is_second
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_states import State
from provd.core.dhcp_times import end_of
from provd.model.client import RelayInfo
from provd.model.lease import Lease
from provd.service.dhcp_clocks import Clocks
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_ports import LeaseWriter
from provd.service.dhcp_reply import Exchange, Message

ABANDONED: Final = "abandoned"
"""Key of a quarantined lease's context: why."""

_REPEAT_S: Final = 10.0
_REMEMBERED: Final = 1024


class Grant:
    """One address for one client, as it is written and acknowledged.

    Attributes:
        table: of the address.
        who: the client.
        lease: the binding.
        until: monotonic seconds at which it ends.
        key: equal for retransmissions of the request.
    """

    # Not a struct: compiled, a class of the compiler's own is read without a look-up.
    def __init__(self, table: AddressTable, who: Who, lease: Lease, until: float, key: bytes) -> None:
        self.table, self.who, self.lease, self.until, self.key = table, who, lease, until, key


class _Sent:
    def __init__(self, message: Message, table: AddressTable, lease: Lease, at: float) -> None:
        self.message, self.table, self.lease, self.at = message, table, lease, at


def same_request(data: bytes) -> bytes:
    """Octets that are equal in a request and its retransmissions: all but ``secs`` (RFC 2131 section 4.1)."""
    return data[:8] + data[10:]


class RepeatedRequests:
    """ACKs of the last seconds by request, and the requests whose lease is being written."""

    def __init__(self) -> None:
        self._sent: dict[bytes, _Sent] = {}
        #: Those before them: a half is forgotten at once, which costs nothing for each.
        self._older: dict[bytes, _Sent] = {}
        self._writing: set[bytes] = set()

    def writing(self, key: bytes) -> bool:
        """The ACK for this request is on its way."""
        return key in self._writing

    def knows(self, key: bytes) -> bool:
        """The request was seen lately."""
        return key in self._sent or key in self._writing or key in self._older

    def begin(self, key: bytes) -> None:
        """The lease for this request is being written."""
        self._writing.add(key)

    def end(self, key: bytes, sent: _Sent | None) -> None:
        """It was written and acknowledged, or failed."""
        self._writing.discard(key)
        if sent is None:
            return
        self._sent[key] = sent
        if len(self._sent) >= _REMEMBERED // 2:
            self._older, self._sent = self._sent, {}

    def answer(self, key: bytes, now: float) -> Message | None:
        """The ACK this request got already, while its lease is still the client's."""
        sent = self._sent.get(key) or self._older.get(key)
        if sent is None:
            return None
        binding = sent.table.at(sent.lease.address)
        stands = binding is not None and binding.lease is sent.lease and binding.state is State.BOUND
        if stands and now - sent.at < _REPEAT_S:
            return sent.message
        self._sent.pop(key, None)
        self._older.pop(key, None)
        return None

    def clear(self) -> None:
        """Forget what was sent, after a reload changed what a client would be told."""
        self._sent.clear()
        self._older.clear()


class _Granting:
    """A grant while its lease is being written: a hundred of them wait for one block, and closures cost more."""

    def __init__(
        self,
        commits: LeaseCommits,
        grant: Grant,
        message: Message,
        before: tuple[Lease, float] | None,
        done: Callable[[Message | None], None],
    ) -> None:
        self._commits, self._grant, self._message, self._before, self._done = commits, grant, message, before, done

    def written(self, problem: Exception | None) -> None:
        """The store is done with it."""
        commits = self._commits
        commits.heard(problem)
        try:
            if problem is None:
                self._done(self._message if commits.granted(self._grant, self._message) else None)
            else:
                commits.undo(self._grant, self._before, problem)
                self._done(None)
        except Exception:  # noqa: BLE001  # the store's other callers must still hear of their leases
            commits.faulty()


class LeaseCommits:
    """Writes leases and changes the address table with them.

    Args:
        store: the lease store.
        repeats: requests that were answered.
        counters: counts writes.
        throttle: reports a store that cannot write.
        clocks: wall and monotonic time.
    """

    def __init__(
        self,
        store: LeaseWriter,
        repeats: RepeatedRequests,
        counters: DhcpCounters,
        throttle: Throttle,
        clocks: Clocks,
    ) -> None:
        self._store = store
        self._repeats = repeats
        self._counters = counters
        self._throttle = throttle
        self._wall, self._monotonic, self._boot = clocks.wall, clocks.monotonic, clocks.boot
        self._log = Logger(namespace="provd.dhcp")

    def grant(
        self,
        grant: Grant,
        message: Message,
        done: Callable[[Message | None], None],
    ) -> None:
        """Bind the address, write the lease, and call ``done`` with the ACK once it may leave, or with None."""
        table, who, lease = grant.table, grant.who, grant.lease
        at = table.at(lease.address)
        before = None
        if at is not None and at.who.key == who.key and at.lease is not None:
            # Only a running lease is kept as it was; the end of another state says nothing of a lease.
            before = (at.lease, at.until if at.state is State.BOUND else -math.inf)
        left = table.held(who)
        rows = [lease]
        if left is not None and left.address != lease.address and left.lease is not None and left.state is State.BOUND:
            left.lease = replace(left.lease, state="released", expires_at=self._wall())
            rows.append(left.lease)
        table.bind(who, lease.address, lease, grant.until)
        self._repeats.begin(grant.key)
        self._counters.writes += 1
        self._store.commit(rows, (), _Granting(self, grant, message, before, done).written)

    def granted(self, grant: Grant, message: Message) -> bool:
        """The lease of a grant is durable: whether its ACK may leave."""
        table, lease = grant.table, grant.lease
        binding = table.at(lease.address)
        if binding is None or binding.lease is not lease:
            self._repeats.end(grant.key, None)
            return False
        self._repeats.end(grant.key, _Sent(message, table, lease, self._monotonic()))
        return True

    def undo(self, grant: Grant, before: tuple[Lease, float] | None, problem: Exception) -> None:
        """The lease of a grant could not be written: the client has what it had before."""
        self._repeats.end(grant.key, None)
        grant.table.unbind(grant.who, grant.lease.address, before, self._monotonic())
        self._failed(problem)

    def release(
        self, table: AddressTable, binding: Binding, done: Callable[[Exception | None], None] | None = None
    ) -> None:
        """The client gave the address back (RFC 2131 section 4.3.4), or an operator took it: then ``done`` is told."""
        lease = binding.lease
        if lease is not None:
            lease = replace(lease, state="released", expires_at=self._wall())
            self._write([lease], done or self._logged)
        table.release(binding, lease)

    def end_quarantine(self, table: AddressTable, binding: Binding, done: Callable[[Exception | None], None]) -> None:
        """The address is free again before its time, which the store must know before a restart."""
        table.forget(binding)
        self._write([], done, [binding.address])

    def quarantine(self, table: AddressTable, binding: Binding, mac: bytes, now: float, reason: str) -> None:
        """Somebody else uses the address (RFC 2131 sections 3.1, step 2, and 4.3.3).

        Args:
            table: of the address.
            binding: the address.
            mac: of the client that declined it, empty where a probe was answered.
            now: monotonic seconds.
            reason: one phrase, shown with the address.
        """
        wall, quarantine_s = self._wall(), table.subnet.decline_s
        lease = Lease(
            address=binding.address,
            subnet=table.subnet.name,
            mac=mac,
            state="declined",
            starts_at=wall,
            expires_at=wall + quarantine_s,
            context={ABANDONED: reason},
            boot=self._boot,
            boot_s=now,
        )
        table.decline(binding, lease, now + quarantine_s)
        self._write([lease], self._logged)

    def _write(
        self, rows: Sequence[Lease], done: Callable[[Exception | None], None], removed: Sequence[int] = ()
    ) -> None:
        def guarded(problem: Exception | None) -> None:
            self.heard(problem)
            try:
                done(problem)
            except Exception:  # noqa: BLE001  # the store's other callers must still hear of their leases
                self.faulty()

        self._counters.writes += 1
        self._store.commit(rows, removed, guarded)

    def heard(self, problem: Exception | None) -> None:
        """Note what the store says."""
        self._counters.store_fault = "" if problem is None else str(problem)

    def faulty(self) -> None:
        """Note the exception that is being handled."""
        self._counters.errors += 1
        self._log.failure("fault after a lease was written")

    def _logged(self, problem: Exception | None) -> None:
        if problem is not None:
            self._failed(problem)

    def _failed(self, problem: Exception) -> None:
        self._counters.dropped["lease could not be stored"] += 1
        self._throttle.warn("lease store", f"lease store: a lease could not be written, so no ACK was sent ({problem})")


# Tens of thousands of leases share these, and what a relay says of all its clients.
_SECOND: Final[Mapping[str, str]] = {SECOND_IDENTITY: "yes"}
_NOTHING: Final[Mapping[str, str]] = {}


def lease_of(exchange: Exchange, address: int, lease_s: int, clocks: Clocks) -> Lease:
    """The binding as it is stored."""
    wall = clocks.wall()
    client = exchange.request.client
    return Lease(
        address=address,
        subnet=exchange.table.subnet.name,
        mac=client.mac.octets,
        client_id=exchange.who.client_id,
        state="bound",
        starts_at=wall,
        expires_at=end_of(wall, lease_s),
        hostname=client.hostname,
        system=exchange.system.name if exchange.system else "",
        relay=relay_text(client.relay),
        context=context_of(exchange.who),
        interface=exchange.arrival.interface,
        boot=clocks.boot,
        boot_s=exchange.now,
    )


def context_of(who: Who) -> Mapping[str, str]:
    """What a lease says of its client's identity; the same two objects for all leases."""
    return _SECOND if is_second(who.key) else _NOTHING


def relay_text(relay: RelayInfo) -> str:
    """What is kept of the relay with a lease: giaddr and option 82 in hexadecimal, empty on a local link."""
    return sys.intern(f"{relay.giaddr:08x}:{relay.raw.hex()}") if relay.giaddr or relay.raw else ""

"""The addresses of one subnet: who holds which, and which comes next. One owner, memory only, time as an argument.

Times are monotonic seconds, so that a jump of the wall clock neither shortens nor ends a lease.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from provd.core.dhcp_binding import Binding, Who
from provd.core.dhcp_identity import AUTO, CLIENT_ID, auto_key, hardware_key, own_client_id, strict_key
from provd.core.dhcp_pool import FreeAddresses
from provd.core.dhcp_states import State
from provd.core.dhcp_timers import Timers
from provd.model.lease import Lease
from provd.model.subnet import AUTOMATIC, MANUAL, Subnet

MOST_TOLD: Final = 1_000
"""Ended leases that are remembered until somebody asks; of more at once the newest."""


class AddressTable:
    """Bindings of one subnet by address and by client.

    A client has at most one binding that was ever committed and at most one offer; both may be the same.

    Args:
        subnet: the subnet.
        identity: ``auto`` or ``client-id``.
        excluded: addresses never given (the server's own, routers).
    """

    def __init__(self, subnet: Subnet, identity: str = AUTO, excluded: Iterable[int] = ()) -> None:
        self.subnet = subnet
        self.identity = identity
        self._by_address: dict[int, Binding] = {}
        self._held: dict[bytes, Binding] = {}
        self._offers: dict[bytes, Binding] = {}
        self._idle: OrderedDict[int, Binding] = OrderedDict()
        self._timers = Timers()
        self._reserved: dict[int, bytes] = {}
        self.declined = 0
        #: Option 51 of the newest offer, as one object for all that say the same.
        self._lease_s: Any = 0
        #: Leases that ended by their time and were not told of yet.
        self.ended: deque[Lease] = deque(maxlen=MOST_TOLD)
        self.reconfigure(subnet, excluded)

    def reconfigure(self, subnet: Subnet, excluded: Iterable[int] = ()) -> None:
        """Take new settings; every binding stays."""
        self.subnet = subnet
        self._first = int(subnet.network.network_address)
        self._last = int(subnet.network.broadcast_address)
        self._keeps = subnet.allocation == AUTOMATIC
        self._manual = subnet.allocation == MANUAL
        self._free = FreeAddresses(None if self._manual else subnet.pool, excluded)
        self._order_idle()

    def reserve(self, reservations: Mapping[int, bytes]) -> None:
        """Addresses that belong to hardware addresses; they are given to nobody else, in the pool or outside it."""
        gone = [address for address in self._reserved if address not in reservations]
        self._reserved = {address: hardware_key(mac) for address, mac in reservations.items() if address in self}
        for address in gone:
            if address not in self._by_address:
                self._free.give_back(address)
        self._order_idle()

    def change_reservation(self, address: int, mac: bytes | None) -> None:
        """One address of this subnet belongs to this hardware address now, or with None to nobody in particular."""
        if mac is not None:
            self._reserved[address] = hardware_key(mac)
            return
        if self._reserved.pop(address, None) is None:
            return
        binding = self._by_address.get(address)
        if binding is None:
            self._free.give_back(address)
        elif binding.state is State.IDLE:
            self._idle.setdefault(address, binding)

    def __contains__(self, address: int) -> bool:
        return self._first <= address <= self._last

    def __len__(self) -> int:
        return len(self._by_address)

    def __iter__(self) -> Iterator[Binding]:
        return iter(self._by_address.values())

    @property
    def pool_size(self) -> int:
        """Addresses of the pool."""
        return self._free.size

    def who(self, htype: int, mac: bytes, client_id: bytes, *, known: bool, reserved: int = 0) -> Who:
        """Tell the client apart; nothing is remembered before an offer or a lease is made."""
        if self.identity == CLIENT_ID:
            key = strict_key(htype, mac, client_id)
            # Here 01+MAC is another client than the hardware address, and must be that one again after a restart.
            own = client_id if len(client_id) >= 2 else b""
        else:
            key = auto_key(htype, mac, client_id, self._first_client_id, known=known)
            own = own_client_id(htype, mac, client_id)
        return Who(key, mac, own, reserved if reserved in self else 0, known)

    def at(self, address: int) -> Binding | None:
        """The binding of an address."""
        return self._by_address.get(address)

    def held(self, who: Who) -> Binding | None:
        """The client's lease, running, expired or released."""
        return self._held.get(who.key)

    def offered(self, who: Who) -> Binding | None:
        """The client's standing offer."""
        return self._offers.get(who.key)

    def may_have(self, who: Who, address: int) -> bool:
        """The address is this client's or free for it to take (rules O02, O05)."""
        if address not in self or not self._unreserved(who, address) or (self._manual and address != who.reserved):
            return False
        binding = self._by_address.get(address)
        if binding is None:
            return True
        if binding.state is State.IDLE:
            if address != who.reserved and address not in self._free:
                return False  # a reload took it out of the pool; what has ended is not given again
            # RFC 2131 section 1, automatic allocation: what a client had once is nobody else's but by reservation.
            return not self._keeps or binding.who.key == who.key or address == who.reserved
        return binding.who.key == who.key and binding.state is not State.DECLINED

    def in_pool(self, address: int) -> bool:
        """The address may be given dynamically."""
        return address in self._free

    def candidate(self, who: Who, requested: int = 0) -> tuple[int, str] | None:
        """The address to offer and its rank, None where the pool is exhausted (rule O01, RFC 2131 section 4.3.1)."""
        if who.reserved and self.may_have(who, who.reserved):
            return who.reserved, "reservation"
        offer = self._offers.get(who.key)
        held = self._held.get(who.key)
        for binding, rank in ((offer, "offered"), (held, "current")):
            if binding is not None and self.may_have(who, binding.address) and self.in_pool(binding.address):
                return binding.address, "previous" if binding.state is State.IDLE else rank
        if requested and self.in_pool(requested) and self.may_have(who, requested):
            return requested, "requested"
        address = self._free.next(lambda number: number in self._by_address or number in self._reserved)
        if address:
            return address, "free"
        if (oldest := self._oldest_idle(who)) is not None:
            return oldest
        # A running lease that a reload took out of the pool: it runs on, through a boot where nothing else is left.
        if held is not None and held.state is State.BOUND and self.may_have(who, held.address):
            return held.address, "current"
        return None

    def offer(self, who: Who, address: int, lease_s: int, now: float, offer_s: float) -> Binding:
        """Keep an address for a client until it asks for it or ``offer_s`` seconds are over (rule O04)."""
        self._drop_offer(who.key, keep=address)
        binding = self._take(who, address, now)
        if binding.state is not State.BOUND:
            binding.state = State.OFFERED
            self._idle.pop(address, None)
        if binding.state is State.OFFERED or binding.until < now + offer_s:
            # A lease does not end before its client could take the offer.
            self._timers.schedule(binding, now + offer_s)
        if lease_s != self._lease_s:
            self._lease_s = lease_s
        binding.lease_s = self._lease_s
        self._offers[who.key] = binding
        return binding

    def bind(self, who: Who, address: int, lease: Lease, until: float) -> Binding:
        """The client has the address until ``until``; any other address of the same client becomes idle."""
        self._drop_offer(who.key, keep=address)
        self._offers.pop(who.key, None)
        old = self._held.get(who.key)
        if old is not None and old.address != address:
            self._idle_now(old)
            if self._keeps:
                self._remove(old)
        binding = self._take(who, address, until)
        self._idle.pop(address, None)
        binding.state = State.BOUND
        binding.lease = lease
        # The key that the binding keeps anyway: of equal octets a lease needs one object.
        self._held[binding.who.key] = binding
        self._timers.schedule(binding, until)
        return binding

    def unbind(self, who: Who, address: int, before: tuple[Lease, float] | None, now: float) -> None:
        """Take back a ``bind`` that could not be stored: the client keeps what it had before, or an offer."""
        binding = self._by_address.get(address)
        if binding is None or binding.who.key != who.key or binding.state is not State.BOUND:
            return
        if before is not None and before[1] > now:
            binding.lease, until = before
            self._timers.schedule(binding, until)
            return
        binding.lease = None if before is None else before[0]
        binding.state = State.OFFERED
        self._held.pop(who.key, None)
        self._offers[who.key] = binding
        self._timers.schedule(binding, now + self.subnet.offer_s)

    def withdraw(self, who: Who) -> None:
        """The client took another server's offer (RFC 2131 section 3.1, step 4): free ours at once."""
        self._drop_offer(who.key, keep=0)

    def release(self, binding: Binding, lease: Lease | None) -> None:
        """The client gave its address back; the binding stays as its previous one (RFC 2131 section 4.3.4)."""
        self._drop_offer(binding.who.key, keep=binding.address)
        self._offers.pop(binding.who.key, None)
        binding.lease = lease
        self._idle_now(binding)

    def decline(self, binding: Binding, lease: Lease, until: float) -> None:
        """Somebody else uses the address: quarantine (RFC 2131 section 4.3.3)."""
        self._forget(binding)
        self._idle.pop(binding.address, None)
        binding.state = State.DECLINED
        binding.lease = lease
        self.declined += 1
        self._timers.schedule(binding, until)

    def forget(self, binding: Binding) -> None:
        """The address is nobody's, as if it had never been given."""
        self._remove(binding)

    def put(self, binding: Binding) -> None:
        """Take over a binding that another table gave up; that table's timers must not see ours, so it is copied."""
        binding = replace(binding, due=math.inf)
        self._by_address[binding.address] = binding
        if binding.state is State.DECLINED:
            self.declined += 1
        elif binding.state is not State.BOUND:
            self._idle_now(binding)
        else:
            held = self._held.get(binding.who.key)
            if held is None or held.state is not State.BOUND:
                self._held[binding.who.key] = binding
        self._timers.schedule(binding, binding.until)

    def cut(self, binding: Binding) -> None:
        """Hand a binding over to another table."""
        if binding.state is State.DECLINED:
            self.declined -= 1
        self._forget(binding)
        self._idle.pop(binding.address, None)
        self._timers.cancel(binding)
        del self._by_address[binding.address]

    def expire(self, now: float) -> list[Binding]:
        """End what is over; returns the leases that ended."""
        ended: list[Binding] = []
        # A renewal moves no timer, so timers come up in another order than leases end.
        for binding in sorted(self._timers.over(now), key=lambda binding: binding.until):
            if binding.state is State.BOUND:
                self._idle_now(binding)
                ended.append(binding)
                if binding.lease is not None:
                    self.ended.append(binding.lease)
            elif binding.state is State.OFFERED:
                self._drop_offer(binding.who.key, keep=0)
            elif binding.state is State.DECLINED:
                self._remove(binding)
        return ended

    @property
    def next_expiry(self) -> float:
        """Monotonic time at which ``expire`` has work at the earliest; infinity for never."""
        return self._timers.next

    def _first_client_id(self, key: bytes) -> bytes | None:
        binding = self._held.get(key) or self._offers.get(key)
        return None if binding is None else binding.who.client_id

    def _unreserved(self, who: Who, address: int) -> bool:
        owner = self._reserved.get(address)
        return owner is None or address == who.reserved or owner == who.key

    def _oldest_idle(self, who: Who) -> tuple[int, str] | None:
        while self._idle and not self._keeps:
            address = next(iter(self._idle))
            if self.in_pool(address) and self._unreserved(who, address):
                return address, "oldest-expired"
            # A reload took it out of the pool or reserved it; the next reload puts it back in line.
            del self._idle[address]
        return None

    def _order_idle(self) -> None:
        for address, binding in self._by_address.items():
            if binding.state is State.IDLE:
                self._idle.setdefault(address, binding)

    def _take(self, who: Who, address: int, now: float) -> Binding:
        binding = self._by_address.get(address)
        if binding is not None and binding.who.key == who.key:
            if who.client_id and not binding.who.client_id:
                binding.who = who
            return binding
        if binding is not None:
            self.cut(binding)
        kept: Any = address  # compiled, a number is made anew for each place that keeps it
        taken = Binding(kept, who, State.OFFERED, now, math.inf)
        self._by_address[kept] = taken
        return taken

    def _drop_offer(self, key: bytes, keep: int) -> None:
        binding = self._offers.get(key)
        if binding is None or binding.address == keep:
            return
        del self._offers[key]
        if binding.state is not State.OFFERED:
            return
        if binding.lease is not None:
            self._idle_now(binding)
        else:
            self._remove(binding)

    def _idle_now(self, binding: Binding) -> None:
        binding.state = State.IDLE
        binding.until = math.inf
        held = self._held.get(binding.who.key)
        if held is not None and held is not binding and held.state is State.IDLE:
            self._remove(held)
        # A running lease is the client's, whatever it had before.
        if held is None or held.state is not State.BOUND:
            self._held[binding.who.key] = binding
        self._idle[binding.address] = binding
        self._idle.move_to_end(binding.address)

    def _forget(self, binding: Binding) -> None:
        key = binding.who.key
        if self._held.get(key) is binding:
            del self._held[key]
        if self._offers.get(key) is binding:
            del self._offers[key]

    def _remove(self, binding: Binding) -> None:
        self.cut(binding)
        self._free.give_back(binding.address)

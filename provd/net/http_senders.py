"""Threads that give files to connections while the reactor does something else.

The kernel's part of sending a file (sendfile(2)) needs no interpreter, and is most of what a rack costs that boots: in
threads it uses the other processors, and neither DHCP nor TFTP wait behind the megabytes of a thousand machines.

A thread has the reactor's priority: a nicer one that loses its processor while it has the interpreter's lock holds up
the reactor. It has an epoll of its own and ends after some seconds without work, so nothing has to be shut down.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IReactorFromThreads

from provd.net.http_transfer import Transfer

_MOST_THREADS: Final = 4
_IDLE_S: Final = 5.0
"""Seconds without a transfer after which a thread ends."""
_LOOK_S: Final = 0.2
"""Seconds between two looks at who takes nothing any more."""

Told = Callable[[Transfer, BaseException | None], None]
"""Hears of a transfer that is over, or waits for a disk, and of what ended it early."""


class Sender:
    """One thread.

    Args:
        told: called in the thread.
        monotonic: seconds.
    """

    def __init__(self, told: Told, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._told, self._monotonic = told, monotonic
        self._lock = threading.Lock()
        self._new: deque[Transfer] = deque()
        self._wake = -1
        self._running: dict[int, Transfer] = {}

    @property
    def load(self) -> int:
        """Transfers that it has."""
        return len(self._running) + len(self._new)

    def submit(self, transfer: Transfer) -> None:
        """Take a transfer, from any thread.

        Raises:
            OSError: no descriptor is left.
            RuntimeError: no thread can be started.
        """
        with self._lock:
            if self._wake < 0:
                self._wake = self._started()
            self._new.append(transfer)
            os.eventfd_write(self._wake, 1)

    def _started(self) -> int:
        """A thread with all that it needs: one that ends for want of a descriptor would leave its transfers waiting."""
        wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            poll = select.epoll()
            try:
                poll.register(wake, select.EPOLLIN)
                threading.Thread(target=self._run, args=(poll, wake), name="provd-http-sender", daemon=True).start()
            except (OSError, RuntimeError):
                poll.close()
                raise
        except (OSError, RuntimeError):
            os.close(wake)
            raise
        return wake

    def hurry(self) -> None:
        """Let the thread look at once whether a transfer was given up."""
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _run(self, poll: select.epoll, wake: int) -> None:
        """What the thread does, until it has been without work; ``wake`` is an eventfd(2)."""
        with poll:
            idle_since = looked_at = self._monotonic()
            while not self._ends(wake, idle_since):
                for descriptor, _ in poll.poll(_LOOK_S if self._running else _IDLE_S):
                    if descriptor == wake:
                        self._woken(poll, wake)
                    elif descriptor in self._running:
                        self._turn(poll, self._running[descriptor])
                now = self._monotonic()
                if now - looked_at >= _LOOK_S:
                    looked_at = now
                    self._look(poll, now)
                if self._running:
                    idle_since = now

    def _ends(self, wake: int, idle_since: float) -> bool:
        """Without work for a while the thread ends; the next transfer starts another one."""
        if self._running or self._monotonic() - idle_since < _IDLE_S:
            return False
        with self._lock:
            if self._new:
                return False
            self._wake = -1
            os.close(wake)
        return True

    def _woken(self, poll: select.epoll, wake: int) -> None:
        """Take what is new, and end what was given up."""
        with suppress(BlockingIOError):
            os.eventfd_read(wake)
        while self._new:
            transfer = self._new.popleft()
            try:
                poll.register(transfer.connection, select.EPOLLOUT)
            except OSError as error:
                transfer.close()
                self._told(transfer, ConnectionAborted(error.strerror))
                continue
            transfer.moved_at = self._monotonic()
            self._running[transfer.connection] = transfer
        for transfer in [one for one in self._running.values() if one.given_up]:
            self._end(poll, transfer, None)

    def _turn(self, poll: select.epoll, transfer: Transfer) -> None:
        """The connection takes octets again: give it some."""
        before = transfer.at
        try:
            transfer.write()
            goes_on = transfer.extend()
        except Exception as error:  # noqa: BLE001  whoever waits is told; the others' transfers go on
            self._end(poll, transfer, error)
            return
        if transfer.at > before:
            transfer.moved_at = self._monotonic()
        if not goes_on:
            self._end(poll, transfer, None)

    def _look(self, poll: select.epoll, now: float) -> None:
        """End the transfers whose client has taken nothing for ``stall_s`` seconds."""
        for transfer in [one for one in self._running.values() if now - one.moved_at >= one.stall_s / 4]:
            if transfer.taken():
                transfer.moved_at = now
            elif now - transfer.moved_at >= transfer.stall_s:
                self._end(poll, transfer, ConnectionAborted("the client takes nothing"))

    def _end(self, poll: select.epoll, transfer: Transfer, fault: BaseException | None) -> None:
        """Give the transfer back."""
        del self._running[transfer.connection]
        # Another descriptor of the same connection stays open, so closing this one would not take it off the epoll.
        poll.unregister(transfer.connection)
        transfer.close()
        self._told(transfer, fault)


class Senders:
    """As many threads as there are processors, four at most, each started when it has work.

    Args:
        reactor: is told of the end of transfers.
    """

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._senders = [Sender(self._told) for _ in range(min(_MOST_THREADS, len(os.sched_getaffinity(0))))]
        self._waiting: dict[Transfer, Deferred[None]] = {}

    def send(self, transfer: Transfer) -> Deferred[None]:
        """Give it to the thread that has least to do.

        Fires when everything up to ``stop`` has left, or what follows has to be read from a disk first; with
        ConnectionAborted or ShortBodyError where it cannot go on. To cancel it gives the transfer up.
        """
        sender = min(self._senders, key=lambda one: one.load)
        try:
            transfer.hold()
        except OSError as error:
            raise ConnectionAborted(error.strerror) from error

        def give_up(_: Deferred[None]) -> None:
            self._waiting.pop(transfer, None)
            transfer.given_up = True
            sender.hurry()

        done: Deferred[None] = Deferred(give_up)
        self._waiting[transfer] = done
        try:
            sender.submit(transfer)
        except (OSError, RuntimeError) as error:
            del self._waiting[transfer]
            transfer.close()
            raise ConnectionAborted(str(error)) from error
        return done

    def _told(self, transfer: Transfer, fault: BaseException | None) -> None:
        """In a thread: the rest is the reactor's."""
        self._reactor.callFromThread(self._over, transfer, fault)

    def _over(self, transfer: Transfer, fault: BaseException | None) -> None:
        """In the reactor: let :meth:`send`'s deferred fire."""
        done = self._waiting.pop(transfer, None)
        if done is None:
            return
        if fault is None:
            done.callback(None)
        else:
            done.errback(fault)

"""Many datagrams leave by a thread of their own: all of them, unchanged, and before their socket is closed."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from twisted.logger import capturedLogs

from provd.net.datagram_batch import SENT, DatagramBatch, Fault, from_interface, to_address
from provd.net.datagram_sending import MANY, SendingThread

HOME = 0x7F000001


class Gate(SendingThread):
    """A thread that stands still until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.threads: list[int] = []

    def hand_over(self, work: Callable[[], None]) -> None:
        super().hand_over(partial(self._behind, work))

    def _behind(self, work: Callable[[], None]) -> None:
        assert self.open.wait(20)
        self.threads.append(threading.get_ident())
        work()


@pytest.fixture
def thread() -> Iterator[Gate]:
    one = Gate()
    yield one
    one.open.set()
    one.close()


@pytest.fixture
def here() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


@pytest.fixture
def there() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def queue(batch: DatagramBatch, to: socket.socket, first: int, count: int) -> None:
    for number in range(first, first + count):
        batch.send(b"%d" % number, to_address(HOME, to.getsockname()[1]), b"")


def test_few_leave_at_once_and_many_by_the_thread(here: socket.socket, there: socket.socket, thread: Gate) -> None:
    batch = DatagramBatch(here.fileno(), thread=thread)
    failed: list[Fault] = []
    queue(batch, there, 0, MANY - 1)
    batch.flush(failed.extend)
    assert thread.threads == []
    queue(batch, there, MANY - 1, MANY)
    batch.flush(failed.extend)
    batch.close()
    assert [there.recv(10) for _ in range(2 * MANY - 1)] == [b"%d" % number for number in range(2 * MANY - 1)]
    assert len(thread.threads) == 1
    assert threading.get_ident() not in thread.threads
    assert failed == []


def test_what_is_queued_meanwhile_changes_nothing_of_what_is_on_its_way(
    here: socket.socket, there: socket.socket, thread: Gate
) -> None:
    batch = DatagramBatch(here.fileno(), thread=thread)
    failed: list[Fault] = []
    thread.open.clear()
    queue(batch, there, 0, SENT)
    assert batch.full
    batch.flush(failed.extend)
    assert not batch.waiting
    queue(batch, there, SENT, SENT)
    there.setblocking(False)
    with pytest.raises(BlockingIOError):
        there.recv(10)
    thread.open.set()
    batch.flush(failed.extend)
    batch.close()
    assert [there.recv(10) for _ in range(2 * SENT)] == [b"%d" % number for number in range(2 * SENT)]
    assert failed == []


def test_one_that_cannot_leave_is_told_to_the_owner_with_its_number(
    here: socket.socket, there: socket.socket, thread: Gate
) -> None:
    for_the_owner: list[Callable[[], None]] = []
    batch = DatagramBatch(here.fileno(), thread=thread, deliver=for_the_owner.append)
    failed: list[Fault] = []
    queue(batch, there, 0, MANY)
    batch.send(b"x", to_address(HOME, there.getsockname()[1]), from_interface(999_999, HOME))
    queue(batch, there, MANY, 1)
    batch.flush(failed.extend)
    batch.close()
    assert [there.recv(10) for _ in range(MANY + 1)] == [b"%d" % number for number in range(MANY + 1)]
    assert failed == [], "it is the owner who tells"
    (tell,) = for_the_owner
    tell()
    assert [number for number, _ in failed] == [MANY]
    assert failed[0][1] in errno.errorcode


def test_closing_waits_for_what_is_on_its_way(here: socket.socket, there: socket.socket, thread: Gate) -> None:
    batch = DatagramBatch(here.fileno(), thread=thread)
    thread.open.clear()
    queue(batch, there, 0, MANY)
    batch.flush(lambda faults: pytest.fail(str(faults)))
    threading.Timer(0.1, thread.open.set).start()
    batch.close()
    here.close()
    assert [there.recv(10) for _ in range(MANY)] == [b"%d" % number for number in range(MANY)]


def test_a_thread_that_was_never_needed_is_never_started() -> None:
    before = threading.active_count()
    one = SendingThread()
    one.settle()
    one.close()
    assert threading.active_count() == before


def test_an_ended_thread_has_done_everything_and_can_begin_again() -> None:
    one, done = SendingThread(), list[int]()
    for number in range(100):
        one.hand_over(partial(done.append, number))
    one.close()
    assert done == list(range(100))
    one.hand_over(partial(done.append, 100))
    one.settle()
    assert done[-1] == 100
    one.close()


def test_a_fault_of_some_work_is_logged_and_the_rest_is_done() -> None:
    one, done = SendingThread(), list[int]()
    with capturedLogs() as logs:
        one.hand_over(lambda: done.append(1 // 0))
        one.hand_over(partial(done.append, 1))
        one.close()
    assert done == [1]
    assert [log["log_failure"].type for log in logs] == [ZeroDivisionError]

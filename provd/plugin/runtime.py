"""What a plugin may do besides answering: start a process, speak HTTP, work in the background, wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

from provd.model.content import Content, FileRequest, NotFound
from provd.plugin.machines import Machine

NONE: Mapping[str, str] = MappingProxyType({})

MOST_OUTPUT: Final = 64 * 1024
"""Octets that are kept of what a process or a server says."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended.

    Attributes:
        status: exit status; minus the signal number where a signal ended it.
        stdout: its standard output, at most 64 KiB.
        stderr: its standard error, at most 64 KiB.
    """

    status: int
    stdout: bytes = b""
    stderr: bytes = b""


class HttpStream(Protocol):
    """An HTTP answer whose body is read piece by piece, by one reader.

    Attributes:
        status: HTTP status.
        headers: lower-case names; a repeated header is joined by commas (RFC 9110 section 5.3).
        length: octets that the body will have, or -1 where the server did not say. For HEAD what GET would send.
    """

    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def length(self) -> int: ...  # noqa: D102

    def read(self) -> Awaitable[bytes]:
        """The next octets; empty at the end of a body that arrived whole.

        Raises:
            TimeoutError: nothing came for ``stall_s`` seconds.
            ConnectionError: the body broke off, or nothing tells where it ends.
        """
        ...

    def close(self) -> None:
        """End the connection; harmless where it has ended."""
        ...


class Task(Protocol[T_co]):
    """A coroutine that runs whether or not anybody awaits it.

    Any number may await it, before and after it ended: each gets its value or its exception. Who stops waiting does
    not stop it.
    """

    def __await__(self) -> Generator[Any, Any, T_co]: ...

    @property
    def done(self) -> bool:
        """It has ended."""
        ...

    def cancel(self) -> None:
        """Stop it; harmless where it has ended."""
        ...


class Listening(Protocol):
    """A bound port."""

    @property
    def port(self) -> int: ...  # noqa: D102

    def close(self) -> None:
        """Free the port."""
        ...


class Runtime(Protocol):
    """Given once to every plugin object that has a ``start(runtime)`` method, before the first request.

    The methods are used inside coroutines: ``Trigger.run``, ``Inventory.load``, ``Operation.run``, the answer of an
    ``AwaitedBody`` and the iterator of a ``StreamBody``; never in a hook. ``listen_tcp`` is for ``start`` alone;
    ``secret`` may be used there too, so that one that is missing leaves the plugin off.
    """

    def run_process(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, env: Mapping[str, str] = NONE
    ) -> Awaitable[ProcessResult]:
        """Run a program without a shell, without any capability, in a process group of its own.

        Args:
            argv: absolute path or name found in ``/usr/sbin:/usr/bin:/sbin:/bin``, then its arguments.
            stdin: octets on its standard input.
            timeout_s: seconds after which the whole process group is killed.
            env: added to ``PATH`` and ``LANG``; nothing else of provd's environment is passed on.

        Raises:
            TimeoutError: it was killed.
            OSError: it could not be started.
        """
        ...

    def http_request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] = NONE, timeout_s: float = 30.0
    ) -> Awaitable[tuple[int, bytes]]:
        """Send one HTTP or HTTPS request; redirects are not followed, certificates are verified.

        Returns:
            Status and the first 64 KiB of the body.

        Raises:
            TimeoutError: no complete answer in ``timeout_s`` seconds.
            ConnectionError: the server could not be reached or broke off.
        """
        ...

    def http_stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NONE,
        timeout_s: float = 30.0,
        stall_s: float = 60.0,
        proxy: str = "",
    ) -> Awaitable[HttpStream]:
        """Send one HTTP or HTTPS request without a body; what it is answered with is not kept in memory.

        Redirects are not followed, certificates are verified, nothing is decoded. Who gets the stream reads it to its
        end or closes it.

        Args:
            method: ``GET`` or ``HEAD``.
            url: absolute, without user and password.
            headers: sent as they are.
            timeout_s: seconds until the answer's headers.
            stall_s: seconds between two pieces of its body.
            proxy: ``http`` URL of a proxy for ``http`` URLs (RFC 9112 section 3.2.2), or empty.

        Raises:
            TimeoutError: no headers in ``timeout_s`` seconds.
            ConnectionError: the server could not be reached or broke off, or the proxy cannot carry the URL.
        """
        ...

    def background(self, work: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine at once, for nobody in particular; cancel it in ``close()`` where it still runs."""
        ...

    def in_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        """Run what blocks, as reading a large file does, outside of the thread that answers machines.

        Raises:
            Exception: what ``work`` raised.
        """
        ...

    def open_file(self, request: FileRequest) -> Awaitable[Content | NotFound]:
        """Whose file is it? The same decision as for TFTP and HTTP, for a plugin that speaks another protocol.

        What it serves must not be more than it may: answers and configurations are decided here as well.
        """
        ...

    def listen_tcp(self, port: int, factory: Any, address: str = "") -> Listening:
        """Bind a TCP port for a factory of Twisted's; used in ``start``.

        Args:
            port: 0 for a free one.
            factory: builds a protocol for each connection.
            address: one of this host's, empty for every one.

        Raises:
            OSError: the port is taken, or needs a privilege.
        """
        ...

    def connect_tcp(
        self, host: str, port: int, factory: Any, *, tls: Any = None, timeout_s: float = 30.0
    ) -> Awaitable[Any]:
        """Connect to a server and run a protocol of Twisted's with it.

        Who stops waiting ends the attempt. A connection that was made is the caller's: it closes it.

        Args:
            host: name or address; a name may have several addresses, tried by RFC 8305.
            port: TCP.
            factory: builds the protocol.
            tls: what ``client_tls`` gave, for TLS from the first octet; None begins in the clear.
            timeout_s: seconds until it is connected.

        Returns:
            The protocol. TLS is still being negotiated then: a certificate that is refused ends the connection.

        Raises:
            TimeoutError: nobody answered in time.
            ConnectionError: nobody listens there, or the name has no address.
        """
        ...

    def client_tls(self, host: str, ca_file: str = "") -> Any:
        """TLS 1.2 or later for one server, whose certificate must be valid for ``host`` (RFC 9525).

        Args:
            host: name or address that the certificate must have.
            ca_file: PEM file of the authorities that are trusted, in the place of those of this machine.

        Returns:
            What ``connect_tcp`` takes, and the ``startTLS`` of Twisted's transports.

        Raises:
            ValueError: the file cannot be used.
        """
        ...

    def secret(self, reference: Mapping[str, object]) -> str:
        """A secret that a setting refers to, read anew at each call; do not keep it.

        Args:
            reference: ``{file = PATH}``, ``{env = NAME}`` or ``{credential = NAME}``.

        Raises:
            ValueError: it cannot be had; the sentence names the reference, never the value.
        """
        ...

    def power(self, system: str, action: str, *, pxe: bool = False) -> Awaitable[str]:
        """Switch a machine by its ``[power]`` table, as ``provd power`` does; an event is published.

        Args:
            system: its name.
            action: one of ``POWER_ACTIONS``.
            pxe: boot from the network this once, for ``on`` and ``cycle``.

        Returns:
            What came of it, in a few words; of ``status`` ``on``, ``off`` or ``unknown``.

        Raises:
            ValueError: no such machine, no usable table, or the board refused.
            OSError: the board could not be reached.
        """
        ...

    def machines(self) -> Iterator[Machine]:
        """Every system with its state and address, made as it is asked for.

        There may be tens of thousands: who reads all of them lets others have their turn (``sleep(0)``) now and then.
        """
        ...

    def broadcast(self, data: bytes, address: str, port: int) -> None:
        """Send one UDP datagram to everybody on a network; it does not wait, and nothing says that it arrived.

        Args:
            data: its content.
            address: broadcast address of the network (dotted quad).
            port: UDP port.

        Raises:
            OSError: the kernel knows no way there.
        """
        ...

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait without blocking anybody."""
        ...

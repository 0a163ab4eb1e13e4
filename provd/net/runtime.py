"""The runtime of plugins on Twisted: processes without capabilities, HTTP requests, waiting."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError, ProcessDone
from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.web.iweb import IAgent

from provd.config.secrets import SecretReader, is_reference
from provd.model.content import Content, FileRequest, NotFound, settled
from provd.model.secret import NO_REFERENCE
from provd.net.background import BackgroundTask
from provd.net.reasons import reason
from provd.net.wake import broadcast
from provd.plugin.machines import Machine
from provd.plugin.runtime import MOST_OUTPUT, NONE, ProcessResult

if TYPE_CHECKING:
    from provd.net.http_stream import ResponseStream

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_BARE_EXEC = Path(__file__).with_name("bare_exec.py")
_GRACE_S = 1.0

T = TypeVar("T")


OpenFile = Callable[[FileRequest], Content | NotFound | Awaitable[Content | NotFound]]


class Power(Protocol):
    """Switches a machine."""

    async def __call__(self, system: str, action: str, *, pxe: bool = False) -> str:
        """See :meth:`provd.plugin.runtime.Runtime.power`."""
        ...


async def _no_power(system: str, action: str, *, pxe: bool = False) -> str:
    raise ValueError(f"nobody here switches the power of {system}: {action}{' with a network boot' if pxe else ''}")


def _nobody(request: FileRequest) -> NotFound:
    return NotFound(f"nobody serves {request.path}")


class PluginPort:
    """Implements :class:`provd.plugin.runtime.Listening`."""

    def __init__(self, listening: Any) -> None:
        self._listening = listening

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self._listening.getHost().port)

    def close(self) -> None:
        """See :meth:`provd.plugin.runtime.Listening.close`."""
        self._listening.stopListening()


class TwistedRuntime:
    """Implements :class:`provd.plugin.runtime.Runtime`.

    Args:
        reactor: spawns processes and keeps time.
        agent: sends HTTP requests; by default one with verified certificates, built on ``reactor``.
        open_file: decides whose file it is.
        secrets: reads what references name.
        power: switches machines.
        machines: every system, made one by one.
    """

    def __init__(
        self,
        reactor: Any,
        agent: IAgent | None = None,
        open_file: OpenFile = _nobody,
        secrets: SecretReader | None = None,
        power: Power = _no_power,
        machines: Callable[[], Iterator[Machine]] = lambda: iter(()),
    ) -> None:
        self._time: IReactorTime = reactor
        self._processes: IReactorProcess = reactor
        self._reactor, self._given, self._open_file = reactor, agent, open_file
        self._secrets, self._power, self._machines = secrets or SecretReader(), power, machines

    async def run_process(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, env: Mapping[str, str] = NONE
    ) -> ProcessResult:
        """See :meth:`provd.plugin.runtime.Runtime.run_process`."""
        if not argv or any("\0" in text for text in (*argv, *env.keys(), *env.values())):
            raise OSError("a command line needs a program and holds no NUL")
        program = shutil.which(argv[0], path=PATH)
        if program is None:
            raise FileNotFoundError(f"{argv[0]}: there is no such program in {PATH}")
        protocol = _Child(stdin, self._time)
        command = [sys.executable, "-I", "-S", str(_BARE_EXEC), "--", program, *argv[1:]]
        environment = {"PATH": PATH, "LANG": "C.UTF-8", **env}
        self._processes.spawnProcess(
            protocol, sys.executable, [os.fsencode(word) for word in command], env=environment, path="/"
        )
        timer = self._time.callLater(timeout_s, protocol.time_out)
        try:
            return await protocol.ended
        except CancelledError:
            protocol.kill()
            raise
        finally:
            if timer.active():
                timer.cancel()

    async def http_request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] = NONE, timeout_s: float = 30.0
    ) -> tuple[int, bytes]:
        """See :meth:`provd.plugin.runtime.Runtime.http_request`."""
        from provd.net.http_client import exchange_of

        exchange = Deferred.fromCoroutine(exchange_of(self._agent, method, url, body, headers))
        timer = self._time.callLater(timeout_s, exchange.cancel)
        try:
            return await exchange
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            if not timer.active():
                raise TimeoutError(f"no complete answer in {timeout_s:g} s") from error
            raise ConnectionError(f"{urlsplit(url).netloc}: {reason(error)}") from error
        finally:
            if timer.active():
                timer.cancel()

    async def http_stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NONE,
        timeout_s: float = 30.0,
        stall_s: float = 60.0,
        proxy: str = "",
    ) -> ResponseStream:
        """See :meth:`provd.plugin.runtime.Runtime.http_stream`."""
        from provd.net.http_stream import open_stream

        agent = self._agent
        if proxy:
            from provd.net.http_client import agent_through

            if not url.startswith("http://"):
                raise ConnectionError("only http goes through a proxy")
            agent = agent_through(self._reactor, proxy)
        return await open_stream(self._time, agent, method, url, headers, timeout_s, stall_s)

    @cached_property
    def _agent(self) -> IAgent:
        """Made for the first request: most servers never make one."""
        from provd.net.http_client import agent_on

        return self._given or agent_on(self._reactor)

    def background(self, work: Coroutine[Any, Any, T]) -> BackgroundTask[T]:
        """See :meth:`provd.plugin.runtime.Runtime.background`."""
        return BackgroundTask(work)

    async def open_file(self, request: FileRequest) -> Content | NotFound:
        """See :meth:`provd.plugin.runtime.Runtime.open_file`."""
        answer = settled(self._open_file(request))
        return answer if isinstance(answer, Content | NotFound) else await answer

    def listen_tcp(self, port: int, factory: Any, address: str = "") -> PluginPort:
        """See :meth:`provd.plugin.runtime.Runtime.listen_tcp`."""
        try:
            return PluginPort(self._reactor.listenTCP(port, factory, 50, address))
        except CannotListenError as error:
            raise OSError(f"TCP port {port}: {error.socketError}") from error

    async def connect_tcp(self, host: str, port: int, factory: Any, *, tls: Any = None, timeout_s: float = 30.0) -> Any:
        """See :meth:`provd.plugin.runtime.Runtime.connect_tcp`."""
        from provd.net.outgoing import connected

        return await connected(self._reactor, host, port, factory, tls, timeout_s)

    def client_tls(self, host: str, ca_file: str = "") -> Any:
        """See :meth:`provd.plugin.runtime.Runtime.client_tls`."""
        from provd.net.outgoing import client_tls

        return client_tls(host, ca_file)

    def secret(self, reference: Mapping[str, object]) -> str:
        """See :meth:`provd.plugin.runtime.Runtime.secret`."""
        if not is_reference(reference):
            raise ValueError(NO_REFERENCE)
        return str(self._secrets.resolve(reference)[0])

    async def power(self, system: str, action: str, *, pxe: bool = False) -> str:
        """See :meth:`provd.plugin.runtime.Runtime.power`."""
        return await self._power(system, action, pxe=pxe)

    def machines(self) -> Iterator[Machine]:
        """See :meth:`provd.plugin.runtime.Runtime.machines`."""
        return self._machines()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """See :meth:`provd.plugin.runtime.Runtime.in_thread`."""
        pool = self._reactor.getThreadPool()
        done: T = await deferToThreadPool(self._reactor, pool, work)
        return done

    def broadcast(self, data: bytes, address: str, port: int) -> None:
        """See :meth:`provd.plugin.runtime.Runtime.broadcast`."""
        broadcast(data, address, port)

    async def sleep(self, seconds: float) -> None:
        """See :meth:`provd.plugin.runtime.Runtime.sleep`."""
        await deferLater(self._time, seconds)


class _Child(ProcessProtocol):
    """One process: feeds its input, keeps the beginning of its output, ends its whole group."""

    transport: Any

    def __init__(self, stdin: bytes, time: IReactorTime) -> None:
        self._stdin = stdin
        self._time = time
        self._output = {1: bytearray(), 2: bytearray()}
        self._timed_out = False
        self._grace: IDelayedCall | None = None
        self.ended: Deferred[ProcessResult] = Deferred(lambda _: self.kill())

    def connectionMade(self) -> None:  # noqa: N802  Twisted's naming
        self.transport.write(self._stdin)
        self.transport.closeStdin()

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N802, N803
        kept = self._output[childFD]
        kept += data[: MOST_OUTPUT - len(kept)]

    def processExited(self, reason: Any) -> None:  # noqa: N802
        # a grandchild may hold the pipes open for ever; what the program itself wrote arrives within the grace
        self._grace = self._time.callLater(_GRACE_S, self._leave, reason)

    def processEnded(self, reason: Any) -> None:  # noqa: N802
        self._finish(reason)

    def _leave(self, reason: Any) -> None:
        if not self.ended.called:
            self.transport.loseConnection()
            self._finish(reason)

    def time_out(self) -> None:
        """It ran for too long."""
        self._timed_out = True
        self.kill()

    def kill(self) -> None:
        """Kill the group; before the group exists there is only the process itself."""
        pid = getattr(self.transport, "pid", None)
        if not pid:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def _finish(self, reason: Any) -> None:
        if self._grace is not None and self._grace.active():
            self._grace.cancel()
        if self.ended.called:
            return
        if self._timed_out:
            self.ended.errback(TimeoutError("it took too long and was killed"))
            return
        status = 0
        if not reason.check(ProcessDone):
            value: Any = reason.value
            status = -value.signal if value.signal else value.exitCode
        self.ended.callback(ProcessResult(status, bytes(self._output[1]), bytes(self._output[2])))

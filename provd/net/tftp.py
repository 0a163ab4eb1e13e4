"""TFTP server: requests on the well-known port, one session per transfer (RFC 1350; rules T01 to T25).

File content is asked for once per request, never per block.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from provd.core.tftp_negotiation import TransferLimits, negotiate
from provd.model.content import Content, FileRequest, NotFound, settled
from provd.model.scrub import scrub_path
from provd.net.tftp_deadlines import Deadlines
from provd.net.tftp_recent import RecentFiles
from provd.net.tftp_session import OnEvent, TftpSession
from provd.net.tftp_socket import Address, Endpoint, Network
from provd.wire import tftp
from provd.wire.errors import WireError
from provd.wire.path import clean_path

Answer = Content | NotFound
OpenFile = Callable[[FileRequest], Answer | Awaitable[Answer]]

_REPEATED_WITHIN_S: Final = 2.0
_NO_DESCRIPTOR: Final = frozenset({errno.EMFILE, errno.ENFILE})
_TEXTS: Final = {
    tftp.ErrorCode.UNDEFINED: "Not available",
    tftp.ErrorCode.NOT_FOUND: "File not found",
    tftp.ErrorCode.ACCESS_VIOLATION: "Access violation",
    tftp.ErrorCode.ILLEGAL_OPERATION: "Illegal operation",
}
_CODES: Final = {403: tftp.ErrorCode.ACCESS_VIOLATION, 404: tftp.ErrorCode.NOT_FOUND, 410: tftp.ErrorCode.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class TftpCaps:
    """How many transfers may run (rule T24). A full server gives up its oldest client that never answered.

    Attributes:
        transfers: at once.
        per_address: at once for one client address.
    """

    transfers: int = 2000
    per_address: int = 200


@dataclass(slots=True, eq=False)
class _Pending:
    """A request whose content is awaited."""

    request: FileRequest
    since: float
    waiting: Deferred[None] | None = None


class TftpServer:
    """Answers read requests on any number of addresses.

    Attributes:
        counts: datagrams by what became of them: ``requests``, ``malformed``, ``repeated``, ``busy``, ``refused``.
    """

    def __init__(
        self,
        *,
        clock: IReactorTime,
        network: Network,
        open_file: OpenFile,
        on_event: OnEvent,
        limits: TransferLimits | None = None,
        caps: TftpCaps | None = None,
        wall: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Take collaborators.

        Args:
            clock: the reactor's time.
            network: opens sockets; ``UdpNetwork(reactor)``.
            open_file: decides a request, at once or later.
            on_event: told ``tftp.request``, ``tftp.sent``, ``tftp.aborted``, ``tftp.missed`` and ``tftp.failed``.
            limits: of each transfer.
            caps: of all transfers.
            wall: seconds since the epoch; without it every file is read anew for every transfer.
        """
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._deadlines = Deadlines(clock)
        self._recent = RecentFiles(wall)
        self._network = network
        self._open_file = open_file
        self._on_event = on_event
        self._limits = limits or TransferLimits()
        self._caps = caps or TftpCaps()
        self._listeners: dict[Address, Endpoint] = {}
        self._sessions: dict[tuple[Address, str], TftpSession | _Pending] = {}
        self._per_address: Counter[str] = Counter()
        self._logger = Logger(namespace="provd.tftp")

    @property
    def transfers(self) -> int:
        """How many run now."""
        return len(self._sessions)

    def listen(self, local: str, port: int = 69) -> Address:
        """Begin to answer on an address; 0.0.0.0 is every address, port 0 a free one. Returns what it became.

        Raises:
            OSError: the address is not there, in use, or a privilege is missing.
        """
        asked: list[int] = []

        def received(data: bytes, peer: Address, asked_address: str) -> None:
            self._received(data, peer, asked_address, asked[0])

        endpoint = self._network.listen(local, port, received)
        asked.append(endpoint.address[1])
        self._listeners[endpoint.address] = endpoint
        return endpoint.address

    def unlisten(self, address: Address) -> None:
        """Stop answering there; running transfers go on."""
        endpoint = self._listeners.pop(address, None)
        if endpoint is not None:
            endpoint.close()

    def stop(self) -> None:
        """Close every socket; running clients are told."""
        for address in list(self._listeners):
            self.unlisten(address)
        for key, session in list(self._sessions.items()):
            if isinstance(session, TftpSession):
                session.stop("the server stops")
            else:
                self._cancel(key, session)

    def _received(self, data: bytes, peer: Address, local: str, port: int) -> None:
        self.counts["requests"] += 1
        try:
            packet = tftp.decode(data)
            if not isinstance(packet, tftp.Request):
                self.counts["malformed"] += 1
                return
        except WireError:
            self.counts["malformed"] += 1
            if data[1:2] != b"\5":
                self._send_error(peer, local, tftp.ErrorCode.ILLEGAL_OPERATION)
            return
        try:
            path = clean_path(packet.filename)
        except WireError:
            path = ""
        if packet.write or not path:
            self.counts["refused"] += 1
            self._send_error(peer, local, tftp.ErrorCode.ACCESS_VIOLATION)
            return
        request = FileRequest("tftp", path, peer[0], local, headers=packet.options, local_port=port)
        if self._admit(request, peer):
            self._decide(request, packet, peer)

    def _admit(self, request: FileRequest, peer: Address) -> bool:
        """A repeated request starts nothing (rule T03); a new one from the same port replaces the old transfer.

        One with other options is new: a client whose options get no answer that it takes asks again without them.
        """
        key = (peer, request.local)
        old = self._sessions.get(key)
        if old is not None:
            last = old.since if isinstance(old, _Pending) else old.active_at
            fresh = isinstance(old, _Pending) or not old.heard or self._clock.seconds() - last < _REPEATED_WITHIN_S
            if fresh and (old.request.path, old.request.headers) == (request.path, request.headers):
                self.counts["repeated"] += 1
                return False
            self._replace(key, old)
        if self._per_address[peer[0]] >= self._caps.per_address or not self._make_room(self._caps.transfers):
            self.counts["busy"] += 1
            return False
        return True

    def _make_room(self, cap: int) -> bool:
        """Fewer than ``cap`` transfers run, if need be without the oldest client that never answered."""
        if len(self._sessions) < cap:
            return True
        for session in self._sessions.values():
            if isinstance(session, TftpSession) and not session.heard:
                session.stop("the server is full and the client never answered")
                return True
        return False

    def _decide(self, request: FileRequest, packet: tftp.Request, peer: Address) -> None:
        shown = {name: value for name, value in packet.options.items() if f"{name}{value}".isprintable()}
        self._on_event("tftp.request", request, {"options": shown, "mode": packet.mode})
        try:
            answer = settled(self._open_file(request))
        except Exception:  # noqa: BLE001  a request must never stop the listener
            self._logger.failure("{path} failed", path=scrub_path(request.path))
            answer = NotFound("internal error; the log has it", status=500)
        if isinstance(answer, Content | NotFound):
            self._answer(request, packet, peer, answer)
            return
        pending = _Pending(request, self._clock.seconds())
        self._enter((peer, request.local), pending)
        pending.waiting = Deferred.fromCoroutine(self._await(answer, pending, packet, peer))
        pending.waiting.addErrback(self._broke)

    def _broke(self, failure: Failure) -> None:
        """An answer that is not awaited any more, or an error of whoever was told of it."""
        if not isinstance(failure.value, CancelledError):
            self._logger.failure("what follows an answer failed", failure)

    async def _await(self, coming: Awaitable[Answer], pending: _Pending, packet: tftp.Request, peer: Address) -> None:
        try:
            answer = await coming
        except Exception:  # noqa: BLE001  a request must never stop the listener
            self._logger.failure("{path} failed", path=scrub_path(pending.request.path))
            answer = NotFound("internal error; the log has it", status=500)
        if self._leave((peer, pending.request.local), pending):
            self._answer(pending.request, packet, peer, answer)

    def _answer(self, request: FileRequest, packet: tftp.Request, peer: Address, answer: Answer) -> None:
        if isinstance(answer, NotFound):
            self._send_error(peer, request.local, _CODES.get(answer.status, tftp.ErrorCode.UNDEFINED))
            self._on_event(_missed(answer.status), request, {"reason": answer.reason, "expected": answer.expected})
            return
        if answer.status >= 400 or answer.length < 0:
            self._send_error(peer, request.local, _CODES.get(answer.status, tftp.ErrorCode.UNDEFINED))
            why = f"status {answer.status}" if answer.status >= 400 else "the length of the content is not known"
            self._on_event(_missed(answer.status), request, {"reason": why, "expected": False})
            return
        self._start(request, packet, peer, answer)

    def _start(self, request: FileRequest, packet: tftp.Request, peer: Address, content: Content) -> None:
        key = (peer, request.local)

        def session_for() -> TftpSession:
            return TftpSession(
                clock=self._clock,
                deadlines=self._deadlines,
                network=self._network,
                request=request,
                peer=peer,
                content=content,
                netascii=packet.mode == "netascii",
                negotiated=negotiate(packet, content.length, self._limits),
                limits=self._limits,
                recent=self._recent,
                on_event=self._on_event,
                on_end=lambda ended: self._leave(key, ended),
            )

        try:
            try:
                session = session_for()
            except OSError as error:
                if error.errno not in _NO_DESCRIPTOR or not self._make_room(len(self._sessions)):
                    raise
                session = session_for()
        except OSError as error:
            self._send_error(peer, request.local, tftp.ErrorCode.UNDEFINED)
            self._on_event("tftp.failed", request, {"reason": f"cannot be opened: {error.strerror}"})
            return
        self._enter(key, session)
        session.begin()

    def _enter(self, key: tuple[Address, str], session: TftpSession | _Pending) -> None:
        self._sessions[key] = session
        self._per_address[key[0][0]] += 1

    def _leave(self, key: tuple[Address, str], session: TftpSession | _Pending) -> bool:
        """Forget a session; False where another one has taken its place."""
        if self._sessions.get(key) is not session:
            return False
        del self._sessions[key]
        self._per_address[key[0][0]] -= 1
        if not self._per_address[key[0][0]]:
            del self._per_address[key[0][0]]
        return True

    def _replace(self, key: tuple[Address, str], session: TftpSession | _Pending) -> None:
        if isinstance(session, TftpSession):
            session.replaced()
        else:
            self._cancel(key, session)

    def _cancel(self, key: tuple[Address, str], pending: _Pending) -> None:
        self._leave(key, pending)
        if pending.waiting is not None:
            pending.waiting.cancel()

    def _send_error(self, peer: Address, local: str, code: tftp.ErrorCode) -> None:
        """Refuse from a fresh port, as a transfer would begin (RFC 1350 section 4)."""
        try:
            endpoint = self._network.open(local, peer, lambda _data, _peer: None)
        except OSError:
            return
        endpoint.send(tftp.encode_error(code, _TEXTS[code]), peer)
        endpoint.close()


def _missed(status: int) -> str:
    return "tftp.missed" if status in {404, 410, 503} else "tftp.failed"

"""One conversation with a mail server (RFC 5321) by Twisted's client; what it says is told without secrets."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory
from twisted.mail.imap4 import CramMD5ClientAuthenticator, LOGINAuthenticator
from twisted.mail.smtp import (
    AUTHDeclinedError,
    AuthenticationError,
    AUTHRequiredError,
    EHLORequiredError,
    ESMTPClient,
    PLAINAuthenticator,
    SMTPTimeoutError,
    TLSRequiredError,
)

from provd.plugin.api import GiveUpError, Runtime

# Twisted's classes carry no annotations
_Client: Any = ESMTPClient
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes.

    Attributes:
        host: name or address.
        port: TCP.
        tls: ``starttls``, ``tls`` or ``none``.
        options: of TLS, from the runtime.
        helo: what provd calls itself, empty for this machine's name.
        user: who logs in, empty for nobody.
        password: likewise.
    """

    host: str
    port: int
    tls: str
    options: Any
    helo: str = ""
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said about one recipient.

    Attributes:
        code: of RFC 5321 section 4.2.
        text: code and words, one line.
    """

    code: int
    text: str

    @property
    def ok(self) -> bool:
        """It takes the mail."""
        return 200 <= self.code < 300

    @property
    def again(self) -> bool:
        """It may take it later (4xx)."""
        return not self.ok and self.code < 500


async def deliver(runtime: Runtime, server: Server, letter: Any, timeout_s: float) -> Mapping[str, Reply]:
    """Hand a letter to the server; what it said, by recipient.

    Raises:
        GiveUpError: it refused the letter or the login for good.
        ConnectionError: it could not be reached, its certificate is not good, or it refused for now.
        TimeoutError: it did not answer.
    """
    talk = _Talk(server, letter, timeout_s)
    factory: Any = Factory.forProtocol(lambda: talk)
    factory.noisy = False
    tls = server.options if server.tls == "tls" else None
    await runtime.connect_tcp(server.host, server.port, factory, tls=tls, timeout_s=timeout_s)
    try:
        found: Mapping[str, Reply] = await talk.ended
    except CancelledError as error:
        raise TimeoutError(f"{server.host} took longer than {timeout_s:g} s") from error
    return found


class _Talk(_Client):  # type: ignore[misc]
    # Its transcript would hold what is said while logging in.
    debug = False

    def __init__(self, server: Server, letter: Any, timeout_s: float) -> None:
        name = server.helo or platform.node() or "localhost"
        context = server.options if server.tls == "starttls" else None
        _Client.__init__(self, server.password.encode(), context, name.encode("ascii", "replace"))
        self._server, self._letter = server, letter
        self._given = False
        self.timeout = timeout_s
        self.ended: Deferred[Mapping[str, Reply]] = Deferred(lambda _: self.transport.abortConnection())
        self.requireTransportSecurity = server.tls != "none"
        self.requireAuthentication = bool(server.user)
        self.heloFallback = True
        if server.user:
            for kind in (CramMD5ClientAuthenticator, LOGINAuthenticator, PLAINAuthenticator):
                made: Any = kind
                self.registerAuthenticator(made(server.user.encode()))

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:  # noqa: N802  Twisted's naming
        # What somebody on the way put behind the answer must not count as said inside of TLS.
        if self.clearLineBuffer():
            self._end(ConnectionError(f"{self._server.host} said more than it may before TLS began"))
            self.transport.abortConnection()
            return
        _Client.esmtpState_starttls(self, code, resp)

    def getMailFrom(self) -> str | None:  # noqa: N802
        given, self._given = self._given, True
        return None if given else self._letter.sender

    def getMailTo(self) -> list[bytes]:  # noqa: N802
        return [one.encode() for one in self._letter.recipients]

    def getMailData(self) -> BytesIO:  # noqa: N802
        return BytesIO(self._letter.octets)

    def sentMail(self, code: int, resp: Any, numOk: int, addresses: Any, log: Any) -> None:  # noqa: N802, N803
        replies = {one.decode(): Reply(said, _told(said, text)) for one, said, text in addresses}
        if numOk or not replies:
            # The reply to the whole letter counts for those that were taken.
            whole = Reply(code, _told(code, resp))
            replies = {one: whole if reply.ok else reply for one, reply in replies.items()}
            if not replies:
                self._end(self._refusal(code, _told(code, resp)))
                return
        if not self.ended.called:
            self.ended.callback(replies)

    def sendError(self, exc: Any) -> None:  # noqa: N802
        _Client.sendError(self, exc)
        code, host = int(getattr(exc, "code", -1)), self._server.host
        if isinstance(exc, SMTPTimeoutError):
            self._end(TimeoutError(f"{host} did not answer"))
        elif isinstance(exc, TLSRequiredError):
            self._end(ConnectionError(f"{host} offers no STARTTLS"))
        elif isinstance(exc, AUTHRequiredError | EHLORequiredError):
            self._end(ConnectionError(f"{host} offers no login that is known here"))
        elif isinstance(exc, AUTHDeclinedError | AuthenticationError):
            # Its words may repeat what was sent.
            self._end(self._refusal(code, f"the login of {self._server.user} was refused with {code}"))
        else:
            self._end(self._refusal(code, _told(code, getattr(exc, "resp", b""))))

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        _Client.connectionLost(self, reason)
        self._end(ConnectionError(f"{self._server.host}: {_lost(reason.value)}"))

    def _refusal(self, code: int, text: str) -> Exception:
        sentence = f"{self._server.host}: {text}"
        return GiveUpError(sentence) if 500 <= code < 600 else ConnectionError(sentence)

    def _end(self, error: Exception) -> None:
        if not self.ended.called:
            self.ended.errback(error)


def _told(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = "".join(one if one.isprintable() else " " for one in text)
    return f"{code} {line}".strip()[:_MOST_TEXT]


def _lost(error: BaseException) -> str:
    """Why a connection ended, in words."""
    kind = type(error).__name__
    if kind == "VerificationError":
        return "its certificate is that of another name"
    if kind == "Error" and "certificate verify failed" in str(error):
        return "its certificate is not signed by an authority that is trusted here"
    if kind == "Error":
        return "TLS failed"
    return f"it ended the connection ({str(error).rstrip('.') or kind})"

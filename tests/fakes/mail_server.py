"""A real mail server of another make on loopback, in a thread: it keeps what it takes and refuses whom it is told to."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def"

from __future__ import annotations

import gc
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class MailServer:
    """What it took, and what it answers.

    Attributes:
        port: where it listens.
        taken: recipients and octets of each mail.
        refuse: replies to recipients that it does not take.
        data: reply to the next mails in place of taking them, one each.
        passwords: who may log in.
        logins: users who did.
    """

    port: int = 0
    taken: list[tuple[list[str], bytes]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data:
            return self.data.pop(0)
        self.taken.append((list(envelope.rcpt_tos), bytes(envelope.content)))
        return "250 OK"

    def judge(self, server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        user, password = login.login.decode(), login.password.decode()
        right = self.passwords.get(user) == password
        if right:
            self.logins.append(user)
        return AuthResult(success=right, handled=False)

    def letter(self, index: int = -1) -> EmailMessage:
        return message_from_bytes(self.taken[index][1], policy=policy.default)


@contextmanager
def mail_server(
    made: MailServer, *, certificate: Path | None = None, key: Path | None = None, implicit: bool = False,
    address: str = "127.0.0.1",
) -> Iterator[MailServer]:  # fmt: skip
    """The server, for as long as the block runs.

    Args:
        made: how it behaves; its port 0 becomes the one it got.
        certificate: with its key: it offers STARTTLS and insists on it.
        key: likewise.
        implicit: TLS from the first octet instead.
        address: where it listens.
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    more: dict[str, Any] = {}
    if context is not None and not implicit:
        more = {"tls_context": context, "require_starttls": True}
    if made.passwords:
        more |= {"authenticator": made.judge, "auth_required": True, "auth_require_tls": not implicit}
    controller = Controller(
        made, hostname=address, port=made.port or _free(address), ssl_context=context if implicit else None, **more
    )
    with warnings.catch_warnings():
        # What it leaves open where a client turns away from its certificate, and its advice, are its own affair.
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.filterwarnings("ignore", "Requiring AUTH")
        controller.start()
        try:
            made.port = int(controller.server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
            yield made
        finally:
            controller.stop()
            gc.collect()


def _free(address: str) -> int:
    """A port that was free a moment ago: the controller connects to itself and needs a number."""
    with socket.socket() as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])

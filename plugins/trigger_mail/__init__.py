"""Sends mail when something happens.

    [plugins.trigger_mail]
    host = "mail.example.org"
    tls = "starttls"                         # or "tls" from the first octet, or "none"
    user = "provd"                           # empty: no login
    password = {credential = "smtp"}         # or {file = "/etc/provd/smtp.secret"}, {env = "SMTP_PASSWORD"}
    from = "provd <provd@example.org>"

    [[plugins.trigger_mail.mails]]
    name = "ops"
    on = ["install.failed", "session.stalled"]
    to = ["ops@example.org"]
    subject = "{{ system }}: {{ kind }}"
    body = "{{ when }}: {{ fields.text | default('no details') }}"

``subject`` and ``body`` are Jinja in the sandbox of answer files, with ``kind``, ``system``, ``mac``, ``session``,
``at`` (seconds since the epoch), ``when`` (UTC) and ``fields``. Certificates are verified; a password never travels
in the clear. What a server refuses for good (5xx) is a failure at once, anything else is tried again after
``backoff_s``, then twice that, and so on, for those recipients only who have not got it. What waits is on the disk: a
restart of provd loses nothing, and may send a mail twice, with the same ``Message-ID``. Name the plugin in ``enabled``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from provd.plugin.api import (
    Delivery,
    Event,
    GiveUpError,
    KeepsRuntime,
    Plugin,
    Runtime,
    Settings,
    Trigger,
    check_login,
    hookimpl,
    wants,
)

from .client import Server, deliver
from .letter import BODY, SUBJECT, Letter, Writer, mailbox
from .progress import Progress

_ANYBODY = "nobody@localhost"
"""Stands for the sender of all mails while one of them is looked at."""
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Mail(Settings, frozen=True):
    """One kind of mail.

    Attributes:
        name: of the trigger.
        on: event kinds, ``*`` as in file names.
        to: recipients, ``ADDRESS`` or ``NAME <ADDRESS>``.
        systems: names of the systems whose events count, ``*`` as in file names; empty for all.
        sender: ``from``, where it is another one than that of all mails.
        subject: template of one line.
        body: template of the text.
    """

    name: str
    on: tuple[str, ...]
    to: tuple[str, ...]
    systems: tuple[str, ...] = ()
    sender: str = msgspec.field(default="", name="from")
    subject: str = SUBJECT
    body: str = BODY

    def __post_init__(self) -> None:
        self.writer(_ANYBODY)

    def writer(self, sender: str) -> Writer:
        """What writes its letters.

        Args:
            sender: of all mails.

        Raises:
            ValueError: an address or a template is none.
        """
        return Writer(self.name, self.sender or sender, self.to, self.subject, self.body)


class SettingsOfTriggerMail(Delivery, frozen=True, kw_only=True):
    """The mail server, and ``mails``.

    Attributes:
        host: name or address of the mail server; its certificate must be valid for it.
        sender: ``from`` of all mails, ``ADDRESS`` or ``NAME <ADDRESS>``.
        port: 0 for that of ``tls``: 587, 465 or 25.
        tls: ``starttls`` (RFC 3207), ``tls`` (RFC 8314) or ``none``.
        ca_file: PEM file of the authorities that are trusted, empty for those of this machine.
        user: who logs in, empty for nobody.
        password: reference to the secret.
        helo: what provd calls itself, empty for this machine's name.
        timeout_s: seconds for one attempt; like ``attempts``, ``backoff_s`` and ``most_at_once`` of ``Delivery``.
        mails: what is sent when.
    """

    host: str
    sender: str = msgspec.field(name="from")
    port: int = 0
    tls: str = "starttls"
    ca_file: str = ""
    user: str = ""
    password: dict[str, Any] = msgspec.field(default_factory=dict)
    helo: str = ""
    timeout_s: float = 60.0
    attempts: int = 10
    backoff_s: float = 15.0
    most_at_once: int = 2
    mails: tuple[Mail, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        mailbox(self.sender)
        if self.tls not in PORTS:
            raise ValueError(f"tls is {self.tls!r}, must be one of {', '.join(PORTS)}")
        if not 0 <= self.port <= 65535 or not self.host:
            raise ValueError("host must not be empty, and port must be from 0 to 65535")
        check_login(self.user, self.password)
        if self.user and self.tls == "none":
            raise ValueError('tls = "none" sends the password in the clear: use "starttls" or "tls"')
        if self.helo and not (self.helo.isascii() and self.helo.isprintable() and " " not in self.helo):
            raise ValueError("helo must be a host name")


class TriggerMail(KeepsRuntime):
    """Writes letters and hands them to the mail server. What cannot be read is told by the mail that needs it."""

    def __init__(self, settings: SettingsOfTriggerMail) -> None:
        self._settings = settings
        self._writers = {one.name: one.writer(settings.sender) for one in settings.mails}
        self._progress = Progress()

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        for one in self._settings.mails:
            yield self._settings.trigger(one.name, one.on, partial(self.send, one), self._writers[one.name].doubts)

    async def send(self, mail: Mail, event: Event) -> str:
        """Send the mail of one event; returns who got it."""
        if mail.systems and not wants(mail.systems, event):
            return f"nobody: {mail.name} does not want events of {event.system or 'unknown machines'}"
        try:
            letter = self._writers[mail.name].letter(event)
        except ValueError as error:
            raise GiveUpError(f"{mail.name}: {error}") from error
        return await self._delivered(self.runtime, letter)

    async def _delivered(self, runtime: Runtime, letter: Letter) -> str:
        letter = self._progress.rest_of(letter)
        if letter.recipients:
            replies = await deliver(runtime, self._server(runtime), letter, self._settings.timeout_s)
            self._progress.heard(letter, replies)
        return self._progress.result(letter)

    def _server(self, runtime: Runtime) -> Server:
        settings = self._settings
        return Server(
            host=settings.host,
            port=settings.port or PORTS[settings.tls],
            tls=settings.tls,
            options=None if settings.tls == "none" else runtime.client_tls(settings.host, settings.ca_file),
            helo=settings.helo,
            user=settings.user,
            password=runtime.secret(settings.password) if settings.user else "",
        )


PLUGIN = Plugin(name="trigger_mail", settings=SettingsOfTriggerMail, build=TriggerMail, triggers="mails")

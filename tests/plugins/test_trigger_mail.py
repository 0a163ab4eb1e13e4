"""trigger_mail against a real mail server on loopback: who gets what, what is refused, what is tried again."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor  # noqa: TID251  these tests are about the real one
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from provd.app.tls import own_certificate
from provd.model.trigger import TriggerRun
from provd.net.runtime import TwistedRuntime
from provd.plugin.api import Event, GiveUpError, Trigger
from provd.plugin.errors import PluginError
from provd.service.triggers import Triggers
from provd.store.memory import MemoryTriggerRuns
from provd.testing.runtime import FakeRuntime
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.shipped_plugins import shipped

reactor: Any = installed_reactor
EVENT = Event("install.failed", 86400.5, "s1", "web1", "52:54:00:aa:bb:cc", {"text": "no disk", "token": "t0ken"}, 7)
MAIL: dict[str, Any] = {"name": "ops", "on": ["install.failed"], "to": ["ops@example.org"]}
PASSWORD = "hunter2-and-more"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Valid for localhost and 127.0.0.1."""
    return own_certificate(tmp_path_factory.mktemp("tls"), ())


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Everything that this side logs."""
    lines: list[str] = []

    def observer(event: Any) -> None:
        lines.append(repr(event))

    listen: Any = observer
    globalLogPublisher.addObserver(listen)
    yield lines
    globalLogPublisher.removeObserver(listen)


def trigger(runtime: Any, table: dict[str, Any] | None = None, **mail: Any) -> Trigger:
    settings = {
        "host": "127.0.0.1",
        "tls": "none",
        "from": "provd <provd@example.org>",
        "timeout_s": 20,
        **(table or {}),
    }
    host = shipped("trigger_mail", {**settings, "mails": [{**MAIL, **mail}]})
    host.start(runtime)
    return host.triggers["ops"]


async def send(server: MailServer, table: dict[str, Any] | None = None, event: Event = EVENT, **mail: Any) -> str:
    made = trigger(TwistedRuntime(reactor), {"port": server.port, **(table or {})}, **mail)
    return str(await made.run(event))


def secured(certificate: tuple[Path, Path], folder: Path, **more: Any) -> dict[str, Any]:
    secret = folder / "smtp.secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    return {
        "tls": "starttls", "ca_file": str(certificate[0]), "user": "provd", "password": {"file": str(secret)}, **more,
    }  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_a_mail_says_what_happened_and_hides_what_is_secret() -> None:
    with mail_server(MailServer()) as server:
        assert await send(server) == "sent to ops@example.org"
    recipients, octets = server.taken[0]
    letter = server.letter()
    assert recipients == ["ops@example.org"]
    assert (letter["Subject"], letter["To"], letter["From"]) == (
        "provd: install.failed web1", "ops@example.org", "provd <provd@example.org>",
    )  # fmt: skip
    assert (letter["Date"], letter["Message-ID"]) == (
        "Fri, 02 Jan 1970 00:00:00 +0000", "<7.86400500.ops@example.org>",
    )  # fmt: skip
    assert letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_content()
    assert "text: no disk" in body
    assert "52:54:00:aa:bb:cc" in body
    assert "token: ***" in body
    assert b"t0ken" not in octets
    assert b"t0ken" not in base64.b64decode(octets.rpartition(b"\r\n\r\n")[2] or b"")


@pytest_twisted.ensureDeferred
async def test_templates_and_recipients_are_the_rules_own() -> None:
    with mail_server(MailServer()) as server:
        own = {
            "to": ["Ops <ops@example.org>", "boss@example.org"],
            "from": "install@example.org",
            "subject": "{{ system|upper }} — {{ fields.text }}",
            "body": ".\n{{ fields.reason | default('unknown') }}\n.\n",
        }
        await trigger(TwistedRuntime(reactor), {"port": server.port}, **own).run(EVENT)
    letter = server.letter()
    assert server.taken[0][0] == ["ops@example.org", "boss@example.org"]
    assert (letter["Subject"], letter["From"]) == ("WEB1 — no disk", "install@example.org")
    assert letter.get_content() == ".\nunknown\n.\n"


@pytest_twisted.ensureDeferred
async def test_a_machine_cannot_add_a_header_and_cannot_stop_its_mail() -> None:
    event = Event("install.failed", 1.0, system="web1", fields={"text": "x\r\nBcc: thief@example.net\n\nhello\u2028"})
    with mail_server(MailServer()) as server:
        await send(server, event=event, subject="{{ fields.text }}")
    letter = server.letter()
    assert server.taken[0][0] == ["ops@example.org"]
    assert letter["Bcc"] is None
    assert letter["Subject"] == "x  Bcc: thief@example.net  hello"


@pytest_twisted.ensureDeferred
async def test_a_subject_of_two_lines_is_refused() -> None:
    with mail_server(MailServer()) as server, pytest.raises(GiveUpError, match="would have more than one line"):
        await send(server, subject="{{ '%c' | replace('%c', '\\n') }}Bcc: thief@example.net")
    assert server.taken == []


@pytest_twisted.ensureDeferred
async def test_a_template_that_fails_names_line_and_variable() -> None:
    with mail_server(MailServer()) as server, pytest.raises(GiveUpError, match=r"ops\.body line 2: .* 'reason'"):
        await send(server, body="one\n{{ fields.reason }}")


@pytest_twisted.ensureDeferred
async def test_events_of_other_systems_are_no_mail() -> None:
    made = trigger(FakeRuntime(), systems=["head*"])
    assert await made.run(EVENT) == "nobody: ops does not want events of web1"


@pytest_twisted.ensureDeferred
async def test_a_refused_recipient_is_told_and_the_others_get_it() -> None:
    with (
        mail_server(MailServer(refuse={"gone@example.org": "550 no such user"})) as server,
        pytest.raises(GiveUpError) as caught,
    ):
        await send(server, to=["ops@example.org", "gone@example.org"])
    assert str(caught.value) == "sent to ops@example.org; refused: gone@example.org (550 no such user)"
    assert [recipients for recipients, _ in server.taken] == [["ops@example.org"]]


@pytest_twisted.ensureDeferred
async def test_nobody_who_is_taken_is_a_failure_at_once() -> None:
    with (
        mail_server(MailServer(refuse={"ops@example.org": "550 no such user"})) as server,
        pytest.raises(GiveUpError, match=r"sent to nobody; refused: ops@example\.org \(550 no such user\)"),
    ):
        await send(server)


@pytest_twisted.ensureDeferred
async def test_who_has_it_gets_it_once_while_the_others_are_tried_again() -> None:
    with mail_server(MailServer(refuse={"slow@example.org": "451 come back later"})) as server:
        made = trigger(TwistedRuntime(reactor), {"port": server.port}, to=["ops@example.org", "slow@example.org"])
        with pytest.raises(ConnectionError, match=r"sent to ops@example\.org; refused: slow@example\.org \(451 come"):
            await made.run(EVENT)
        server.refuse.clear()
        assert await made.run(EVENT) == "sent to ops@example.org, slow@example.org"
    assert [recipients for recipients, _ in server.taken] == [["ops@example.org"], ["slow@example.org"]]
    assert server.letter(0)["Message-ID"] == server.letter(1)["Message-ID"]


@pytest_twisted.ensureDeferred
async def test_a_refused_letter_is_tried_again_or_not_as_the_server_says() -> None:
    with mail_server(MailServer(data=["452 disk is full", "552 too big"])) as server:
        made = trigger(TwistedRuntime(reactor), {"port": server.port})
        with pytest.raises(ConnectionError, match="452 disk is full"):
            await made.run(EVENT)
        with pytest.raises(GiveUpError, match="552 too big"):
            await made.run(EVENT)
    assert server.taken == []


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("implicit", [False, True])
async def test_a_password_goes_through_tls_only_and_nowhere_else(
    certificate: tuple[Path, Path],
    tmp_path: Path,
    heard: list[str],
    *,
    implicit: bool,
) -> None:
    table = secured(certificate, tmp_path, tls="tls" if implicit else "starttls")
    made = MailServer(passwords={"provd": PASSWORD})
    with mail_server(made, certificate=certificate[0], key=certificate[1], implicit=implicit) as server:
        assert await send(server, table) == "sent to ops@example.org"
        assert server.logins == ["provd"]
        server.passwords["provd"] = "another"
        with pytest.raises(GiveUpError) as caught:
            await send(server, table)
    assert str(caught.value) == "127.0.0.1: the login of provd was refused with 535"
    coded = base64.b64encode(PASSWORD.encode()).decode()
    plain = base64.b64encode(f"provd\0provd\0{PASSWORD}".encode()).decode()
    told = "\n".join([*heard, repr(caught.value.__cause__)])
    assert not [word for word in (PASSWORD, coded, plain) if word in told]


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    table = {**secured(certificate, tmp_path), "ca_file": ""}
    made = MailServer(passwords={"provd": PASSWORD})
    with (
        mail_server(made, certificate=certificate[0], key=certificate[1]) as server,
        pytest.raises(ConnectionError, match="its certificate is not signed by an authority that is trusted"),
    ):
        await send(server, table)
    assert (server.taken, server.logins) == ([], [])


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("implicit", [False, True])
async def test_a_certificate_of_another_name_is_refused(
    certificate: tuple[Path, Path], tmp_path: Path, *, implicit: bool
) -> None:
    table = secured(certificate, tmp_path, host="127.0.0.2", tls="tls" if implicit else "starttls")
    made = MailServer(passwords={"provd": PASSWORD})
    key = certificate[1]
    with (
        mail_server(made, certificate=certificate[0], key=key, implicit=implicit, address="127.0.0.2") as server,
        pytest.raises(ConnectionError, match=r"127\.0\.0\.2: its certificate is that of another name"),
    ):
        await send(server, table)
    assert (server.taken, server.logins) == ([], [])


@pytest_twisted.ensureDeferred
async def test_a_server_without_starttls_gets_nothing(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    with mail_server(MailServer()) as server, pytest.raises(ConnectionError, match=r"127\.0\.0\.1 offers no STARTTLS"):
        await send(server, secured(certificate, tmp_path))
    assert server.taken == []


class Engine:
    """The engine of triggers with this plugin, on a clock that moves when told; mail leaves for real."""

    def __init__(self, store: MemoryTriggerRuns, table: dict[str, Any]) -> None:
        self.clock, self.store, self.events = Clock(), store, list[Event]()
        made = trigger(TwistedRuntime(reactor), table)
        self.engine = Triggers(
            lambda: {made.name: made}, clock=self.clock, wall=self.clock.seconds, log=store, publish=self.events.append,
        )  # fmt: skip

    async def settled(self) -> TriggerRun:
        for one in tuple(self.engine.running):
            await one
        return self.store.runs()[0]


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_down_gets_the_mail_when_it_is_back_after_a_restart_too() -> None:
    store, made = MemoryTriggerRuns(), MailServer()
    with mail_server(made):
        pass
    first = Engine(store, {"port": made.port, "backoff_s": 30})
    first.engine.on_event(EVENT)
    run = await first.settled()
    assert (run.ok, run.waiting, run.next_at) == (False, True, 30.0)
    assert run.output.startswith("ConnectionError: 127.0.0.1 port ")
    assert "Connection refused" in run.output
    await first.engine.drain(0)
    second = Engine(store, {"port": made.port, "backoff_s": 30})
    second.engine.resume()
    with mail_server(made) as server:
        second.clock.advance(30)
        run = await second.settled()
    assert (run.ok, run.waiting, run.attempt, run.output) == (True, False, 2, "sent to ops@example.org")
    assert len(server.taken) == 1


@pytest_twisted.ensureDeferred
async def test_a_server_that_says_nothing_is_a_timeout() -> None:
    from twisted.internet.protocol import Factory, Protocol

    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    try:
        made = trigger(TwistedRuntime(reactor), {"port": port.getHost().port, "timeout_s": 0.3})
        with pytest.raises(TimeoutError, match=r"127\.0\.0\.1 did not answer"):
            await made.run(EVENT)
    finally:
        await port.stopListening()


@pytest.mark.parametrize(
    ("table", "mail", "sentence"),
    [
        ({"tls": "ssl"}, {}, "tls is 'ssl', must be one of starttls, tls, none"),
        ({"user": "x", "tls": "starttls"}, {}, "user and password go together"),
        ({"user": "x", "password": {"env": "X"}}, {}, "sends the password in the clear"),
        ({"form": "x@y"}, {}, "unknown key form; did you mean from"),
        ({"from": "x"}, {}, "'x' is not a mail address"),
        ({"from": "a@b\r\nBcc: c@d"}, {}, "is not a mail address"),
        ({}, {"to": []}, "'ops': to names nobody"),
        ({}, {"to": ["a@b, c@d"]}, "'a@b, c@d' is not a mail address"),
        ({}, {"to": ["x\nBcc: y <a@b>"]}, "is not a mail address"),
        ({}, {"subject": "a\nb"}, "'ops': subject must be one line"),
        ({}, {"subject": "{{ a"}, r"ops\.subject line 1: "),
        ({"user": "x", "password": {"plain": "hunter2"}, "tls": "tls"}, {}, "a secret is a table with one of the keys"),
    ],
)  # fmt: skip
def test_wrong_settings_stop_the_start(table: dict[str, Any], mail: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence) as caught:
        trigger(TwistedRuntime(reactor), table, **mail)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"ca_file": "/nowhere/ca.pem", "tls": "tls"}, "^ca_file /nowhere/ca.pem cannot be read"),
        (
            {"user": "x", "password": {"env": "NO_SUCH_NAME"}, "tls": "tls"},
            "^environment variable NO_SUCH_NAME is not set$",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_read_fails_the_mail_and_not_the_service(table: dict[str, Any], sentence: str) -> None:
    started = trigger(TwistedRuntime(reactor), table)
    with pytest.raises(ValueError, match=sentence):
        await started.run(EVENT)


def test_names_that_no_event_has_are_told_before_a_mail_fails_for_them() -> None:
    made = trigger(
        TwistedRuntime(reactor),
        {},
        subject="{{ sytem }}",
        body="{{ kind }}\n{% for a, b in fields.items() %}{{ a }}{% endfor %}{{ range(2) }}{{ hots | default('x') }}\n"
        "{% if zone is defined %}{{ host }}{% endif %}",
    )
    assert list(made.doubts()) == [
        "ops.subject line 1: there is no sytem; did you mean system?",
        "ops.body line 3: there is no host; known are kind, system, mac, session, at, when, fields",
    ]
    assert list(trigger(TwistedRuntime(reactor), {}).doubts()) == []

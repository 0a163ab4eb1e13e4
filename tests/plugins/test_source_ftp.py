"""The FTP source: forms of a source, settings, and a server that serves one machine and no other."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from plugins.source_ftp import SettingsOfSourceFtp, SourceFtp
from provd.model.boot import Action
from provd.model.content import Content, FileRequest, NotFound
from provd.net.runtime import TwistedRuntime
from provd.plugin.api import BootPlan, ClientFacts

FILES = {"tree/rocky/a.rpm": b"package" * 1000, "answer/secret": b"secret"}
PLAN: Any = BootPlan(Action.INSTALL, "", ClientFacts.__new__(ClientFacts), server="10.0.0.1")


def open_file(request: FileRequest) -> Content | NotFound:
    octets = FILES.get(request.path)
    return NotFound("no such file") if octets is None else Content(octets, len(octets))


class Served(SourceFtp):
    """The plugin on a free port of this machine."""

    def begin(self) -> int:
        from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

        from plugins.source_ftp.listener import factory_of

        runtime = TwistedRuntime(reactor, open_file=open_file)
        self._listening = runtime.listen_tcp(0, factory_of(self._settings, runtime), "127.0.0.1")
        return int(self._listening.port)


@pytest.fixture
def served() -> Iterator[Served]:
    plugin = Served(SettingsOfSourceFtp(passive=(), advertise="192.0.2.7", connections_max=2))
    yield plugin
    plugin.close()


def _talk(port: int, *commands: str) -> list[str]:
    """Answers to commands, the greeting first."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = connection.makefile("r", newline="\r\n")
        answers = [lines.readline().strip()]
        for command in commands:
            connection.sendall(f"{command}\r\n".encode())
            answers.append(lines.readline().strip())
        return answers


@pytest_twisted.ensureDeferred
async def test_row_28_anonymous_alone_may_log_in_and_nobody_may_write(served: Served) -> None:
    port = served.begin()
    login = ("USER anonymous", "PASS x")
    answers = await deferToThread(
        partial(_talk, port, *login, "SIZE tree/rocky/a.rpm", "SIZE answer/secret", "SIZE tree")
    )
    assert [answer[:3] for answer in answers] == ["220", "331", "230", "213", "550", "550"]
    answers = await deferToThread(
        partial(_talk, port, *login, "DELE tree/rocky/a.rpm", "MKD tree/x", "PORT 10,0,0,9,1,1")
    )
    assert [answer[:1] for answer in answers[3:]] == ["5", "5", "5"]
    answers = await deferToThread(partial(_talk, port, "USER root", "PASS x", "SIZE tree/rocky/a.rpm"))
    assert [answer[:1] for answer in answers[2:]] == ["5", "5"]


def _passive(port: int, source: str) -> tuple[str, bytes]:
    """What PASV says, and what comes over a data connection from ``source``."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = connection.makefile("r", newline="\r\n")
        lines.readline()
        for command in ("USER anonymous", "PASS x", "TYPE I", "PASV"):
            connection.sendall(f"{command}\r\n".encode())
            answer = lines.readline().strip()
        numbers = [int(number) for number in re.findall(r"\d+", answer.partition("(")[2])]
        data = socket.create_connection(("127.0.0.1", numbers[4] * 256 + numbers[5]), 5, (source, 0))
        connection.sendall(b"RETR tree/rocky/a.rpm\r\n")
        got = b""
        data.settimeout(3)
        try:
            while more := data.recv(65536):
                got += more
        except OSError:
            pass
        data.close()
        return answer, got


@pytest_twisted.ensureDeferred
async def test_row_28_behind_NAT_the_address_of_the_settings_is_told(served: Served) -> None:
    answer, got = await deferToThread(partial(_passive, served.begin(), "127.0.0.1"))
    assert "(192,0,2,7," in answer
    assert got == FILES["tree/rocky/a.rpm"]


@pytest_twisted.ensureDeferred
async def test_C20_data_goes_to_nobody_but_the_machine_that_asks(served: Served) -> None:
    _, got = await deferToThread(partial(_passive, served.begin(), "127.0.0.9"))
    assert got == b""


@pytest_twisted.ensureDeferred
async def test_connections_are_bounded_and_given_back(served: Served) -> None:
    port = served.begin()

    def many() -> list[bytes]:
        held = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(3)]
        greetings = [one.recv(100) for one in held]
        for one in held:
            one.close()
        return greetings

    greetings = await deferToThread(many)
    assert [greeting[:3] for greeting in greetings] == [b"220", b"220", b""]
    for _ in range(50):
        if (await deferToThread(partial(_talk, port)))[0].startswith("220"):
            return
    raise AssertionError("no place was given back")


@pytest_twisted.ensureDeferred
async def test_a_line_without_an_end_ends_the_connection(served: Served) -> None:
    port = served.begin()

    def flood() -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            got = b""
            try:
                connection.sendall(b"USER " + b"x" * 50_000)
                while more := connection.recv(1000):
                    got += more
            except (BrokenPipeError, ConnectionResetError):
                pass
            return got

    assert not (await deferToThread(flood)).removeprefix(b"220 provd: packages for installers\r\n").startswith(b"331")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://mirror.example/rocky/9", "ftp://mirror.example/rocky/9"),
        ("ftp://mirror.example:2121/rocky", "ftp://mirror.example:2121/rocky"),
        ("ftp:iso/rocky-9/BaseOS", "ftp://10.0.0.1/iso/rocky-9/BaseOS"),
        ("ftp:tree/rocky", "ftp://10.0.0.1/tree/rocky"),
        ("ftp:mirror/debian", "ftp://10.0.0.1/mirror/debian"),
        ("ftp:answer/x", None),
        ("ftp:iso", None),
        ("ftp:iso/../answer", None),
        ("ftp://user:word@mirror.example/", None),
        ("ftp://mirror.example:x/", None),
        ("ftp:///x", None),
    ],
)
def test_row_20_and_28_forms_of_a_source(url: str, told: str | None) -> None:
    location = SourceFtp(SettingsOfSourceFtp()).resolve(url, PLAN)
    assert (location.url if location else None) == told


def test_without_a_listener_only_other_servers_are_named() -> None:
    plugin = SourceFtp(SettingsOfSourceFtp(port=0))
    assert plugin.resolve("ftp:iso/x", PLAN) is None
    assert plugin.resolve("ftp://mirror.example/x", PLAN) is not None


@pytest.mark.parametrize(
    "wrong", [{"port": 70000}, {"passive": (1,)}, {"passive": (9, 3)}, {"passive": (0, 10)}, {"passive": (1, 2, 3)}]
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"port|passive"):
        SettingsOfSourceFtp(**wrong)

"""The FTP source: forms of a source, settings, and a server that serves one machine and no other."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import ftplib
import io
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from plugins.source_ftp import SettingsOfSourceFtp, SourceFtp
from provd.model.boot import Action
from provd.model.content import Content, FileRequest, NotFound, StreamBody
from provd.net.runtime import TwistedRuntime
from provd.plugin.api import BootPlan, ClientFacts

BIG = b"0123456789abcdef" * (1 << 20)
FILES = {
    "tree/rocky/a.rpm": b"package" * 1000,
    "tree/rocky/lines": b"a\nb\r\nc\n",
    "tree/rocky/big": BIG,
    "answer/secret": b"secret",
}
PLAN: Any = BootPlan(Action.INSTALL, "", ClientFacts.__new__(ClientFacts), server="10.0.0.1")


async def _breaks(start: int, _stop: int) -> AsyncIterator[bytes]:
    yield BIG[start:100_000]
    raise ConnectionError("upstream: gone")


def open_file(request: FileRequest) -> Content | NotFound:
    if request.path == "mirror/breaks":
        return Content(StreamBody(_breaks), len(BIG))
    octets = FILES.get(request.path)
    return NotFound("no such file") if octets is None else Content(octets, len(octets))


class Served(SourceFtp):
    """The plugin on a free port of this machine."""

    def begin(self, **changed: Any) -> int:
        from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

        from plugins.source_ftp.listener import factory_of

        runtime = TwistedRuntime(reactor, open_file=open_file)
        self._listening = runtime.listen_tcp(
            0, factory_of(msgspec.structs.replace(self._settings, **changed), runtime), "127.0.0.1"
        )
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


def _client(port: int) -> ftplib.FTP:
    client = ftplib.FTP(timeout=10)
    client.connect("127.0.0.1", port)
    client.login()
    return client


def _retrieve(port: int, path: str, *before: str, start: int | None = None) -> bytes:
    got = io.BytesIO()
    with _client(port) as client:
        for command in before:
            client.sendcmd(command)
        client.retrbinary(f"RETR {path}", got.write, rest=start)
    return got.getvalue()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("start", [1, 262_144, 300_001, len(BIG) - 1, len(BIG)])
async def test_row_28_a_transfer_goes_on_where_it_broke_off(served: Served, start: int) -> None:
    port = served.begin()
    assert await deferToThread(partial(_retrieve, port, "tree/rocky/big", start=start)) == BIG[start:]


@pytest_twisted.ensureDeferred
async def test_row_28_one_marker_is_for_one_file_and_a_wrong_one_is_refused(served: Served) -> None:
    port = served.begin()

    def talk() -> tuple[bytes, list[str]]:
        got, refused = io.BytesIO(), []
        with _client(port) as client:
            client.retrbinary("RETR tree/rocky/a.rpm", lambda _: None, rest=6990)
            client.retrbinary("RETR tree/rocky/a.rpm", got.write)
            for marker in ("7001", str(10**18)):
                with pytest.raises(ftplib.error_perm) as caught:
                    client.retrbinary("RETR tree/rocky/a.rpm", got.write, rest=int(marker))
                refused.append(str(caught.value))
            for marker in ("-1", "x", "9" * 400, "\u0661"):
                with pytest.raises(ftplib.error_perm) as caught:
                    client.sendcmd(f"REST {marker}")
                refused.append(str(caught.value)[:3])
            assert "REST STREAM" in client.sendcmd("FEAT")
        return got.getvalue(), refused

    got, refused = await deferToThread(talk)
    assert got == FILES["tree/rocky/a.rpm"]
    assert refused == ["554 The file has no octet 7001.", f"554 The file has no octet {10**18}.", *["501"] * 4]


@pytest_twisted.ensureDeferred
async def test_row_28_the_type_changes_no_octet(served: Served) -> None:
    port = served.begin()

    def ascii_() -> bytes:
        got = io.BytesIO()
        with _client(port) as client:
            client.sendcmd("TYPE A")
            with client.transfercmd("RETR tree/rocky/lines") as data:
                while more := data.recv(1000):
                    got.write(more)
            assert client.voidresp().startswith("226")
        return got.getvalue()

    assert await deferToThread(ascii_) == FILES["tree/rocky/lines"]


@pytest_twisted.ensureDeferred
async def test_row_28_what_breaks_off_is_told(served: Served) -> None:
    port = served.begin()

    def broken() -> str:
        with _client(port) as client, pytest.raises(ftplib.error_temp) as caught:
            client.retrbinary("RETR mirror/breaks", lambda _: None)
        return str(caught.value)

    assert (await deferToThread(broken)).startswith("426")


@pytest_twisted.ensureDeferred
async def test_a_client_that_reads_nothing_gives_its_place_back(served: Served) -> None:
    port = served.begin(idle_s=1)

    def stall() -> int:
        octets = 0
        with suppress(ConnectionResetError), _client(port) as client, client.transfercmd("RETR tree/rocky/big") as data:
            assert client.sock is not None
            client.sock.settimeout(10)
            lines = client.sock.recv(1000)  # nothing more until the server cuts the connection
            assert lines == b"", lines
            while more := data.recv(1 << 20):
                octets += len(more)
        return octets

    assert await deferToThread(stall) < len(BIG)
    assert (await deferToThread(partial(_retrieve, port, "tree/rocky/a.rpm"))) == FILES["tree/rocky/a.rpm"]


@pytest_twisted.ensureDeferred
async def test_a_new_port_for_data_ends_the_connection_of_the_old_one(served: Served) -> None:
    port = served.begin()

    def twice() -> bytes:
        with _client(port) as client:
            host, first = client.makepasv()
            with socket.create_connection((host, first), timeout=10) as data:
                again = client.makepasv()
                socket.create_connection(again, timeout=10).close()
                try:
                    return data.recv(1)
                except ConnectionResetError:
                    return b""

    assert await deferToThread(twice) == b""


@pytest_twisted.ensureDeferred
async def test_ports_for_data_that_are_all_in_use_are_told_and_the_next_try_works() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        only = taken.getsockname()[1]
        plugin = Served(SettingsOfSourceFtp(passive=(only, only)))
        try:
            port = plugin.begin()

            def ask() -> str:
                with _client(port) as client:
                    with pytest.raises(ftplib.error_temp) as caught:
                        client.sendcmd("PASV")
                    taken.close()
                    client.retrbinary("RETR tree/rocky/lines", lambda _: None)
                return str(caught.value)

            assert (await deferToThread(ask)).startswith("425 All ports")
        finally:
            plugin.close()


@pytest_twisted.ensureDeferred
async def test_a_port_for_data_that_nobody_calls_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.source_ftp.listener.TreeFtp.dtpTimeout", 0.2)
    port = served.begin()

    def ask() -> str:
        with _client(port) as client:
            client.sendcmd("PASV")
            with pytest.raises(ftplib.error_temp) as caught:
                client.getresp()
            return str(caught.value)

    assert (await deferToThread(ask)).startswith("425")

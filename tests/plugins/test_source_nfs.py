"""NFS sources: what the installer of each family is told, the server's configuration, and what the probe makes of answers."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugins.source_nfs import SettingsOfSourceNfs, SourceNfs
from plugins.source_nfs.nfs4 import look_up, ping, read
from plugins.source_nfs.probe import probe
from plugins.source_nfs.rpc import Reader, RpcClient, RpcError, opaque
from provd.model.boot import Action, BootPlan, Location
from provd.model.client import ClientFacts
from provd.model.mac import Mac

SETTINGS = SettingsOfSourceNfs(exports={"rocky-9": "/srv/rocky-9", "rocky-8": "/srv/rocky 8"})


def plan() -> BootPlan:
    return BootPlan(Action.INSTALL, "", ClientFacts(Mac(b"\2" * 6)), server="10.88.0.1")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("nfs://10.0.0.9/srv/rocky", Location("nfs", "10.0.0.9", "/srv/rocky")),
        ("nfs://nas.example:2050/a?nfsvers=3,nolock", Location("nfs", "nas.example", "/a", 0, "port=2050,nfsvers=3,nolock")),
        ("nfs:rocky-9", Location("nfs", "10.88.0.1", "/rocky-9", 0, "nfsvers=4")),
        ("nfs:rocky-9/BaseOS/", Location("nfs", "10.88.0.1", "/rocky-9/BaseOS", 0, "nfsvers=4")),
        ("nfs:suse", None),
        ("nfs:rocky-9/../x", None),
        ("nfs:", None),
        ("nfs://10.0.0.9/", None),
        ("nfs://u:p@10.0.0.9/x", None),
        ("nfs://10.0.0.9:x/y", None),
        ("nfs://10.0.0.9/y?a%20b=c", None),
    ],
)  # fmt: skip
def test_row_27_where_a_machine_mounts(url: str, place: Location | None) -> None:
    assert SourceNfs(SETTINGS).resolve(url, plan()) == place


def test_another_port_and_version_are_told() -> None:
    source = SourceNfs(SettingsOfSourceNfs(exports={"a": "/a"}, port=2050, versions=(3, 4)))
    assert source.resolve("nfs:a", plan()) == Location("nfs", "10.88.0.1", "/a", 0, "port=2050")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"exports": {"a": "srv"}}, "exports.a: a plain name and an absolute path are expected"),
        ({"exports": {"a/b": "/srv"}}, "exports.a/b: a plain name"),
        ({"exports": {"a": "/"}}, "exports.a: a plain name"),
        ({"exports": {"a": '/x"; }'}}, "exports.a: quotes and control characters cannot be exported"),
        ({"exports": {"a": "/x\n"}}, "exports.a: quotes"),
        ({"port": 0}, "port: 1 to 65535 is expected"),
        ({"versions": [2]}, "versions: 3, 4 or both are expected"),
        ({"versions": []}, "versions: 3, 4 or both are expected"),
        ({"clients": ["10.0.0.1/8"]}, "has host bits set"),
    ],
)
def test_wrong_settings_are_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=sentence) as caught:
        msgspec.convert(wrong, SettingsOfSourceNfs)
    assert "\n" not in str(caught.value)


def test_nothing_runs_without_exports() -> None:
    assert list(SourceNfs(SettingsOfSourceNfs()).provd_daemons()) == []


def test_C20_the_server_only_reads_and_only_for_the_named_networks() -> None:
    settings = SettingsOfSourceNfs(exports={"a": "/srv/a", "b": "/srv/b c"}, clients=("10.0.0.0/24", "10.1.0.0/16"))
    [daemon] = SourceNfs(settings).provd_daemons()
    text = daemon.configuration["ganesha.conf"]
    assert text.count("EXPORT {") == 2
    assert text.count("Squash = All_Squash;") == 2
    assert text.count("Access_Type = NONE;") == 2
    assert text.count("Clients = 10.0.0.0/24, 10.1.0.0/16;") == 2
    assert "RW" not in text
    assert "Protocols = 4;" in text
    assert "Enable_NLM = false;" in text
    assert 'Path = "/srv/b c";' in text
    assert daemon.argv[0] == "/usr/bin/ganesha.nfsd"


class Server:
    """Answers one connection with what the test wants, record by record."""

    def __init__(self, answers: Callable[[bytes], bytes]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._answers = answers
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            while head := connection.recv(4):
                asked = connection.recv(int.from_bytes(head) & 0x7FFFFFFF)
                answer = self._answers(asked)
                if not answer:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        self._listening.close()
        self._thread.join(5)


def record(octets: bytes, *, last: bool = True) -> bytes:
    return struct.pack(">I", (0x80000000 if last else 0) | len(octets)) + octets


def accepted(asked: bytes, results: bytes, state: int = 0) -> bytes:
    return record(asked[:4] + struct.pack(">IIIII", 1, 0, 0, 0, state) + results)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[bytes], bytes]], Server]]:
    made: list[Server] = []

    def start(answers: Callable[[bytes], bytes]) -> Server:
        made.append(Server(answers))
        return made[-1]

    yield start
    for server in made:
        server.close()


Serve = Callable[[Callable[[bytes], bytes]], Server]


def test_an_answer_in_fragments_is_one(serve: Serve) -> None:
    def answers(asked: bytes) -> bytes:
        whole = accepted(asked, b"")[4:]
        return record(whole[:5], last=False) + record(whole[5:])

    server = serve(answers)
    with RpcClient("127.0.0.1", server.port) as client:
        ping(client)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (lambda asked: accepted(asked, b"", 2), "the server does not speak this version"),
        (lambda asked: accepted(asked, b"", 77), "the server says state 77"),
        (lambda asked: record(asked[:4] + struct.pack(">II", 1, 1)), "the server denies the call"),
        (lambda _asked: record(bytes(8)), "the answer is to another call"),
        (lambda asked: record(asked[:4]), "the answer is cut off"),
        (lambda _asked: b"\xff\xff\xff\xff", "the answer is too long for one"),
        (lambda _asked: b"", "the server closes the connection"),
    ],
)
def test_what_a_server_may_answer_is_one_sentence(serve: Serve, answers: Any, sentence: str) -> None:
    server = serve(answers)
    told = probe("127.0.0.1", "/rocky-9", f"port={server.port}")
    assert told == f"nfs://127.0.0.1/rocky-9 (version 4): {sentence}"


@pytest.mark.parametrize(
    ("status", "told"), [(2, "/a/b: no such directory"), (13, "/a/b: access denied"), (999, "/a/b: NFS status 999")]
)
def test_a_server_that_says_no(serve: Serve, status: int, told: str) -> None:
    server = serve(lambda asked: accepted(asked, struct.pack(">I", status) + opaque(b"") + struct.pack(">I", 0)))
    with RpcClient("127.0.0.1", server.port) as client, pytest.raises(RpcError, match=told):
        look_up(client, "/a/b")


def test_a_file_where_a_directory_should_be(serve: Serve) -> None:
    pairs = struct.pack(">6I", 24, 0, 15, 0, 9, 0)
    attributes = struct.pack(">II", 1, 2) + opaque(struct.pack(">I", 1))
    server = serve(
        lambda asked: accepted(asked, struct.pack(">I", 0) + opaque(b"") + struct.pack(">I", 3) + pairs + attributes)
    )
    with RpcClient("127.0.0.1", server.port) as client, pytest.raises(RpcError, match="/a: not a directory"):
        look_up(client, "/a")


def test_a_file_is_read(serve: Serve) -> None:
    pairs = struct.pack(">6I", 24, 0, 15, 0, 25, 0)
    body = struct.pack(">I", 1) + opaque(b"hello")
    server = serve(
        lambda asked: accepted(asked, struct.pack(">I", 0) + opaque(b"") + struct.pack(">I", 3) + pairs + body)
    )
    with RpcClient("127.0.0.1", server.port) as client:
        assert read(client, "/a", 0, 100) == (b"hello", True)


def test_nobody_there_and_nonsense(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert probe("127.0.0.1", "/a", f"port={port}").endswith(f"127.0.0.1 port {port}/tcp: Connection refused")
    assert "invalid literal" in probe("127.0.0.1", "/a", "port=x")
    source = SourceNfs(SettingsOfSourceNfs(exports={"a": str(tmp_path)}, port=port))
    assert source.probe("nfs:a").endswith("Connection refused; provd daemon run nfs starts the server")
    assert source.probe("nfs:b") == "there is no export 'b' in plugins.source_nfs.exports"
    assert source.probe("nfs://h/") == "'nfs://h/' is no URL of an export"


def test_octets_that_end_too_early() -> None:
    with pytest.raises(RpcError, match="cut off"):
        Reader(b"\0\0\0\5abc").opaque()

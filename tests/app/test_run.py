"""`provd run` as a process: listeners, signals, reload, refusals (row 4)."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from provd.api.client import ApiError, LocalClient
from provd.app.run import _refused
from tests.app.running_server import RunningServer, wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def http_status(server: RunningServer, path: str) -> int:
    """Status of a GET."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http}/{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def tftp_answer(server: RunningServer, name: str) -> bytes:
    """First datagram that answers a read request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\0\1" + name.encode() + b"\0octet\0", ("127.0.0.1", server.tftp))
        return client.recv(2048)


def test_row_4_one_process_answers_tftp_and_http_and_stops_cleanly(server: RunningServer) -> None:
    assert http_status(server, "nosuch") == 404
    assert tftp_answer(server, "nosuch")[:4] == b"\0\5\0\1"
    assert server.stop() == 0
    assert "stopped" in server.text()


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc/passwd", "boot/../../etc/passwd", "%2fetc/passwd",
     "..%5c..%5cetc/passwd", "x%00y"],
)  # fmt: skip
def test_C20_T23_no_path_leaves_what_is_served(server: RunningServer, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.http), 5) as client:
        client.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.split()[1] in {b"400", b"404"}
    assert b"root:" not in answer


@pytest.mark.parametrize("name", ["../../etc/passwd", "/../etc/passwd", "..\\..\\etc\\passwd", "boot/../../etc/passwd"])
def test_T23_no_path_leaves_what_is_served_by_tftp(server: RunningServer, name: str) -> None:
    answer = tftp_answer(server, name)
    assert answer[:2] == b"\0\5"
    assert b"root:" not in answer


def test_a_changed_file_is_reloaded_by_itself_and_a_broken_one_keeps_the_old_catalogue(server: RunningServer) -> None:
    profiles = server.folder / "site" / "profiles"
    (profiles / "mine.toml").write_text('parent = "nosuch"\n')
    server.wait_for("reload refused, the running configuration stays")
    assert "mine.toml" in server.text()
    assert "no profile has the name 'nosuch'" in server.text()
    (profiles / "mine.toml").unlink()
    server.wait_for("reload: reloaded")
    assert server.stop() == 0


def test_SIGHUP_reloads_and_says_what_needs_a_restart(server: RunningServer) -> None:
    text = server.config.read_text()
    server.config.write_text(text.replace(f"http_port = {server.http}", "http_port = 1").replace("9.200", "9.100"))
    server.send_signal(signal.SIGHUP)
    server.wait_for("a restart is needed for: listen.http_port")
    assert http_status(server, "nosuch") == 404


def test_a_dry_run_of_a_reload_says_what_it_would_do_and_does_nothing(server: RunningServer) -> None:
    client = LocalClient(server.folder / "run" / "provd.sock")
    text = server.config.read_text()
    server.config.write_text(text.replace(f"http_port = {server.http}", "http_port = 1"))
    told = client.call("reload", {"dry_run": True})
    assert (told["applied"], told["error"], told["left"]) == (False, "", ["listen.http_port"])
    server.config.write_text(text + "\n[plugins.static_files]\nnosuch = 1\n")
    with pytest.raises(ApiError, match=r"the running configuration stays: .*nosuch"):
        client.call("reload", {"dry_run": True})
    assert "reloaded" not in server.text()
    assert "a restart is needed" not in server.text()
    server.config.write_text(text)
    assert client.call("reload")["applied"] is True
    assert "reload: reloaded" in server.text()


def test_a_file_without_content_is_a_file_that_somebody_is_writing(server: RunningServer) -> None:
    text = server.config.read_text()
    server.config.write_text("")
    server.send_signal(signal.SIGHUP)
    server.wait_for("reload refused, the running configuration stays: ")
    assert f"{server.config}: is empty" in server.text()
    server.config.write_text(text)
    server.wait_for("reload: reloaded")
    assert server.stop() == 0


def test_readiness_and_stopping_reach_the_service_manager(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        server = RunningServer(tmp_path)
        server.start({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"})
        try:
            assert manager.recv(4096) == b"READY=1\nSTATUS=answering DHCP on lo"
            beats = {manager.recv(4096) for _ in range(3)}
            assert beats == {b"WATCHDOG=1"}
            assert server.stop() == 0
            wait_until(lambda: manager.recv(4096) == b"STOPPING=1", 5, server.text)
        finally:
            server.stop(signal.SIGKILL)


def test_signals_while_it_stops_neither_reload_nor_end_in_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        server = RunningServer(tmp_path)
        server.start({"NOTIFY_SOCKET": str(path)})
        try:
            assert manager.recv(4096).startswith(b"READY=1")
            server.send_signal(signal.SIGTERM)
            assert manager.recv(4096) == b"STOPPING=1"
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                server.send_signal(number)
            assert server.stop() == 0
            manager.setblocking(False)
            with pytest.raises(BlockingIOError):
                print(manager.recv(4096))
        finally:
            server.stop(signal.SIGKILL)
    assert "reloaded" not in server.text()
    assert "Traceback" not in server.text()
    assert "stopped" in server.text()


def refused(folder: Path, extra: str = "", config: str = "") -> str:
    """Standard error of a start that must fail with status 1."""
    server = RunningServer(folder, extra)
    if config:
        server.config.write_text(config)
    command = [sys.executable, "-m", "provd", "run", "--config", str(server.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1, done.stderr
    return done.stderr.replace(str(folder), "DIR")


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        pytest.param(
            '\n[subnet.options]\nntp-serverz = ["127.0.0.1"]\n',
            "subnet[0].options.ntp-serverz",
            id="unknown DHCP option",
        ),
        pytest.param('\n[[subnet]]\nnetwork = "127.0.0.0/9"\n', "overlaps 127.0.0.0/8", id="overlapping subnets"),
    ],
)
def test_a_wrong_configuration_stops_the_start_with_one_sentence(tmp_path: Path, extra: str, sentence: str) -> None:
    said = refused(tmp_path, extra)
    assert sentence in said
    assert "DIR/provd.toml" in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, "Permission denied", "/run/provd"), "provd: /run/provd: Permission denied\n"),
        (PermissionError(13, "Permission denied", "1", None, b"/x/lock"), "provd: /x/lock: Permission denied\n"),
        (OSError("no name"), "provd: no name\n"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_a_number(
    error: OSError, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _refused(error) == 1
    assert capsys.readouterr().err == sentence


def test_a_port_that_is_taken_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = RunningServer(tmp_path)
        port = taken.getsockname()[1]
        text = server.config.read_text().replace(f"http_port = {server.http}", f"http_port = {port}")
        said = refused(tmp_path, config=text)
    assert said == f"provd: HTTP port {port} on 127.0.0.1: Address already in use\n"

"""The runtime of plugins against real processes and a real HTTP server on loopback."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor  # noqa: TID251  these tests are about the real one
from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from provd.model.event import Event
from provd.net.runtime import TwistedRuntime
from provd.plugin.runtime import MOST_OUTPUT
from tests.fakes.shipped_plugins import shipped

reactor: Any = installed_reactor
_site: Any = Site


@pytest.fixture
def runtime() -> TwistedRuntime:
    return TwistedRuntime(reactor)


@pytest_twisted.ensureDeferred
async def test_child_has_no_capability_at_all(runtime: TwistedRuntime) -> None:
    result = await runtime.run_process(["grep", "-E", "^(Cap|NoNewPrivs)", "/proc/self/status"], timeout_s=20)
    rows = dict(line.split(":\t") for line in result.stdout.decode().splitlines())
    assert result.status == 0
    assert {name: int(rows[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapAmb"), 0
    )
    assert rows["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert int(rows["CapBnd"], 16) == 0


@pytest_twisted.ensureDeferred
async def test_process_gets_input_environment_and_arguments_as_they_are(runtime: TwistedRuntime) -> None:
    words = ["; id", "`id`", "$(id)", "-n", "two\nlines", "ünïcode"]
    script = 'cat; printf "[%s]" "$X"; for word in "$@"; do printf "<%s>" "$word"; done'
    result = await runtime.run_process(["sh", "-c", script, "sh", *words], stdin=b"in", env={"X": "y"}, timeout_s=20)
    assert result.stdout.decode() == "in[y]" + "".join(f"<{word}>" for word in words)


@pytest_twisted.ensureDeferred
async def test_process_environment_holds_nothing_of_ours(
    runtime: TwistedRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVD_CANARY", "secret")
    result = await runtime.run_process(["env"], timeout_s=20)
    assert b"CANARY" not in result.stdout
    assert b"PATH=" in result.stdout


@pytest_twisted.ensureDeferred
async def test_status_and_signal_are_told(runtime: TwistedRuntime) -> None:
    assert (await runtime.run_process(["sh", "-c", "exit 3"], timeout_s=20)).status == 3
    assert (await runtime.run_process(["sh", "-c", "kill -15 $$"], timeout_s=20)).status == -15


@pytest_twisted.ensureDeferred
async def test_timeout_kills_the_whole_group(runtime: TwistedRuntime, tmp_path: Any) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; wait"
    with pytest.raises(TimeoutError):
        await runtime.run_process(["sh", "-c", script], timeout_s=1.5)
    for _ in range(50):
        if not _runs(int(pid_file.read_text())):
            break
        await runtime.sleep(0.02)
    assert not _runs(int(pid_file.read_text()))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


@pytest_twisted.ensureDeferred
async def test_cancelling_kills_the_process(runtime: TwistedRuntime, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    running: Any = ensureDeferred(
        runtime.run_process(["sh", "-c", f"echo $$ > {pid_file}; exec sleep 600"], timeout_s=60)
    )
    running.addErrback(lambda failure: failure.trap(CancelledError))
    for _ in range(500):
        if pid_file.exists() and pid_file.read_text():
            break
        await runtime.sleep(0.02)
    running.cancel()
    await running
    for _ in range(100):
        if not _runs(int(pid_file.read_text())):
            break
        await runtime.sleep(0.02)
    assert not _runs(int(pid_file.read_text()))


@pytest_twisted.ensureDeferred
async def test_a_grandchild_that_keeps_the_pipes_does_not_hold_the_call(
    runtime: TwistedRuntime, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; echo done"
    result = await runtime.run_process(["sh", "-c", script], timeout_s=20)
    assert (result.status, result.stdout) == (0, b"done\n")
    os.kill(int(pid_file.read_text()), signal.SIGKILL)


@pytest_twisted.ensureDeferred
async def test_output_is_capped(runtime: TwistedRuntime) -> None:
    result = await runtime.run_process(["head", "-c", "1000000", "/dev/zero"], timeout_s=20)
    assert len(result.stdout) == MOST_OUTPUT


@pytest_twisted.ensureDeferred
async def test_unknown_program_and_nul_are_refused(runtime: TwistedRuntime) -> None:
    with pytest.raises(FileNotFoundError, match="no such program"):
        await runtime.run_process(["provd-has-no-such-program"])
    with pytest.raises(OSError, match="NUL"):
        await runtime.run_process(["true", "a\0b"])


@pytest_twisted.ensureDeferred
async def test_c09_a_real_script_gets_a_hostile_name_as_one_word(runtime: TwistedRuntime, tmp_path: Path) -> None:
    script = tmp_path / "after"
    script.write_text('#!/bin/sh\nprintf "%s|%s|" "$#" "$2"; printf "%s|" "$PROVD_EVENT"; cat\n')
    script.chmod(0o755)
    table = {"scripts": [{"name": "s", "on": ["install.*"], "argv": [str(script), "--", "{system}"]}]}
    host = shipped("trigger_script", table)
    host.start(runtime)
    name = "-x; $(id) `id` \n'"
    output = await host.triggers["s"].run(Event("install.finished", 1.0, system=name))
    words = output.split("|")
    assert words[:3] == ["2", name.replace("\n", " "), "install.finished"]
    assert json.loads(words[3])["system"] == name


class Pages(Resource):
    isLeaf = True  # noqa: N815  Twisted's naming

    def render(self, request: Any) -> Any:
        if request.path == b"/never":
            return NOT_DONE_YET
        if request.path == b"/large":
            return b"x" * (MOST_OUTPUT * 3)
        if request.path == b"/away":
            request.redirect(b"/elsewhere")
            return b""
        return request.method + b" " + request.content.read() + b" " + (request.getHeader(b"x-a") or b"")


@pytest.fixture
def base() -> Any:
    port = reactor.listenTCP(0, _site(cast("Any", Pages)()), interface="127.0.0.1")
    yield f"http://127.0.0.1:{port.getHost().port}"
    pytest_twisted.blockon(ensureDeferred(_stopped(port)))


async def _stopped(port: Any) -> None:
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_http_request_carries_method_body_and_headers(runtime: TwistedRuntime, base: str) -> None:
    answer = await runtime.http_request("POST", f"{base}/x", body=b"hello", headers={"X-A": "b"}, timeout_s=10)
    assert answer == (200, b"POST hello b")


@pytest_twisted.ensureDeferred
async def test_http_answer_is_capped_and_redirects_are_not_followed(runtime: TwistedRuntime, base: str) -> None:
    status, body = await runtime.http_request("GET", f"{base}/large", timeout_s=10)
    assert (status, len(body)) == (200, MOST_OUTPUT)
    assert (await runtime.http_request("GET", f"{base}/away", timeout_s=10))[0] == 302


@pytest_twisted.ensureDeferred
async def test_http_timeout_and_refused_connection_are_plain_errors(runtime: TwistedRuntime, base: str) -> None:
    with pytest.raises(TimeoutError):
        await runtime.http_request("GET", f"{base}/never", timeout_s=0.2)
    with pytest.raises(ConnectionError, match=r"^127\.0\.0\.1:1: Connection refused$"):
        await runtime.http_request("GET", "http://127.0.0.1:1/", timeout_s=5)
    with pytest.raises(ConnectionError, match=r"^nosuch\.invalid: its name has no address$"):
        await runtime.http_request("GET", "http://nosuch.invalid/", timeout_s=5)

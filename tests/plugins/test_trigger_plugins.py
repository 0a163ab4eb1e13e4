"""trigger_script and trigger_webhook (security row C09)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from provd.model.trigger import TriggerRun
from provd.plugin.api import Event, ProcessResult
from provd.plugin.errors import PluginError
from provd.service.triggers import Triggers
from provd.store.memory import MemoryTriggerRuns
from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.shipped_plugins import shipped

EVENT = Event("install.finished", 1.5, "s1", "web1", "52:54:00:aa:bb:cc", {"text": "ok", "root_password": "x"}, 7)
SCRIPT: dict[str, Any] = {
    "name": "after",
    "on": ["install.finished"],
    "argv": ["/usr/local/bin/after", "-v", "--", "{system}", "{mac}", "plain"],
    "timeout_s": 30,
}
HOOK: dict[str, Any] = {"name": "cmdb", "on": ["install.*"], "url": "https://cmdb.example/x", "backoff_s": 2.0}


def script(runtime: FakeRuntime, **more: Any) -> Any:
    host = shipped("trigger_script", {"scripts": [{**SCRIPT, **more}]})
    host.start(runtime)
    return host.triggers["after"]


def test_a_script_gets_arguments_json_and_environment() -> None:
    runtime = FakeRuntime(processes=[ProcessResult(0, b"done\n")])
    trigger = script(runtime)
    assert (trigger.on, trigger.timeout_s) == (("install.finished",), 35)
    assert run_now(trigger.run(EVENT)) == "done\n"
    argv, stdin, timeout_s, env = runtime.ran[0]
    assert argv == ("/usr/local/bin/after", "-v", "--", "web1", "52:54:00:aa:bb:cc", "plain")
    assert timeout_s == 30
    assert json.loads(stdin)["fields"] == {"text": "ok", "root_password": "***"}
    assert env == {
        "PROVD_EVENT": "install.finished",
        "PROVD_SYSTEM": "web1",
        "PROVD_MAC": "52:54:00:aa:bb:cc",
        "PROVD_SESSION": "s1",
        "PROVD_AT": "1.500",
    }


@pytest.mark.parametrize("name", ["; reboot", "`id`", "$(id)", "-rf", "--help", "a\nb", "a\0b", "x" * 5000])
def test_c09_a_hostile_name_stays_one_argument_after_the_dashes(name: str) -> None:
    runtime = FakeRuntime()
    run_now(script(runtime).run(Event("install.finished", 0.0, system=name)))
    argv, _, _, env = runtime.ran[0]
    assert argv[:3] == ("/usr/local/bin/after", "-v", "--")
    assert len(argv) == 6
    assert argv[3] == env["PROVD_SYSTEM"] == name.replace("\n", " ").replace("\0", " ")[:1024]


def test_a_failing_script_is_a_failure_with_its_last_words() -> None:
    runtime = FakeRuntime(processes=[ProcessResult(3, b"", b"no answer/t0ken/x\n")])
    with pytest.raises(RuntimeError, match=r"^/usr/local/bin/after ended with status 3: no answer/\*\*\*/x$"):
        run_now(script(runtime).run(EVENT))


def test_output_is_capped() -> None:
    assert len(run_now(script(FakeRuntime(processes=[ProcessResult(0, b"x" * 65536)])).run(EVENT))) == 4096


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "must begin with an absolute path"),
        (["after"], "must begin with an absolute path"),
        (["/bin/x", "{system}"], "placeholders may only stand after '--'"),
        (["/bin/x", "--name={system}", "--"], "placeholders may only stand after '--'"),
        (["/bin/x", "--", "name={system}"], "a placeholder must be a whole argument"),
    ],
)
def test_c09_a_command_line_that_mixes_values_with_options_stops_the_start(argv: list[str], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        shipped("trigger_script", {"scripts": [{**SCRIPT, "argv": argv}]})
    assert sentence in str(caught.value)


def webhook(runtime: FakeRuntime, **more: Any) -> Any:
    host = shipped("trigger_webhook", {"hooks": [{**HOOK, **more}]})
    host.start(runtime)
    return host.triggers["cmdb"]


def test_a_webhook_posts_json_and_signs_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key\n")
    secret.chmod(0o600)
    runtime = FakeRuntime(answers=[(204, b"")])
    assert run_now(webhook(runtime, secret_file=str(secret)).run(EVENT)) == "status 204"
    method, url, body, headers = runtime.sent[0]
    assert (method, url) == ("POST", "https://cmdb.example/x")
    assert json.loads(body) == {
        "kind": "install.finished",
        "at": 1.5,
        "session": "s1",
        "system": "web1",
        "mac": "52:54:00:aa:bb:cc",
        "fields": {"text": "ok", "root_password": "***"},
        "id": 7,
    }
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Provd-Signature"] == "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()


def test_a_webhook_without_secret_is_not_signed() -> None:
    runtime = FakeRuntime(answers=[(200, b"")])
    run_now(webhook(runtime).run(EVENT))
    assert "X-Provd-Signature" not in runtime.sent[0][3]


class Engine:
    """The engine of triggers with this webhook, on a clock that moves when told."""

    def __init__(self, runtime: FakeRuntime, **more: Any) -> None:
        self.clock, self.store, self.events = Clock(), MemoryTriggerRuns(), list[Event]()
        trigger = webhook(runtime, **more)
        engine = Triggers(
            lambda: {trigger.name: trigger},
            clock=self.clock,
            wall=self.clock.seconds,
            log=self.store,
            publish=self.events.append,
        )
        engine.on_event(EVENT)

    @property
    def run(self) -> TriggerRun:
        return self.store.runs()[0]


def test_a_webhook_tries_again_with_growing_pauses() -> None:
    runtime = FakeRuntime(answers=[(503, b""), ConnectionError("refused"), (429, b""), (200, b"")])
    engine = Engine(runtime, attempts=4)
    sent_at = [0.0]
    for _ in range(20):
        engine.clock.advance(1)
        if len(runtime.sent) > len(sent_at):
            sent_at.append(engine.clock.seconds())
    assert sent_at == [0.0, 2.0, 6.0, 14.0]
    assert (engine.run.ok, engine.run.attempt, engine.run.output) == (True, 4, "status 200")
    assert [event.kind for event in engine.events] == ["trigger.finished"]


def test_a_webhook_gives_up_after_its_attempts() -> None:
    runtime = FakeRuntime(answers=[TimeoutError("no complete answer in 10 s")] * 3)
    engine = Engine(runtime, attempts=3)
    engine.clock.pump([1.0] * 60)
    assert len(runtime.sent) == 3
    assert (engine.run.ok, engine.run.waiting) == (False, False)
    assert engine.run.output == "TimeoutError: no complete answer in 10 s"
    assert [event.kind for event in engine.events] == ["trigger.failed"]


def test_a_refusal_is_not_tried_again() -> None:
    runtime = FakeRuntime(answers=[(403, b"")])
    engine = Engine(runtime)
    engine.clock.pump([1.0] * 60)
    assert len(runtime.sent) == 1
    assert (engine.run.ok, engine.run.output) == (False, "cmdb: status 403")


def test_what_waits_for_a_webhook_is_on_the_disk() -> None:
    engine = Engine(FakeRuntime(answers=[(503, b"")]))
    assert (engine.run.waiting, engine.run.attempt, engine.run.next_at) == (True, 1, 2.0)
    assert engine.run.of == EVENT


def test_the_timeout_covers_one_attempt() -> None:
    assert webhook(FakeRuntime(), attempts=3, timeout_s=10).timeout_s == 10 + 5


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        ("key", 0o644, "may be read by others; use chmod 600"),
        ("key", 0o640, "may be read by others; use chmod 600"),
        (" \n", 0o600, "is empty"),
        (None, 0, "No such file or directory"),
    ],
)
def test_an_unsafe_or_missing_secret_is_told_and_fails_its_post_alone(
    tmp_path: Path, content: str | None, mode: int, sentence: str
) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_text(content)
        secret.chmod(mode)
    runtime = FakeRuntime(answers=[(200, b"")] * 2)
    hook = webhook(runtime, secret_file=str(secret))
    (doubt,) = hook.doubts()
    assert doubt.startswith("secret_file: ")
    assert sentence in doubt
    with pytest.raises((OSError, ValueError), match=sentence):
        run_now(hook.run(EVENT))
    assert runtime.sent == []
    secret.write_text("key")
    secret.chmod(0o600)
    assert (list(hook.doubts()), run_now(hook.run(EVENT))) == ([], "status 200")


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    program = tmp_path / "after"
    trigger = script(FakeRuntime(), argv=[str(program)])
    assert list(trigger.doubts()) == [f"argv: there is no program {program}"]
    program.write_text("#!/bin/sh\n")
    assert list(trigger.doubts()) == [f"argv: {program} may not be executed; use chmod +x"]
    program.chmod(0o755)
    assert list(trigger.doubts()) == []


@pytest.mark.parametrize("url", ["ftp://h/", "http://user:pw@h/", "http:///x", "h"])
def test_a_wrong_url_stops_the_start(url: str) -> None:
    with pytest.raises(PluginError, match="must be http or https with a host and without a password"):
        webhook(FakeRuntime(), url=url)


@pytest.mark.parametrize(
    "url", ["https://h:99999/", "https://h:0/", "https://h/a b", "https://h/\u00e4", "https://h/\n"]
)
def test_a_url_that_nobody_could_ask_for_is_refused(url: str) -> None:
    with pytest.raises(PluginError, match=r"must be (ASCII without spaces, its port from 1 to 65535|http or https)"):
        webhook(FakeRuntime(), url=url)


def test_a_secret_of_no_known_place_is_refused() -> None:
    with pytest.raises(PluginError, match="secret_file of 'cmdb' must be an absolute path"):
        webhook(FakeRuntime(), secret_file="cmdb.secret")


def test_the_receiver_of_the_page_on_triggers_tells_true_from_false(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/triggers.md").read_text()
    (code,) = re.findall(r"```python\n(.+?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    secret = tmp_path / "secret"
    secret.write_text(" key \n")
    secret.chmod(0o600)
    runtime = FakeRuntime(answers=[(204, b"")])
    run_now(webhook(runtime, secret_file=str(secret)).run(EVENT))
    _, _, body, headers = runtime.sent[0]
    assert names["is_from_provd"](b"key", body, headers["X-Provd-Signature"])
    assert not names["is_from_provd"](b"key", body + b" ", headers["X-Provd-Signature"])
    assert not names["is_from_provd"](b"other", body, headers["X-Provd-Signature"])

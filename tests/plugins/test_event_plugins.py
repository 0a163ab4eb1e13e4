"""install_callbacks, event_log and inventory_file."""

from __future__ import annotations

import json
import os
import re
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from provd.plugin.api import CallbackCall, CallbackResult, Event, Interface, Mac, System
from provd.plugin.errors import PluginError
from provd.testing.runtime import run_now
from tests.fakes.plugin_world import PLAN
from tests.fakes.shipped_plugins import shipped


def post(name: str, body: bytes = b"", **settings: Any) -> CallbackResult:
    callback = shipped("install_callbacks", settings).callbacks[name]
    return callback.run(CallbackCall(name, body, PLAN, "10.0.0.5"))


@pytest.mark.parametrize(
    ("name", "event", "outcome"),
    [
        ("started", "install.started", "started"),
        ("progress", "install.progress", ""),
        ("log", "install.log", ""),
        ("finished", "install.finished", "finished"),
        ("failed", "install.failed", "failed"),
        ("firstboot", "install.firstboot", "firstboot"),
    ],
)
def test_every_callback_has_its_event_and_outcome(name: str, event: str, outcome: str) -> None:
    result = post(name)
    assert (result.event, result.outcome, result.reply) == (event, outcome, "ok\n")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"percent=40", {"percent": 40}),
        (b"percent=40.7 text=half way", {"percent": 40, "text": "half way"}),
        (b"done=1 total=3", {"done": 1, "total": 3, "percent": 33}),
        (b"done=1 total=0", {"done": 1, "total": 0}),
        (b"percent=900", {"percent": 100}),
        (b"percent=-5 done=x", {}),
        (b"percent=12 text=percent=99 done=5\nsecond", {"percent": 12, "text": "percent=99 done=5"}),
        (b"percent=" + b"9" * 4000, {}),
        (b"\xff\xfe percent=5 text=\x1b[31mred\x00", {"percent": 5, "text": "[31mred"}),
        (b"text={{ ''.__class__ }}", {"text": "{{ ''.__class__ }}"}),
    ],
)
def test_progress_is_read_leniently(body: bytes, fields: dict[str, object]) -> None:
    assert post("progress", body).fields == fields


def test_a_log_keeps_its_newest_lines_as_text() -> None:
    body = b"".join(b"line %d\r\n" % number for number in range(10)) + b"\x1b]0;title\x07 GET /answer/t0ken/x\n"
    result = post("log", body, log_lines=3)
    assert result.fields == {"lines": ["line 8", "line 9", "]0;title GET /answer/***/x"], "left_out": 8}
    assert post("log", b"x" * 5000).fields["lines"] == ["x" * 500]


def test_sizes_are_capped_by_the_listener() -> None:
    callbacks = shipped("install_callbacks", {"log_max_bytes": 1234}).callbacks
    assert {name: callback.max_bytes for name, callback in callbacks.items()} == {
        "started": 4096,
        "progress": 4096,
        "log": 1234,
        "finished": 4096,
        "failed": 4096,
        "firstboot": 4096,
    }


def test_a_reason_is_kept() -> None:
    assert post("failed", b" no disk \n").fields == {"text": "no disk"}


def test_callbacks_of_the_site() -> None:
    named = [{"name": "disks-ready", "event": "install.disks-ready", "max_bytes": 10}]
    result = post("disks-ready", b"sda", named=named)
    assert (result.event, result.outcome, result.fields) == ("install.disks-ready", "", {"text": "sda"})


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"name": "../x", "event": "e"}, "name '../x' must be lower case"),
        ({"name": "log", "event": "e"}, "the name log is already registered by plugin install_callbacks"),
        ({"name": "x", "event": "e", "outcome": "exploded"}, "Invalid enum value 'exploded'"),
        ({"name": "x", "event": "e", "max_bytes": 0}, "max_bytes must be above 0"),
    ],
)
def test_wrong_callbacks_stop_the_start(named: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        shipped("install_callbacks", {"named": [named]})
    assert sentence in str(caught.value)


EVENTS = [
    Event("dhcp.offer", 1.0, "s1", "web1", "52:54:00:aa:bb:cc", {"address": "10.0.0.5"}, 1),
    Event("install.progress", 2.0, "s1", "web1", fields={"percent": 5, "note": "GET answer/t0ken/a"}, id=2),
    Event("install.finished", 3.0, "s2", "web2", fields={"api_key": "k3y", "nested": [{"password": "pw"}]}, id=3),
]


def tail(host: Any, **arguments: Any) -> list[Any]:
    operation = host.operations["event-log.tail"]
    found = operation.run(operation.arguments(**arguments))
    assert isinstance(found, list)
    return found


def test_events_are_lines_of_json_without_secrets(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        host = shipped("event_log", data_dir=str(tmp_path))
        for event in EVENTS:
            host.event(event)
    finally:
        os.umask(before)
    path = tmp_path / "events.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["dhcp.offer", "install.progress", "install.finished"]
    assert lines[0] == {
        "kind": "dhcp.offer",
        "at": 1.0,
        "session": "s1",
        "system": "web1",
        "mac": "52:54:00:aa:bb:cc",
        "fields": {"address": "10.0.0.5"},
        "id": 1,
    }
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in ("t0ken", "k3y", '"pw"'):
        assert secret not in path.read_text()
    host.close()


def test_tail_shows_the_newest_that_fit(tmp_path: Path) -> None:
    host = shipped("event_log", data_dir=str(tmp_path))
    assert tail(host) == []
    for event in EVENTS:
        host.event(event)
    assert [event["id"] for event in tail(host)] == [1, 2, 3]
    assert [event["id"] for event in tail(host, lines=2)] == [2, 3]
    assert [event["id"] for event in tail(host, kind="install.*", lines=1)] == [3]
    assert [event["id"] for event in tail(host, system="web1")] == [1, 2]
    assert tail(host, lines=0) == []
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"kind": "cut o')
    assert [event["id"] for event in tail(host)] == [1, 2, 3]
    host.close()


def test_the_log_takes_chosen_kinds_and_begins_anew_when_full(tmp_path: Path) -> None:
    host = shipped("event_log", {"kinds": ["install.*"], "max_mib": 1, "file": str(tmp_path / "log")})
    host.event(EVENTS[0])
    assert not (tmp_path / "log").exists()
    large = Event("install.log", 0.0, fields={"lines": ["x" * 1000] * 400})
    for _ in range(5):
        host.event(large)
    assert (tmp_path / "log").stat().st_size < 1024 * 1024
    assert (tmp_path / "log.1").stat().st_size < 1024 * 1024
    assert len((tmp_path / "log").read_text().splitlines()) == 1
    host.close()


def test_a_log_that_cannot_be_written_is_counted_and_harms_nobody(tmp_path: Path) -> None:
    host = shipped("event_log", {"file": str(tmp_path / "none" / "log")})
    host.event(EVENTS[0])
    assert host.stats()[0].failures == 1


def inventory(path: Path, content: str) -> list[System]:
    path.write_text(content)
    host = shipped("inventory_file", {"name": "cmdb", "file": str(path), "refresh_s": 30})
    assert host.inventories["cmdb"].refresh_s == 30
    return list(run_now(host.inventories["cmdb"].load()))


def test_systems_come_from_the_file(tmp_path: Path) -> None:
    systems = inventory(
        tmp_path / "i.json",
        """[{"name": "web1", "profile": "web", "uuid": "AB-1", "tags": ["lab"], "vars": {"role": "front"},
             "interfaces": [{"name": "eth0", "mac": "52-54-00-AA-BB-CC", "address": "10.0.0.10"}]},
            {"name": "web2", "interfaces": [{"mac": "52:54:00:aa:bb:cd"}], "policy": "never"}]""",
    )
    assert systems[0] == System(
        "web1",
        profile="web",
        interfaces=(Interface("eth0", Mac.parse("52:54:00:aa:bb:cc"), IPv4Address("10.0.0.10")),),
        uuid="ab-1",
        vars={"role": "front"},
        tags=("lab",),
        origin="inventory:cmdb",
    )
    assert (systems[1].policy, systems[1].interfaces[0].address) == ("never", None)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "Input data was truncated"),
        ("{}", "Expected `array`, got `object`"),
        ('[{"name": "a"}]', "missing required field `interfaces`"),
        ('[{"name": "a", "interfaces": [], "colour": 1}]', "unknown field `colour`"),
        ('[{"name": "a", "interfaces": [{"mac": "x"}]}]', "system a: 'x' is not a MAC address"),
        ('[{"name": "a", "interfaces": [{"mac": "525400aabbcc", "address": "10.0.0.256"}]}]', "system a: Octet 256"),
        ('[{"name": "a", "interfaces": [], "policy": "install"}]', "Invalid enum value 'install'"),
        ('[{"name": "a", "interfaces": [], "answers": {"x": ' + "[" * 100_000, "recursion"),
    ],
)
def test_a_wrong_file_is_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        inventory(tmp_path / "i.json", content)
    assert str(caught.value).startswith(str(tmp_path / "i.json"))


def test_settings_of_the_inventory_are_checked() -> None:
    with pytest.raises(PluginError, match="file 'x' must be absolute"):
        shipped("inventory_file", {"file": "x"})
    with pytest.raises(PluginError, match="refresh_s must be at least 1"):
        shipped("inventory_file", {"file": "/x", "refresh_s": 0})

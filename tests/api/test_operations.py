from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from provd.plugin.contract import Operation
from provd.service.operations import NoArguments, OperationError, OperationTable
from tests.fakes.fake_api import MAC, PROFILE, Backend

GOOD = Operation("dns.sync", "Write the zone.", "operate", NoArguments, lambda _a: "done", "provd dns sync")


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"permission": ""}, "the permission '' is not one of anonymous-read, read, operate, admin"),
        ({"permission": "root"}, "the permission 'root'"),
        ({"name": "Dns Sync"}, "noun.verb"),
        ({"example": ""}, "a summary and an example"),
        ({"arguments": dict}, "not a msgspec structure"),
    ],
)
def test_an_operation_without_permission_or_description_is_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        OperationTable().add([replace(GOOD, **wrong)])  # type: ignore[arg-type]


def test_every_operation_has_a_permission(backend: Backend) -> None:
    assert {one.name for one in backend.table.all()} >= {"system.add", "trace", "explain", "lease.list", "plugin.list"}
    assert all(one.permission in {"read", "operate", "admin"} for one in backend.table.all())


def test_a_role_may_do_what_it_may_and_no_more(backend: Backend) -> None:
    assert backend.call("system.list", role="read")
    with pytest.raises(OperationError, match=r"system.remove needs the permission operate"):
        backend.call("system.remove", {"name": "web1"}, role="read")
    with pytest.raises(OperationError, match="admin"):
        backend.call("reload", role="operate")


def test_plugins_add_operations_but_replace_none() -> None:
    taken = replace(GOOD, name="status")
    faulty = replace(GOOD, name="dns.bad", permission="")
    backend = Backend({"dns.sync": GOOD, "status": taken, "dns.bad": faulty})
    assert backend.call("dns.sync") == "done"
    assert backend.call("status")["version"] == "0.1.0"
    with pytest.raises(OperationError, match=r"no operation 'dns.bad'"):
        backend.call("dns.bad")


def test_a_plugin_refuses_with_a_sentence_and_fails_without_one() -> None:
    def refuse(_arguments: object) -> object:
        raise ValueError("there is no zone x")

    def fail(_arguments: object) -> object:
        raise RuntimeError("CANARY")

    backend = Backend({"dns.sync": replace(GOOD, run=refuse), "dns.bad": replace(GOOD, name="dns.bad", run=fail)})
    with pytest.raises(OperationError, match="there is no zone x"):
        backend.call("dns.sync")
    with pytest.raises(OperationError, match=r"dns.bad failed: RuntimeError; the log has the error") as caught:
        backend.call("dns.bad")
    assert caught.value.kind == "failed"


@pytest.mark.parametrize(
    ("arguments", "field", "sentence"),
    [
        ({"name": "a"}, "interfaces", "missing required field"),
        ({"name": 1, "interfaces": [{"mac": str(MAC)}]}, "name", "Expected `str`, got `int`"),
        ({"name": "a", "interfaces": [{"mac": str(MAC)}], "color": 1}, "color", "unknown field"),
        ({"name": "a", "interfaces": [{"mac": "x"}]}, "interfaces[0].mac", "'x' is not a MAC address"),
        ({"name": "a", "interfaces": [{"mac": str(MAC), "address": "10.0.0"}]}, "interfaces[0].address", "not an IPv4"),
        ({"name": "a", "interfaces": [{"mac": str(MAC)}], "policy": "often"}, "policy", "Invalid enum value"),
        ([], "", "Expected `object`, got `array`"),
    ],
)
def test_wrong_arguments_are_named(backend: Backend, arguments: object, field: str, sentence: str) -> None:
    with pytest.raises(OperationError) as caught:
        backend.call("system.add", arguments or ["x"])
    assert sentence in str(caught.value)
    assert caught.value.field == field
    assert caught.value.kind == "usage"


def test_systems_are_added_edited_and_removed(backend: Backend) -> None:
    other = "52:54:00:00:00:02"
    added = backend.call("system.add", {"name": "db1", "interfaces": [{"mac": other, "address": "10.0.0.20"}]})
    assert (added["macs"], added["addresses"]) == ([other], ["10.0.0.20"])
    edited = backend.call("system.edit", {"name": "db1", "profile": "web", "netboot": False})
    assert (edited["profile"], edited["netboot"]) == ("web", False)
    assert edited["version"] != added["version"]
    with pytest.raises(OperationError, match="changed meanwhile"):
        backend.call("system.edit", {"name": "db1", "version": added["version"], "profile": ""})
    with pytest.raises(OperationError, match="nothing to change"):
        backend.call("system.edit", {"name": "db1"})
    assert backend.call("system.remove", {"name": "db1"}) == {"removed": "db1"}
    with pytest.raises(OperationError, match="there is no system 'db1'"):
        backend.call("system.show", {"name": "db1"})
    with pytest.raises(OperationError, match="exists already"):
        backend.call("system.add", {"name": "web1", "interfaces": [{"mac": other}]})


def test_explain_names_the_origin_of_every_value_and_shows_no_secret(backend: Backend) -> None:
    told = backend.call("explain", {"system": "web1"})
    assert told["kernel_args"] == [
        {"value": "quiet", "origin": "profile web (profiles/web.toml: kernel_args)"},
        {"value": "url=http://10.0.0.1/answer/***/preseed.cfg", "origin": "installer preseed"},
        {"value": "console=ttyS0", "origin": "plugin console"},
    ]
    answers = {row["key"]: (row["value"], row["origin"]) for row in told["answers"]}
    assert answers["answers.timezone"] == ("UTC", "profile base (profiles/base.toml: answers.timezone)")
    assert answers["answers.lang"] == ("C", "installer preseed")
    assert answers["answers.password"][0] == "***"
    assert answers["answers.root"][0] == "***"
    assert told["policy"] == {"value": "once", "origin": "default"}
    assert told["max_attempts"]["value"] == 2
    assert told["loader"]["value"] == "pxelinux"
    assert told["source"]["origin"] == "distro debian-12 (distros/debian-12.toml: tree)"
    options = {row["key"]: (row["value"], row["origin"]) for row in told["options"]}
    assert options["ntp-servers"] == (["10.0.0.9"], "settings subnet lan (provd.toml: subnet[0].options.ntp-servers)")
    text = msgspec.json.encode(told).decode()
    assert "hunter2" not in text
    assert "CANARY" not in text
    assert "/secret" not in text


def test_explain_says_when_no_loader_serves_a_firmware(backend: Backend) -> None:
    told = backend.call("explain", {"system": "web1", "arch": "x64-uefi"})
    assert told["loader"] == {
        "value": "", "file": "", "transport": "", "origin": "no enabled loader serves this firmware",
    }  # fmt: skip


def test_explain_says_what_an_install_lacks(backend: Backend) -> None:
    assert backend.call("explain", {"system": "web1"})["missing"] == []
    backend.catalogue.profiles = {"web": replace(PROFILE, installer="autoyast")}
    assert backend.call("explain", {"system": "web1"})["missing"] == [
        "no enabled plugin brings the installer 'autoyast'"
    ]


def test_trace_tells_elapsed_times_and_no_token(backend: Backend) -> None:
    told = backend.call("trace", {"system": str(MAC)})
    assert [event["elapsed"] for event in told["events"]] == [0.0, 4.25, 9.5]
    assert told["events"][1]["text"] == "HTTP sent: boot/x/linux, 8.2 MB"
    assert told["events"][2]["text"] == "answer file: answer/***/preseed.cfg"
    assert "CANARY" not in msgspec.json.encode(told).decode()
    assert told["verdict"] == "running, step 'answers'"
    assert [event["id"] for event in backend.call("trace", {"system": "web1", "after": 2})["events"]] == [3]


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("trace", {"system": "nobody"}, "'nobody' is no system and no MAC"),
        ("trace", {"system": "52:54:00:00:00:99"}, "has not booted from the network yet"),
        ("trace", {"system": "web1", "session": "zz"}, "there is no boot 'zz'"),
        ("distro.show", {"name": "x"}, "there is no distro 'x'; there are: debian-12"),
        ("nothing", {}, "there is no operation 'nothing'"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(
    backend: Backend, name: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(OperationError, match=sentence) as caught:
        backend.call(name, arguments)
    assert caught.value.kind == "not-found"

"""trigger_inventory: a file with all machines that Ansible reads, replaced in one step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provd.plugin.api import Event, Machine
from provd.plugin.errors import PluginError
from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.shipped_plugins import shipped

EVENT = Event("install.finished", 1.5, "s1", "web1", "52:54:00:aa:bb:cc")
WEB = Machine(
    "web1",
    "web1.example.org",
    "web-server",
    ("52:54:00:aa:bb:cc",),
    "10.0.0.7",
    "installed",
    17.5,
    ("rack-3",),
    ("dc ü",),
)
NEW = Machine("web2", "web2", "web-server", ("52:54:00:aa:bb:cd",), "", "new")
DUE = Machine("db1", "db1", "database", ("52:54:00:aa:bb:ce", "52:54:00:aa:bb:cf"), "", "due", 3.0)


def write(path: Path, *machines: Machine, **more: Any) -> str:
    host = shipped("trigger_inventory", {"files": [{"name": "all", "path": str(path), **more}]})
    runtime = FakeRuntime(known=list(machines))
    host.start(runtime)
    return str(run_now(host.triggers["all"].run(EVENT)))


def test_installed_machines_are_hosts_in_the_groups_of_their_words(tmp_path: Path) -> None:
    path = tmp_path / "inventory.json"
    assert write(path, WEB, NEW, DUE) == f"2 machines in {path}"
    everything = json.loads(path.read_text())["all"]
    assert everything["hosts"]["web1"] == {
        "ansible_host": "10.0.0.7",
        "provd_hostname": "web1.example.org",
        "provd_profile": "web-server",
        "provd_macs": ["52:54:00:aa:bb:cc"],
        "provd_state": "installed",
        "provd_installed_at": 17.5,
    }
    assert "ansible_host" not in everything["hosts"]["db1"]
    assert everything["children"] == {
        "group_dc__": {"hosts": {"web1": None}},
        "profile_database": {"hosts": {"db1": None}},
        "profile_web_server": {"hosts": {"web1": None}},
        "tag_rack_3": {"hosts": {"web1": None}},
    }


def test_a_file_may_have_machines_of_some_profiles_and_those_that_are_not_installed(tmp_path: Path) -> None:
    path = tmp_path / "inventory.json"
    write(path, WEB, NEW, DUE, installed=False, profiles=["web-*"])
    assert list(json.loads(path.read_text())["all"]["hosts"]) == ["web1", "web2"]


def test_the_file_is_replaced_in_one_step_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "inventory.json"
    write(path, WEB, DUE)
    before = path.stat().st_ino
    with path.open() as reader:
        write(path, WEB)
        assert list(json.load(reader)["all"]["hosts"]) == ["web1", "db1"]
    assert path.stat().st_ino != before
    assert [one.name for one in tmp_path.iterdir()] == ["inventory.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_written_is_an_error_and_the_old_one_stays(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "gone" / "inventory.json", WEB)
    (tmp_path / "inventory.json").mkdir()
    with pytest.raises(OSError, match=r"inventory\.json"):
        write(tmp_path / "inventory.json", WEB)
    assert [one.name for one in tmp_path.iterdir()] == ["inventory.json"]


def test_thousands_of_machines_are_read_in_pieces(tmp_path: Path) -> None:
    host = shipped("trigger_inventory", {"files": [{"name": "all", "path": str(tmp_path / "i.json")}]})
    runtime = FakeRuntime(known=[WEB] * 1_600)
    host.start(runtime)
    run_now(host.triggers["all"].run(EVENT))
    assert runtime.slept == [0.0] * 3


def test_a_path_that_is_no_files_is_refused_at_the_start() -> None:
    for path in ("inventory.json", "/var/lib/"):
        with pytest.raises(PluginError, match=f"'all': path '{path}' must be the absolute path of a file"):
            shipped("trigger_inventory", {"files": [{"name": "all", "path": path}]})

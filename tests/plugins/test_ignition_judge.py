"""What is wrong with an Ignition file, as its judge says."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from plugins.installer_ignition import lint
from plugins.installer_ignition.judge import judged
from tests.fakes.ignition_machine import (
    ADA,
    made,
    of,
    texts,
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ignition": {"version": "2.2.0"}}, r"ignition.version: does not match ^3\.[0-5]\.0$"),
        ({"ignition": {"version": "3.2.0"}, "kernelArguments": {"shouldExist": ["a"]}}, "kernelArguments came with version 3.3.0, the file says 3.2.0"),
        ({"storrage": {}}, "$: Additional properties are not allowed ('storrage' was unexpected)"),
        ({"passwd": {"users": [{"name": "a"}, {"name": "a"}]}}, "passwd.users: a is there 2 times"),
        ({"passwd": {"users": [{"name": 3}]}}, "passwd.users[0].name: must be string, not int"),
        ({"storage": {"files": [{"path": "etc/x"}]}}, "storage.files[0].path: does not match ^/"),
        ({"storage": {"files": [{"path": "/x", "mode": "0644"}]}}, "storage.files[0].mode: must be integer, not str"),
        ({"storage": {"files": [{"path": "/x", "overwrite": True}]}}, "storage.files /x: overwrite needs contents.source"),
        ({"storage": {"files": [{"path": "/x", "contents": {"source": "data:text"}}]}}, "storage.files /x: a data URL has a comma before the data"),
        ({"storage": {"files": [{"path": "/x", "contents": {"source": "data:,a b"}}]}}, "storage.files /x: a data URL is written in plain ASCII without spaces"),
        ({"storage": {"files": [{"path": "/x", "contents": {"source": "data:,%ff"}}]}}, "storage.files /x: the data is not UTF-8"),
        ({"systemd": {"units": [{"name": "a"}]}}, "systemd.units[0].name: does not match "),
        ({"systemd": {"units": [{"name": "a.service", "enabled": True, "contents": "[Service]"}]}}, "systemd.units a.service: enabled, but without [Install] nothing starts it"),
    ],
)  # fmt: skip
def test_row34_the_judge_sees_what_is_wrong(change: dict[str, Any], said: str) -> None:
    wrong = json.dumps({**made(), **change})
    (finding,) = judged("config.ign", wrong)
    assert finding.level == "error"
    assert finding.text.startswith(said)


def test_row34_the_judge_wants_json_and_a_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lint({**texts(), "config.ign": "{"}, of("coreos", users=[ADA]))[0].text.startswith("no JSON: ")
    (finding,) = lint(texts(), of("coreos"))
    assert "nobody can log in" in finding.text
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert {one.text for one in lint(texts(), of("coreos", users=[ADA]))} == {
        "not judged: jsonschema is not installed here (pip install 'provd[lint]')"
    }


@pytest.mark.parametrize(
    ("says", "status", "found"),
    [
        ("error at $.storage: bad", 1, [("error", "ignition-validate: error at $.storage: bad")]),
        ("warning at $.x: odd", 0, [("warning", "ignition-validate: warning at $.x: odd")]),
        ("error: unsupported config version", 1, []),
        ("", 0, []),
    ],
)
def test_row34_ignitions_own_program_is_heard_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, status: int, found: list[tuple[str, str]]
) -> None:
    program = tmp_path / "ignition-validate"
    program.write_text(f'#!/bin/sh\ncat > /dev/null\necho "{says}"\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert [(one.level, one.text) for one in judged("config.ign", texts()["config.ign"])] == found

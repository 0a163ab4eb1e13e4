"""Passwords in URLs (proxies, mirrors, sources) are shown by no operation; the machine gets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from provd.model.scrub import scrub_path, scrub_urls
from provd.service.operations import OperationError
from tests.api.test_operations_real import Asked

PROXY = "http://user:hunter2@proxy.example:3128"
SITE: dict[str, str] = {
    "repos/tools.toml": 'kind = "apt"\nurl = "http://user:hunter2@mirror.example/tools"\n',
    "distros/private.toml": 'family = "debian"\ninstaller = "preseed"\nkernel = "payload:debian-12/linux"\n'
    'initrd = ["payload:debian-12/initrd.gz"]\ntree = "http://user:hunter2@mirror.example/debian"\n'
    '[vars]\nsuite = "bookworm"\n',
    "profiles/secret.toml": f'distro = "private"\nrepos = ["tools"]\nkernel_args = ["proxy={PROXY}"]\n'
    f'[answers]\nproxy = "{PROXY}"\n[vars]\nmirror = "{PROXY}/x"\n',
    "templates/own.cfg": f"# {PROXY}\n",
}


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    for name, text in SITE.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    asked = Asked(tmp_path)
    card = {"mac": "52:54:00:88:00:11"}
    asked("system.add", name="web1", profile="secret", interfaces=[card], answers={"proxy": PROXY})
    current = asked.server.services.current
    current.config = structs.replace(current.config, api_writes=True)
    return asked


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("explain", {"system": "web1"}), ("system.show", {"name": "web1"}), ("profile.show", {"name": "secret"}),
        ("profile.list", {}), ("distro.show", {"name": "private"}), ("distro.list", {}), ("repo.show", {"name": "tools"}),
        ("repo.list", {}), ("answer.preview", {"system": "web1"}), ("answer.preview", {"profile": "secret"}),
        ("profile.own", {"name": "secret"}), ("profile.edit", {"name": "secret", "dry_run": True, "answers": {"ntp": "a"}}),
        ("system.edit", {"name": "web1", "dry_run": True, "answers": {"proxy": PROXY + "/"}}),
        ("template.show", {"name": "own.cfg"}),
    ],
)  # fmt: skip
def test_no_operation_shows_it(ask: Asked, operation: str, arguments: dict[str, Any]) -> None:
    told = json.dumps(ask(operation, **arguments), default=str)
    assert "hunter2" not in told
    if operation not in {"profile.edit", "system.edit"}:
        assert "http://user:***@" in told


def test_the_machine_gets_it(ask: Asked) -> None:
    ask("system.edit", name="web1", source="http://10.88.0.9/debian")
    boot = ask.server.boot()
    assert boot.started is not None
    assert boot.installed is not None
    assert f"proxy={PROXY}" in boot.started.command_line
    assert PROXY in boot.installed.documents["preseed.cfg"]
    events = json.dumps(ask("events"), default=str) + json.dumps(ask("trace", system="web1"), default=str)
    assert "hunter2" not in events


def test_a_screen_does_not_show_it(ask: Asked) -> None:
    boot = ask.server.boot()
    assert boot.started is not None
    assert "resolves the install source 'http://user:***@mirror.example/debian'" in str(boot.started)
    assert "hunter2" not in str(boot)


def test_nobody_finds_it_letter_by_letter(ask: Asked) -> None:
    assert ask("repo.find", where={"url": "http://user:h*"}) == []
    assert ask("system.find", where={"answers.proxy": "http://user:hunter*"}) == []
    assert [row["name"] for row in ask("repo.find", where={"url": "*@mirror.example/*"})] == ["tools"]


def test_what_was_shown_masked_is_not_written_back(ask: Asked) -> None:
    shown = ask("profile.show", name="secret")["answers"]["proxy"]
    with pytest.raises(OperationError, match=r"answers\.proxy: holds the password of a URL as it is shown"):
        ask("profile.edit", name="secret", answers={"proxy": shown})


def test_a_refusal_does_not_say_it(ask: Asked) -> None:
    with pytest.raises(OperationError) as refused:
        ask("repo.edit", name="tools", url="hxxp:/ http://user:hunter2@mirror.example/x")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (PROXY, "http://user:***@proxy.example:3128"),
        ("http://user:p@ss@proxy:3128", "http://user:***@proxy:3128"),
        ("http://user:pa/ss@proxy:3128", "http://user:***@proxy:3128"),
        ("a=http://u:p@h,http://v:q@w x", "a=http://u:***@h,http://v:***@w x"),
        ("http://:token@h/", "http://:***@h/"),
        ('{"a":"http://u:p@h","b":"c@d"}', '{"a":"http://u:***@h","b":"c@d"}'),
    ],
)
def test_the_password_of_a_url_is_cut_out(text: str, shown: str) -> None:
    assert (scrub_urls(text), scrub_path(text)) == (shown, shown)


@pytest.mark.parametrize(
    "text",
    ["http://h:8080/a@b", "http://[fe80::1]:80/a@b", "nfs://h:/a@b", "http://u@h:80/x", "http://h/a:b@c", "a:b@c"],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert scrub_urls(text) == text

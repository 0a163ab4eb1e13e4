"""Answers that installed systems could not read hold the machine, and ``provd check`` tells them, before it installs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provd.cli.main import build_cli
from tests.api.test_operations_real import Asked
from tests.cli.test_cli_check import FakeApi

WRONG: dict[str, Any] = {"users": [{"name": "ops", "full_name": "Ops"}]}
SENTENCE = "answers.users[0].full_name is not known; did you mean gecos?"


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_a_machine_with_such_answers_is_held_and_explained(ask: Asked) -> None:
    ask("system.add", name="web1", profile="web", interfaces=[{"mac": "52:54:00:88:00:11"}], answers=WRONG)
    assert ask("explain", system="web1")["missing"] == [f"profile web: {SENTENCE}"]
    boot = ask.server.boot()
    assert boot.started is not None
    assert boot.outcome == "local"
    assert SENTENCE in str(boot.started)
    ask("system.edit", name="web1", answers={"users": [{"name": "ops", "gecos": "Ops"}]})
    assert ask.server.boot(seed=2).outcome == "installed"


def test_a_secret_that_is_read_later_is_not_judged_before(ask: Asked, tmp_path: Path) -> None:
    secret = tmp_path / "hash"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    own = {"root_password_hash": {"file": str(secret)}}
    ask("system.add", name="web1", profile="web", interfaces=[{"mac": "52:54:00:88:00:11"}], answers=own)
    assert ask("explain", system="web1")["missing"] == []
    boot = ask.server.boot()
    assert boot.outcome == "failed"
    events = str(ask("trace", system="web1"))
    assert "answers.root_password_hash is no hash of crypt(5)" in events
    assert "hunter2" not in events
    secret.write_text("$6$salt$hash\n")
    assert ask.server.boot(seed=2).outcome == "installed"


def test_an_address_that_a_bond_would_lose_holds_the_machine(ask: Asked) -> None:
    cards = [{"name": "eth0", "mac": "52:54:00:88:00:11", "address": "10.88.0.20"}]
    bond = {"name": "bond0", "kind": "bond", "members": ["eth0"]}
    ask("system.add", name="web1", profile="web", interfaces=cards, links=[bond], answers={"network": "static"})
    (told,) = ask("explain", system="web1")["missing"]
    assert told == (
        "profile web: interface[0].address: 10.88.0.20 of eth0 would be left out, for eth0 is a member of bond0;"
        " say it as link[0].address (beside the card's, which is for booting)"
    )
    assert "10.88.0.20 of eth0 would be left out" in str(ask.server.boot().started)
    lan = {"name": "lan7", "kind": "vlan", "vlan": 7, "members": ["bond0"], "address": "10.7.0.5"}
    for links, network in (([bond], "dhcp"), ([{**bond, "address": "10.88.0.20"}], "static"), ([bond, lan], "static")):
        ask("system.edit", name="web1", links=links, answers={"network": network})
        assert ask("explain", system="web1")["missing"] == []


def test_check_tells_them_of_profiles_and_of_systems(tmp_path: Path) -> None:
    server = Asked(tmp_path).server
    site = server.root / "site"
    (site / "systems").mkdir(exist_ok=True)
    (site / "profiles/clear.toml").write_text('parent = "web"\n[answers]\nroot_password_hash = "hunter2"\n')
    card = '[[interface]]\nname = "eth0"\nmac = "52:54:00:88:00:12"\n'
    users = '[[answers.users]]\nname = "ops"\nfull_name = "Ops"\n'
    (site / "systems/web2.toml").write_text(f'profile = "web"\n{card}{users}')
    cli = build_cli(lambda _path: 0, lambda _socket: FakeApi(None))
    ran = CliRunner().invoke(cli, ["check", "--config", str(server.root / "provd.toml")])
    assert ran.exit_code != 0
    said = " ".join(ran.output.split())
    assert "clear.toml: profile clear: answers.root_password_hash is no hash of crypt(5)" in said
    assert f"web2.toml: system web2: {SENTENCE}" in said
    assert "hunter2" not in said

"""``provd lint`` where no service runs: a provd in memory judges the files of the configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.commands import command_line
from tests.fakes.simulated_server import SimulatedServer


@pytest.fixture
def site(tmp_path: Path) -> Path:
    server = SimulatedServer(tmp_path)
    root = server.root / "site"
    (root / "profiles/clear.toml").write_text('parent = "web"\n[answers]\nroot_password_hash = "hunter2"\n')
    (root / "systems").mkdir(exist_ok=True)
    card = '[[interface]]\nname = "eth0"\nmac = "52:54:00:88:00:12"\n'
    (root / "systems/db1.toml").write_text(f'profile = "web"\n{card}[answers]\ntimezone = "No/Where"\n')
    return server.root


def lint(site: Path, *words: str) -> Result:
    return CliRunner().invoke(command_line(), ["--config", str(site / "provd.toml"), "lint", *words, "-o", "json"])


def test_a_profile_is_judged_without_a_service(site: Path) -> None:
    ran = lint(site, "clear")
    assert ran.exit_code == 1
    (row,) = json.loads(ran.stdout)
    assert (row["profile"], row["level"]) == ("clear", "error")
    assert row["text"].startswith("answers.root_password_hash is no hash of crypt(5)")
    assert "no service answers at" in ran.stderr
    assert (
        f"judged from the files of {site / 'provd.toml'}, without machines added by commands: no service" in ran.stderr
    )
    assert "hunter2" not in ran.output
    assert lint(site, "web").exit_code == 0


def test_a_declared_machine_is_found_by_its_name(site: Path) -> None:
    ran = lint(site, "db1")
    assert ran.exit_code == 1
    assert [row["text"].partition(" is no time zone")[0] for row in json.loads(ran.stdout)] == ["answers.timezone"]
    assert json.loads(lint(site, "--system", "db1").stdout) == json.loads(ran.stdout)


def test_what_is_not_there_and_a_wrong_file_are_one_sentence(site: Path) -> None:
    ran = lint(site, "nope")
    assert ran.exit_code == 1
    assert ran.stderr.splitlines()[-1] == "Error: there is no profile and no machine nope"
    (site / "provd.toml").write_text("[[subnet]]\nnetwork = 3\n")
    ran = lint(site, "web")
    assert ran.exit_code == 1
    assert "subnet" in ran.stderr
    assert "Traceback" not in ran.output


def test_without_a_configuration_it_says_that_a_service_is_wanted(tmp_path: Path) -> None:
    words = ["--config", str(tmp_path / "none.toml"), "--socket", str(tmp_path / "none.sock"), "lint", "web"]
    ran = CliRunner().invoke(command_line(), words)
    assert ran.exit_code == 3
    assert "no service answers at" in ran.output

"""``provd bundle``: complete, and without secrets."""

from __future__ import annotations

import json
import signal
import tarfile
from pathlib import Path

from click.testing import CliRunner, Result

from provd.api.client import LocalClient
from provd.commands import command_line
from tests.app.running_server import RunningServer

SECRET = "open-sesame-7731"


def provd(*words: str) -> Result:
    return CliRunner().invoke(command_line(), ["bundle", *words])


def parts(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as tar:
        found = {}
        for member in tar.getmembers():
            file = tar.extractfile(member)
            assert file is not None
            found[member.name.removeprefix("provd-bundle/")] = file.read().decode()
        return found


def test_it_holds_what_a_helper_asks_for_and_no_secret(tmp_path: Path) -> None:
    server = RunningServer(tmp_path, f'\n[plugins.site_vars.vars]\nroot_password = "{SECRET}"\nrack = "7"\n')
    server.config.write_text(server.config.read_text().replace("enabled = [", 'enabled = ["site_vars", '))
    server.start()
    try:
        client = LocalClient(tmp_path / "run/provd.sock")
        client.call("user.add", {"name": "ann", "role": "read", "password": SECRET})
        archive = tmp_path / "b.tar.gz"
        done = provd(str(archive), "--config", str(server.config), "-o", "json")
        assert done.exit_code == 0, done.output
        found = parts(archive)
        assert set(json.loads(done.output)["parts"]) == set(found)
        assert {"system.json", "provd.toml", "status.json", "check.json", "plugin.list.json", "boots.json"} <= set(
            found
        )
        assert json.loads(found["status.json"])["version"]
        assert 'rack = "7"' in found["provd.toml"]
        assert SECRET not in "".join(found.values())
        assert archive.stat().st_mode & 0o777 == 0o600
        again = provd(str(archive), "--config", str(server.config))
        assert (again.exit_code, "is there already" in again.output) == (1, True)
        assert server.stop() == 0
    finally:
        server.stop(signal.SIGKILL)


def test_without_a_service_it_says_what_it_could_not_ask(tmp_path: Path) -> None:
    config = tmp_path / "provd.toml"
    config.write_text(f'data_dir = "{tmp_path}"\nsocket = "{tmp_path}/none.sock"\n')
    done = provd(str(tmp_path / "b.tar.gz"), "--config", str(config))
    assert done.exit_code == 0, done.output
    found = parts(tmp_path / "b.tar.gz")
    assert "no service answers" in found["not-asked.txt"]
    assert set(found) == {"system.json", "provd.toml", "not-asked.txt"}


def test_a_broken_configuration_is_in_it_as_its_error(tmp_path: Path) -> None:
    config = tmp_path / "provd.toml"
    config.write_text("data_dir = \n")
    done = provd(str(tmp_path / "b.tar.gz"), "--config", str(config))
    assert done.exit_code == 0, done.output
    found = parts(tmp_path / "b.tar.gz")
    assert found["provd.toml"].startswith("# ")
    assert str(config) in found["not-asked.txt"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "provd.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n')
    done = provd(str(tmp_path / "nowhere/b.tar.gz"), "--config", str(config))
    assert (done.exit_code, done.output.count("\n")) == (1, 1)

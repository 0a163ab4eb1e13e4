"""Remote servers by name: profiles, logins, and every command over HTTPS to a real provd."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provd.api.client import ApiError, NotReachableError
from provd.api.remote import RemoteClient, endpoint
from provd.cli.main import build_cli
from tests.app.running_server import free_ports
from tests.json_api.api_server import PASSWORD, ApiServer


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    made = ApiServer(tmp_path_factory.mktemp("api"))
    yield made
    assert made.server.stop(signal.SIGTERM) == 0


@dataclass
class Home:
    """A user's own files, and the command line there."""

    folder: Path
    api: ApiServer

    @property
    def file(self) -> Path:
        return self.folder / "servers.toml"

    @property
    def certificate(self) -> Path:
        return self.api.server.folder / "data" / "api" / "certificate.pem"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.api.port}"

    def run(self, *words: str, text: str = "", **environment: str) -> Result:
        known: dict[str, str | None] = {"PROVD_SERVERS": str(self.file), "PROVD_SOCKET": "/nowhere/socket"}
        return CliRunner().invoke(build_cli(lambda _path: 0), list(words), input=text, env={**known, **environment})

    def done(self, *words: str, text: str = "", **environment: str) -> str:
        told = self.run(*words, text=text, **environment)
        assert told.exit_code == 0, told.output
        return told.stdout

    def refused(self, *words: str, code: int = 1, text: str = "", **environment: str) -> str:
        told = self.run(*words, text=text, **environment)
        assert told.exit_code == code, told.output
        assert told.stdout == ""
        assert "Traceback" not in told.stderr
        return told.stderr

    def login(self, user: str = "operate", name: str = "lab") -> None:
        self.done("--server", name, "login", "--user", user, "--password", "-", text=f"{PASSWORD}\n")


@pytest.fixture
def home(tmp_path: Path, api: ApiServer) -> Home:
    made = Home(tmp_path, api)
    made.done("server", "add", "lab", made.url, "--ca-file", str(made.certificate))
    return made


def test_commands_run_at_a_remote_server_after_a_login(home: Home) -> None:
    assert "log in with: provd --server lab login" in home.refused("--server", "lab", "whoami")
    home.login()
    assert json.loads(home.done("--server", "lab", "whoami", "-o", "json"))["user"] == "operate"
    assert json.loads(home.done("whoami", "--server", "lab", "-o", "json"))["via"] == "json"
    assert json.loads(home.done("whoami", "-o", "json", PROVD_SERVER="lab"))["role"] == "operate"
    home.done("--server", "lab", "system", "add", "web1", "--tag", "remote")
    assert [row["name"] for row in home.api.local.call("system.list")] == ["web1"]
    assert "web1" in home.done("--server", "lab", "system", "report")
    assert "debian-12-server" in home.done("--server", "lab", "profile", "list")
    assert "needs the permission admin" in home.refused("--server", "lab", "user", "list")
    home.done("--server", "lab", "system", "remove", "web1")
    entries = home.api.local.call("audit.list", {"user": "operate"})
    assert {one["operation"] for one in entries} >= {"system.add", "system.remove"}


def test_names_are_completed_from_the_remote_server(home: Home) -> None:
    home.login()
    home.done("--server", "lab", "system", "add", "far1")
    try:
        for line, found in (("provd --server lab system show f", "plain,far1"), ("provd --server l", "plain,lab")):
            asked = {"_PROVD_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
            told = subprocess.run(
                [sys.executable, "-m", "provd"], capture_output=True, text=True, check=True, timeout=20,
                env={**os.environ, "PROVD_SERVERS": str(home.file), **asked},
            )  # fmt: skip
            assert (told.stdout.split(), told.stderr) == ([found], "")
    finally:
        home.done("--server", "lab", "system", "remove", "far1")


def test_a_logout_ends_the_token(home: Home) -> None:
    home.login("read")
    token = (home.folder / "lab.token").read_text().strip()
    assert stat.S_IMODE((home.folder / "lab.token").stat().st_mode) == 0o600
    home.done("logout", "--server", "lab")
    assert not (home.folder / "lab.token").exists()
    assert "PROVD_TOKEN, which counts before a login" in home.refused("--server", "lab", "whoami", PROVD_TOKEN=token)
    assert "no login" in home.run("--server", "lab", "logout").stderr


def test_a_login_is_not_shown_to_the_server_that_a_name_is_given_to(home: Home) -> None:
    home.login("read")
    home.done("server", "add", "lab", home.url, "--ca-file", str(home.certificate))
    assert json.loads(home.done("--server", "lab", "whoami", "-o", "json"))["user"] == "read"
    assert "log in" in home.done("server", "add", "lab", "https://127.0.0.1:9", "--ca-file", str(home.certificate))
    assert not (home.folder / "lab.token").exists()


def test_a_token_of_the_environment_counts_first(home: Home) -> None:
    home.login("read")
    told = home.done("--server", "lab", "whoami", "-o", "json", PROVD_TOKEN=home.api.tokens["admin"])
    assert json.loads(told)["user"] == "admin"


def test_a_token_that_others_may_read_is_not_used(home: Home) -> None:
    home.login("read")
    (home.folder / "lab.token").chmod(0o644)
    assert "may be read by others" in home.refused("--server", "lab", "whoami")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_leaves_no_login(home: Home, password: str) -> None:
    # A user of its own: tries are counted, and the others log in here as well.
    told = home.refused("--server", "lab", "login", "--user", "nobody-here", "--password", "-", text=f"{password}\n")
    assert "login failed" in told or "try again" in told
    assert not (home.folder / "lab.token").exists()


def test_profiles_are_kept_in_a_file_that_people_edit(home: Home) -> None:
    text = f"# mine\n{home.file.read_text()}"
    home.file.write_text(text)
    home.done("server", "add", "prod", "https://provd.example.org")
    assert home.file.read_text().startswith("# mine\n")
    rows = json.loads(home.done("server", "list", "-o", "json"))
    assert [(row["name"], row["url"]) for row in rows] == [("lab", home.url), ("prod", "https://provd.example.org")]
    assert stat.S_IMODE(home.file.stat().st_mode) == 0o600
    home.done("server", "remove", "prod")
    assert "prod" not in home.file.read_text()
    assert "there is no server 'prod'" in home.refused("--server", "prod", "status")
    assert "there are: lab" in home.refused("server", "remove", "prod")


def test_a_certificate_is_trusted_by_its_fingerprint(home: Home) -> None:
    octets = ssl.PEM_cert_to_DER_cert(home.certificate.read_text())
    print_ = hashlib.sha256(octets).hexdigest()
    with_colons = ":".join(print_[at : at + 2] for at in range(0, 64, 2)).upper()
    home.done("server", "add", "other", home.url, "--fingerprint", with_colons)
    home.login("read", "other")
    assert json.loads(home.done("--server", "other", "whoami", "-o", "json"))["user"] == "read"
    told = home.refused("server", "add", "third", home.url, "--fingerprint", "00" * 32)
    assert "another fingerprint" in told
    assert "third" not in home.file.read_text()


def test_a_certificate_that_is_not_trusted_is_exit_code_3(home: Home) -> None:
    home.done("server", "add", "strange", home.url)
    told = home.refused("--server", "strange", "login", "--user", "x", "--password", "-", text="x\n", code=3)
    assert "certificate that is not trusted" in told


def test_a_certificate_file_that_is_not_there_is_one_sentence(home: Home) -> None:
    assert "nowhere.pem" in home.refused("server", "add", "x", "https://a", "--ca-file", "nowhere.pem")


def test_a_server_that_is_not_there_is_exit_code_3(home: Home) -> None:
    (port,) = free_ports(1)
    home.done("server", "add", "gone", f"https://127.0.0.1:{port}")
    assert "does not answer" in home.refused("--server", "gone", "status", code=3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["server", "add", "x", "http://a"], "is not https://HOST"),
        (["server", "add", "x", "https://u:p@a"], "is not https://HOST"),
        (["server", "add", "x", "https://a/path"], "is not https://HOST"),
        (["server", "add", "../x", "https://a"], "is no name"),
        (["server", "add", "x", "https://a", "--ca-file", "/etc/hostname", "--fingerprint", "0"], "give one of them"),
        (["login"], "provd --server NAME login"),
        (["logout"], "provd --server NAME login"),
        (["--server", "lab", "login", "--user", "a", "--password", "secret"], "could be seen by others"),
        (["--server", "lab", "fetch", "loaders"], "works on this machine"),
        (["--server", "lab", "image", "build", "debian-12"], "works on this machine"),
        (["--server", "lab", "check"], "works on this machine"),
        (["--server", "lab", "run"], "works on this machine"),
    ],
)
def test_wrong_usage_is_exit_code_2(home: Home, words: list[str], sentence: str) -> None:
    assert sentence in home.refused(*words, code=2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server", "is not TOML"),
        ("server = 1\n", "tables [server.NAME] are expected"),
        ("[server.lab]\nurl = 1\n", "a table of texts is expected"),
        ("[server.lab]\nca_file = 'x'\n", "url is missing"),
        ("[server.lab]\nurl = 'https://a'\ntoken = 'x'\n", "unknown key token"),
        ("[server.lab]\nurl = 'ftp://a'\n", "is not https://HOST"),
        ("[server.lab]\nurl = 'https://a'\nca_file = 'nowhere.pem'\n", "nowhere.pem"),
    ],
)
def test_a_wrong_file_is_one_sentence_and_never_written_over(home: Home, text: str, sentence: str) -> None:
    home.file.write_text(text)
    assert sentence in home.refused("--server", "lab", "status")
    if "url = 'ftp" not in text and "nowhere" not in text:
        assert sentence in home.refused("server", "add", "x", "https://a")
        assert home.file.read_text() == text


def test_the_client_keeps_its_connection_and_makes_another_when_it_ends(api: ApiServer) -> None:
    client = RemoteClient(
        f"https://127.0.0.1:{api.port}", api.tokens["read"], str(api.server.folder / "data/api/certificate.pem")
    )
    assert client.call("whoami")["user"] == "read"
    first = client._connection
    assert {one["name"] for one in client.operations()} >= {"status", "system.list"}
    assert client._connection is first
    client.close()
    assert client.call("whoami")["role"] == "read"
    with pytest.raises(ApiError, match="there is no system 'x'") as caught:
        client.call("system.show", {"name": "x"})
    assert (caught.value.field, caught.value.kind) == ("name", "not-found")
    client.close()


def test_what_is_no_provd_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotReachableError, match="does not answer"):
        RemoteClient("https://127.0.0.1:1").call("status")


@pytest.mark.parametrize(
    ("url", "found"),
    [("https://a", ("a", 8443)), ("https://a:1/", ("a", 1)), ("https://[::1]:9", ("::1", 9))],
)
def test_endpoints(url: str, found: Any) -> None:
    assert endpoint(url) == found

"""The rows of old faults in other servers, at the listener of the JSON API."""

from __future__ import annotations

import gzip
import json
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provd.config.schema_api import ApiConfig
from tests.json_api.api_server import PASSWORD, ApiServer

CARD = [{"name": "eth0", "mac": "52:54:00:12:35:01"}]
WRONG: tuple[Any, ...] = ("", -1, 0, None, False, [], {}, 1.5)
HOSTILE = ("a;b", "`id`", "$(id)", "a\nb", "-rf", "../x", "/etc/passwd", "a b", "a\u0000b")


def site_files(api: ApiServer) -> dict[str, bytes]:
    """Everything in the site's folder by its path."""
    root = api.server.folder / "site"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[ApiServer]:
    """A server of one's own: failed logins of one test would make the others wait."""
    made = ApiServer(tmp_path)
    yield made
    made.server.stop(signal.SIGKILL)


def test_C01_nothing_but_the_password_logs_in(alone: ApiServer) -> None:
    assert alone.call("user.add", name="c01", role="admin").status == 200  # a user without a password
    for user in ("c01", "admin"):
        for password in WRONG:
            answer = alone.ask("POST", "/v1/login", json.dumps({"user": user, "password": password}).encode())
            assert answer.status == (401 if isinstance(password, str) else 400), (user, password)
            assert b"token" not in answer.raw


def test_C03_nothing_is_written_beside_the_site_and_there_are_no_uploads(api: ApiServer) -> None:
    before = site_files(api)
    for name in ("../../x", "/tmp/x", "a/../../x", "x/.", ".hidden", ""):
        answer = api.call("template.add", name=name, content="x")
        assert answer.status in {400, 404, 409}, name
    for method in ("PUT", "PATCH", "DELETE"):
        assert api.ask(method, "/v1/templates/x", b"x", "admin").status == 404
        assert api.ask(method, "/v1/call/template.add", b"{}", "admin").status == 405
    assert site_files(api) == before


def test_C04_no_operation_changes_the_settings(api: ApiServer) -> None:
    before = api.server.config.read_bytes()
    names = {one["name"] for one in api.local.operations()}
    assert not {name for name in names if name.startswith(("setting", "config"))}
    assert api.call("setting.edit", name="listen", value=1).status == 404
    assert api.call("reload", config="x").status == 400
    assert api.call("reload").status == 200
    assert api.server.config.read_bytes() == before


@pytest.mark.parametrize("operation", ["template.show", "distro.own", "profile.show", "answer.preview"])
@pytest.mark.parametrize("name", ["../../provd.toml", "/etc/passwd", "..%2f..%2fprovd.toml", "templates/../provd.toml"])
def test_C05_names_are_keys_never_paths(api: ApiServer, operation: str, name: str) -> None:
    given = {"system" if operation == "answer.preview" else "name": name}
    answer = api.call(operation, "read", **given)
    assert answer.status in {400, 404}
    assert b"root:" not in answer.raw
    assert b"data_dir" not in answer.raw


def test_C06_disabled_expired_and_passwordless_users_stay_outside(alone: ApiServer) -> None:
    api = alone
    for name, more in (("c06-off", {}), ("c06-old", {"expires_at": 1.0}), ("c06-bare", {"password": ""})):
        assert api.call("user.add", name=name, **{"password": PASSWORD, "role": "admin", **more}).status == 200
    token = api.login("c06-off", PASSWORD).body["result"]["token"]
    assert api.with_token(token, "whoami").body["result"]["user"] == "c06-off"
    assert api.call("user.edit", name="c06-off", disabled=True).status == 200
    assert api.with_token(token, "whoami").status == 401
    answers = [api.login(name, password) for name in ("c06-off", "c06-old", "c06-bare") for password in (PASSWORD, "")]
    assert answers[0].status == 401
    assert {answer.status for answer in answers} <= {401, 429}


def test_C07_a_template_of_a_caller_runs_in_the_sandbox(api: ApiServer) -> None:
    for number, text in enumerate(("{{ ''.__class__.__mro__ }}", "{{ self.__init__.__globals__ }}", "{{ 7*7 }}")):
        api.call("template.add", name=f"c07-{number}.j2", content=text)
    canary = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    assert api.call("system.add", name="c07", interfaces=CARD, comment=canary).status == 200
    shown = api.call("system.show", name="c07")
    assert shown.body["result"]["comment"] == canary  # a value is never a template
    assert api.call("explain", system="c07").status in {200, 404, 409}
    assert b"<class" not in api.call("answer.preview", system="c07").raw
    assert api.call("system.remove", name="c07").status == 200


def test_C08_what_the_listener_keeps_is_the_services_alone(api: ApiServer) -> None:
    folder = api.server.folder / "data" / "api"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", HOSTILE)
def test_C09_hostile_names_are_refused_with_their_field(api: ApiServer, name: str) -> None:
    for operation in ("system.add", "profile.add", "template.add"):
        more: dict[str, Any] = {"interfaces": CARD} if operation == "system.add" else {}
        answer = api.call(operation, name=name, **({"content": ""} if operation == "template.add" else more))
        assert answer.status in {400, 409}, (operation, name)
        assert answer.body["field"].partition(".")[0] == "name" or answer.body["field"] == "", operation
        assert "\n" not in answer.body["error"]


def test_C10_answers_are_never_a_page(api: ApiServer) -> None:
    for path in ("/<script>alert(1)</script>", "/v1/call/<script>", "/healthz", "/v1/openapi.json", "/metrics"):
        answer = api.ask("GET", path, role="admin")
        assert not answer.headers["content-type"].startswith("text/html")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'"


def test_C12_the_listener_is_off_and_on_loopback_unless_somebody_says_otherwise() -> None:
    assert (ApiConfig().enabled, ApiConfig().addresses) == (False, ())


def test_C12_no_operation_loads_a_plugin(api: ApiServer) -> None:
    for name in ("plugin.add", "plugin.load", "plugin.enable", "plugin.install"):
        assert api.call(name, path="/tmp/x.py").status == 404


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"name": [', b'["]", '])
def test_C15_a_hundred_thousand_levels_are_one_clear_refusal(api: ApiServer, opening: bytes) -> None:
    answer = api.ask("POST", "/v1/call/system.show", opening * 100_000, "read")
    assert (answer.status, answer.body["kind"]) == (400, "usage")
    assert "nested deeper than 32 levels" in answer.body["error"]
    assert api.ask("POST", "/v1/login", opening * 100_000).status == 400
    assert api.ask("GET", "/healthz").status == 200


def test_C15_a_long_body_is_not_kept(api: ApiServer) -> None:
    for path, role in (("/v1/call/system.list", "read"), ("/v1/login", "")):
        answer = api.ask("POST", path, b" " * (3 << 20), role)
        assert (answer.status, answer.body["kind"]) == (413, "usage")


def test_C18_no_password_and_no_token_reaches_log_audit_or_answers(alone: ApiServer) -> None:
    api = alone
    canary = "canary-9d1f0b7e-password"
    assert api.call("user.add", name="c18", password=canary).status == 200
    assert api.call("user.edit", name="c18", password=canary + "2").status == 200
    token = api.login("c18", canary + "2").body["result"]["token"]
    api.login("c18", canary + "wrong")
    api.with_token(token, "user.add", name="x", password=canary)
    api.with_token(token + "x", "whoami")
    api.ask("POST", "/v1/login", json.dumps({"user": "c18", "password": canary, "more": canary}).encode())
    told = [api.server.text(), api.call("user.list").raw.decode(), api.call("audit.list", limit=1000).raw.decode()]
    told += [api.call("token.list").raw.decode(), api.ask("GET", "/metrics", role="read").raw.decode()]
    for text in told:
        assert canary not in text
        assert token not in text


def test_C26_nobody_gets_another_role_by_naming_it(api: ApiServer) -> None:
    body = {"user": "read", "password": PASSWORD, "role": "admin"}
    assert api.ask("POST", "/v1/login", json.dumps(body).encode()).status == 400
    assert api.call("user.edit", "admin", name="admin", role="read").status == 403
    for role in ("read", "operate"):
        assert api.call("user.edit", role, name=role, role="admin").status == 403
        assert api.call("token.add", role, user="admin").status == 403
        assert api.call("whoami", role, role="admin").status == 400
        assert api.call("whoami", role).body["result"]["role"] == role
    token = api.call("token.add", user="read", role="admin").body["result"]["token"]
    assert api.with_token(token, "whoami").body["result"]["role"] == "read"


def test_C26_fields_that_no_argument_has_are_refused_by_every_write(api: ApiServer) -> None:
    for one in api.local.operations():
        if one["permission"] != "read":
            answer = api.call(one["name"], "admin", caller="admin", permission="admin")
            assert (answer.status, answer.body["kind"]) == (400, "usage"), one["name"]


def test_C27_compressed_and_foreign_bodies_are_refused(api: ApiServer) -> None:
    bomb = gzip.compress(b" " * (8 << 20))
    for encoding in ("gzip", "deflate", "br", "x"):
        answer = api.ask("POST", "/v1/call/status", bomb, "read", {"Content-Encoding": encoding})
        assert (answer.status, answer.body["error"]) == (400, "encoded requests are refused")
    assert api.ask("POST", "/v1/call/status", bomb, "read").status == 400
    lol = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><methodCall>&b;</methodCall>'
    assert api.ask("POST", "/v1/call/status", lol, "read", {"Content-Type": "text/xml"}).status == 400


PLUGIN = """
import msgspec
from provd.plugin.api import Operation, Plugin, Settings, hookimpl


class Nothing(Settings, frozen=True):
    pass


class Echo(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    text: str


class Own:
    def __init__(self, settings):
        pass

    @hookimpl
    def provd_operations(self):
        return [Operation("own.echo", "Say it back.", "operate", Echo, lambda one: {"said": one.text}, "provd own echo")]


PLUGIN = Plugin(name="own_plugin", settings=Nothing, build=Own)
"""


def test_an_operation_of_a_plugin_has_a_route_and_is_in_the_document(tmp_path: Path) -> None:
    api = ApiServer(tmp_path, plugin=PLUGIN)
    try:
        document = api.ask("GET", "/api/openapi.json", role="read").body
        described = document["paths"]["/v1/call/own.echo"]["post"]
        assert described["x-permission"] == "operate"
        assert "Echo" in document["components"]["schemas"]
        assert api.call("own.echo", "operate", text="hello").body == {"result": {"said": "hello"}}
        assert api.call("own.echo", "read", text="hello").status == 403
        wrong = api.call("own.echo", text=3)
        assert (wrong.status, wrong.body["field"]) == (400, "text")
    finally:
        assert api.server.stop() == 0

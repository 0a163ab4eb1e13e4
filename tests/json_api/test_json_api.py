"""The JSON API over TLS: tokens, permissions, limits, errors (the security rows are in test_json_rows.py)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from provd.service.operations import permitted
from tests.json_api.api_server import PASSWORD, ApiServer

MAC = "52:54:00:12:34:56"


def test_a_login_gives_a_token_and_a_token_calls(api: ApiServer) -> None:
    told = api.login("admin", PASSWORD)
    assert told.status == 200
    assert told.headers["cache-control"] == "no-store"
    assert told.body["result"]["role"] == "admin"
    assert api.call("system.add", name="web1", interfaces=[{"name": "eth0", "mac": MAC}]).status == 200
    assert api.call("system.show", "read", name="web1").body["result"]["macs"] == [MAC]
    assert api.call("system.remove", name="web1").status == 200


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(api: ApiServer) -> None:
    wrong, unknown = api.login("admin", "wrong"), api.login("nobody-at-all", "wrong")
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"] == 'Bearer realm="provd"'


@pytest.mark.parametrize(
    "header",
    [None, "Bearer wrong", "Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer a b", "bearer x", "Bearer " + "x" * 600],
)
def test_C11_nothing_is_told_without_a_valid_token(api: ApiServer, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    for method, path in (
        ("POST", "/v1/call/system.list"),
        ("POST", "/v1/logout"),
        ("GET", "/v1/operations"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/v1/events"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
    ):
        answer = api.ask(method, path, headers=headers)
        assert (answer.status, answer.body["kind"]) == (401, "denied"), path


def test_C02_every_operation_is_in_the_document_and_asks_for_its_permission(api: ApiServer) -> None:
    document = api.ask("GET", "/v1/openapi.json", role="read").body
    validate(document)
    operations = api.local.operations()
    paths = document["paths"]
    assert {f"/v1/call/{one['name']}" for one in operations} == {path for path in paths if path.startswith("/v1/call/")}
    for one in operations:
        described = paths[f"/v1/call/{one['name']}"]["post"]
        assert described["x-permission"] == one["permission"]
        path = f"/v1/call/{one['name']}"
        for headers in ({}, {"Authorization": "Bearer none-such"}):
            assert api.ask("POST", path, b"{}", headers=headers).status == 401, path
        for role in ("read", "operate"):
            if not permitted(role, one["permission"]):
                answer = api.call(one["name"], role)
                assert (answer.status, answer.body["kind"]) == (403, "denied"), path


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, "the request is not JSON"),
        (b"[]", 400, ""),
        (b"\xff\xfe", 400, "the request is not JSON"),
        (b'{"nam": "x"}', 400, "nam"),
        (b'{"name": 3}', 400, "name"),
        (b'{"name": "nope"}', 404, "nope"),
        (b"[" * 40 + b"]" * 40, 400, "nested deeper than 32"),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', 413, "longer than"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_field(
    api: ApiServer, body: bytes, status: int, sentence: str
) -> None:
    answer = api.ask("POST", "/v1/call/system.show", body, "admin")
    assert answer.status == status
    assert set(answer.body) == {"error", "field", "kind"}
    assert sentence in answer.body["error"]
    assert "\n" not in answer.body["error"]


def test_a_stale_write_is_refused(api: ApiServer) -> None:
    assert api.call("system.add", name="stale", interfaces=[{"name": "eth0", "mac": "52:54:00:12:34:57"}]).status == 200
    revision = api.call("system.show", name="stale").body["result"]["revision"]
    assert api.call("system.edit", name="stale", comment="one", revision=revision).status == 200
    answer = api.call("system.edit", name="stale", comment="two", revision=revision)
    assert answer.status == 409
    assert api.call("system.show", name="stale").body["result"]["comment"] == "one"
    assert api.call("system.remove", name="stale").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/v1/call/system.list", 405, "POST"),
        ("POST", "/v1/openapi.json", 405, "GET"),
        ("DELETE", "/metrics", 405, "GET"),
        ("GET", "/", 404, None),
        ("POST", "/v1/call/no.such", 404, None),
        ("POST", "/v1/call/../../etc/passwd", 404, None),
    ],
)
def test_other_methods_and_paths(api: ApiServer, method: str, path: str, status: int, allowed: str | None) -> None:
    answer = api.ask(method, path, b"" if method == "POST" else None, "admin")
    assert (answer.status, answer.headers.get("allow")) == (status, allowed)
    assert answer.headers["content-type"] == "application/json"


def test_a_logout_ends_the_token(api: ApiServer) -> None:
    token = api.login("read", PASSWORD).body["result"]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert api.ask("POST", "/v1/logout", b"", headers=headers).body == {"result": True}
    assert api.ask("POST", "/v1/call/system.list", b"{}", headers=headers).status == 401


def test_health_needs_no_token_and_says_nothing_else(api: ApiServer) -> None:
    for path in ("/healthz", "/readyz"):
        answer = api.ask("GET", path)
        assert (answer.status, answer.raw) == (200, b"ok\n")
        assert api.ask("HEAD", path).raw == b""


def test_metrics_are_prometheus_text(api: ApiServer) -> None:
    api.call("status")
    answer = api.ask("GET", "/metrics", role="read")
    assert answer.headers["content-type"].startswith("text/plain")
    names = {line.split("{")[0].split(" ")[0] for line in answer.raw.decode().splitlines() if not line.startswith("#")}
    assert {
        "provd_info", "provd_uptime_seconds", "provd_systems", "provd_pool_addresses", "provd_leases",
        "provd_plugin_calls_total", "provd_tftp_transfers", "provd_http_connections", "provd_dhcp_work_total",
    } <= names  # fmt: skip
    from prometheus_client.parser import text_string_to_metric_families

    pools = [f for f in text_string_to_metric_families(answer.raw.decode()) if f.name == "provd_pool_addresses"]
    assert [sample.value for sample in pools[0].samples] == [200.0]


def test_events_arrive_as_they_happen_and_only_those_that_are_wanted(api: ApiServer) -> None:
    connection = api.connect()
    connection.request("GET", "/v1/events?kind=system.*", headers={"Authorization": f"Bearer {api.tokens['read']}"})
    stream = connection.getresponse()
    assert stream.getheader("content-type") == "text/event-stream; charset=utf-8"
    assert stream.readline() == b": provd\n"
    assert stream.readline() == b"\n"
    api.call("system.add", name="live", interfaces=[{"name": "eth0", "mac": "52:54:00:12:34:58"}])
    lines = [stream.readline().decode() for _ in range(3)]
    assert any(line == "event: system.changed\n" for line in lines)
    data = next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
    assert data["system"] == "live"
    connection.close()
    api.call("system.remove", name="live")


def test_plain_http_gets_nothing(api: ApiServer) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=5) as plain:
        plain.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b"200" not in plain.recv(200)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(api: ApiServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        http.client.HTTPSConnection("127.0.0.1", api.port, timeout=5, context=context).connect()


def test_C08_the_key_is_for_nobody_else_and_the_fingerprint_is_in_the_log(api: ApiServer) -> None:
    folder = api.server.folder / "data" / "api"
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    der = ssl.PEM_cert_to_DER_cert((folder / "certificate.pem").read_text())
    import hashlib

    wanted = hashlib.sha256(der).hexdigest().upper()
    assert ":".join(wanted[i : i + 2] for i in range(0, 64, 2)) in api.server.text()


def test_writes_are_in_the_audit_log_with_who_and_how(api: ApiServer) -> None:
    api.call("system.add", "operate", name="audited", interfaces=[{"name": "eth0", "mac": "52:54:00:12:34:59"}])
    rows = api.call("audit.list", limit=5).body["result"]
    row = next(row for row in rows if row["operation"] == "system.add" and row["user"] == "operate")
    assert row["via"] == "json"
    assert row["peer"] == "127.0.0.1"
    api.call("system.remove", name="audited")
    assert PASSWORD not in json.dumps(rows)
    assert PASSWORD not in api.server.text()


def test_C06_many_wrong_passwords_have_to_wait(tmp_path: Path) -> None:
    api = ApiServer(tmp_path)
    try:
        answers = [api.login("admin", f"wrong {number}") for number in range(12)]
        last = answers[-1]
        assert last.status == 429
        assert int(last.headers["retry-after"]) >= 1
    finally:
        assert api.server.stop() == 0


def test_a_given_certificate_that_does_not_fit_its_key_stops_the_start(tmp_path: Path) -> None:
    from provd.app.listeners import ListenError
    from provd.app.tls import context, own_certificate

    one, two = own_certificate(tmp_path / "a", ()), own_certificate(tmp_path / "b", ())
    with pytest.raises(ListenError, match=r"api\.tls_certificate .*certificate\.pem: it cannot be used with its key"):
        context(one[0], two[1], "api.tls_certificate")
    again = own_certificate(tmp_path / "a", ())
    assert again == one

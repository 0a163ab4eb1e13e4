"""Alert rules and dashboard name numbers that the page really has; the page about the API is true."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tests.json_api.api_server import PASSWORD, ApiServer

FOLDER = ROOT / "docs" / "monitoring"
_NAME = re.compile(r"\bprovd_[a-z_]+")


def families(api: ApiServer) -> set[str]:
    """Names as they are queried; families without a sample count by their TYPE line."""
    found = set()
    for name, kind in re.findall(
        r"^# TYPE (\S+) (\w+)$", api.ask("GET", "/metrics", role="read").raw.decode(), re.MULTILINE
    ):
        found.add(f"{name}_total" if kind == "counter" and not name.endswith("_total") else name)
    return found


def test_rules_and_dashboard_name_what_there_is(api: ApiServer) -> None:
    known = families(api)
    dashboard = (FOLDER / "grafana-dashboard.json").read_text()
    panels = json.loads(dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 9
    for text in (dashboard, (FOLDER / "alerts.yml").read_text()):
        used = set(_NAME.findall(text))
        assert used
        assert used <= known, used - known


def test_the_page_shows_paths_that_are_true(api: ApiServer) -> None:
    page = ROOT / "docs" / "json-api.md"
    paths = set(re.findall(r"`(?:GET|POST) (/[\w/.]+)", page.read_text())) | {"/readyz"}
    for path in paths - {"/v1/login", "/v1/logout", "/v1/events", "/v1/call/NAME"}:
        assert api.ask("GET", path, role="read").status == 200, path


def test_the_commands_of_the_page_do_what_it_says(api: ApiServer, tmp_path: Path) -> None:
    script = "\n".join(block for block in blocks(ROOT / "docs" / "json-api.md", "sh") if "curl" in block)
    assert PASSWORD in script
    for word, ours in (
        ("https://10.0.0.1:8443", f"https://127.0.0.1:{api.port}"),
        ("certificate.pem", str(api.server.folder / "data" / "api" / "certificate.pem")),
    ):
        assert word in script
        script = script.replace(word, ours)
    assert api.call("user.add", name="alice", role="operate", password=PASSWORD).status == 200
    done = subprocess.run(
        ["sh", "-eu"], input=script.encode(), cwd=tmp_path, capture_output=True, timeout=60, check=True
    )
    told = done.stdout.decode()
    assert told.count('{"result":') == 2, (told, done.stderr)
    last = told.splitlines()[-1]
    assert last.endswith(" 412")
    assert '"field":"revision","kind":"refused"' in last
    assert "system web1 was changed meanwhile" in last
    assert api.call("system.show", name="web1").body["result"]["comment"] == "first rack"
    assert api.call("system.remove", name="web1").status == 200

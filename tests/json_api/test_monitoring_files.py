"""Alert rules and dashboard name numbers that the page really has; the page about the API is true."""

from __future__ import annotations

import json
import re

from tests.docs.pages import ROOT
from tests.json_api.api_server import ApiServer

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

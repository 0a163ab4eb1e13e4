"""A real service with wrong settings of plugins: it starts, tells everything that is off, and a reload mends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.app.running_server import RunningServer, wait_until

TABLES = """
[plugins.trigger_wol]
wakes = 7

[plugins.nosuch]
x = 1

[[plugins.trigger_script.scripts]]
name = "good"
on = ["system.changed"]
argv = ["/bin/true"]

[[plugins.trigger_script.scripts]]
name = "typo"
on = ["system.changed"]
argv = ["/bin/true"]
timeout = 5

[[plugins.trigger_script.scripts]]
name = "good"
on = ["instal.finished"]
argv = ["/bin/false"]
"""


class Site(RunningServer):
    def __init__(self, folder: Path, plugins: str, tables: str) -> None:
        super().__init__(folder, tables)
        self.config.write_text(self.config.read_text().replace('"relay",', f'"relay", {plugins}', 1))

    def provd(self, *words: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "provd", "--socket", str(self.folder / "run" / "provd.sock"), *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended.stdout

    def rows(self, *words: str) -> Any:
        return json.loads(self.provd(*words, "-o", "json"))

    def settle(self, old: str, new: str, tables: int = 1) -> None:
        """Edit provd.toml."""
        text = self.config.read_text()
        assert text.count(old) == tables
        self.config.write_text(text.replace(old, new))


def test_the_service_runs_without_what_is_wrong_and_takes_it_when_it_is_right(tmp_path: Path) -> None:
    site = Site(tmp_path, '"trigger_wol", "trigger_script", "trigger_mial",', TABLES)
    site.start()
    try:
        at = f"{site.config}: plugins."
        expected = [
            "plugin trigger_mial: it is enabled, but nobody provides it; did you mean trigger_mail?; the plugin is off",
            f"plugin nosuch: {at}nosuch: no plugin has this name; known: ",
            f"plugin trigger_wol: {at}trigger_wol.wakes: Expected `array`, got `int`; the plugin is off",
            f"plugin trigger_script: {at}trigger_script.scripts[1]: unknown key timeout; did you mean timeout_s?",
            f"plugin trigger_script: {at}trigger_script.scripts[2].name: scripts[0] is called 'good' already",
        ]
        for found in (site.provd("check", "service", status=1).splitlines(), site.text().split("off: ")[1:]):
            told = [line for line in found if line.startswith("plugin ")]
            assert [line for line, begin in zip(told, expected, strict=True) if not line.startswith(begin)] == []
        states = [(row["name"], row["state"]) for row in site.rows("trigger", "list")]
        assert states == [("good", "on"), ("typo", "off"), ("good", "off")]
        assert site.rows("plugin", "show", "trigger_script")["state"] == "faulty"
        shown = site.rows("plugin", "show", "trigger_wol")
        assert (shown["state"], shown["enabled"], len(shown["faults"])) == ("off", True, 1)

        site.settle("timeout = 5", "timeout_s = 5")
        wait_until(lambda: "reloaded" in site.text(), 20, site.text)
        states = [(row["name"], row["state"]) for row in site.rows("trigger", "list")]
        assert states == [("good", "on"), ("typo", "on"), ("good", "off")]

        site.settle("wakes = 7", "wakes = []")
        wait_until(lambda: site.text().count("reloaded") == 2, 20, site.text)
        assert site.rows("plugin", "show", "trigger_wol")["state"] == "on"

        site.settle("timeout_s = 5", "timeout_s = 0")
        wait_until(lambda: "reload refused" in site.text(), 20, site.text)
        assert site.text().splitlines()[-1].endswith("timeout_s of 'typo' must be above 0")
        assert [row["state"] for row in site.rows("trigger", "list")] == ["on", "on", "off"]
    finally:
        assert site.stop() == 0


def test_where_a_guard_is_off_changes_are_refused_with_the_reason_and_the_rest_works(tmp_path: Path) -> None:
    site = Site(tmp_path, '"change_guard",', '[plugins.change_guard]\nallowed = ["colour"]\n')
    site.start()
    try:
        add = ("system", "add", "web1", "--mac", "52:54:00:00:00:11")
        site.provd(*add, status=1)
        assert "and refuses whatever it was to decide" in site.provd("check", "service", status=1)
        site.settle('"colour"', '"comment"')
        wait_until(lambda: "reloaded" in site.text(), 20, site.text)
        site.provd(*add)
    finally:
        assert site.stop() == 0

"""Operations on plugins that are off: they are listed and shown, with what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provd.plugin.discovery import discover, select_enabled
from provd.plugin.host import PluginHost
from provd.service.operations_plugins import PluginName, plugin_operations
from tests.fakes.plugin_world import FakeClock


def test_a_plugin_that_cannot_be_imported_is_shown_with_its_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "empty").mkdir()
    site = tmp_path / "site"
    site.mkdir(mode=0o755)
    (site / "broken.py").write_text('"""Breaks."""\nimport nosuchthing\n')
    (site / "broken.py").chmod(0o644)
    found = discover(tmp_path / "empty", [site])
    host = PluginHost(select_enabled(found, ["broken"]), {}, clock=FakeClock(), faults=())
    operations = {one.name: one for one in plugin_operations(lambda: found, lambda: host)}
    shown: Any = operations["plugin.show"].run(PluginName(name="broken"))
    assert (shown["state"], shown["enabled"], shown["summary"]) == ("off", True, "Breaks.")
    assert (shown["settings"], shown["api"], shown["brings"]) == ([], None, {})
    (fault,) = shown["faults"]
    assert "it cannot be imported: ModuleNotFoundError: No module named 'nosuchthing'; the plugin is off" in fault
    idle = PluginHost([], {}, clock=FakeClock(), faults=())
    never: Any = {one.name: one for one in plugin_operations(lambda: found, lambda: idle)}["plugin.show"]
    told = never.run(PluginName(name="broken"))
    assert (told["state"], told["enabled"]) == ("off", False)
    assert "No module named 'nosuchthing'" in told["faults"][0]

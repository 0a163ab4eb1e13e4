"""The pages about plugins say what the code does."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provd.plugin import api
from provd.plugin.api import Event
from provd.plugin.discovery import discover, select_enabled
from provd.plugin.host import PluginHost
from provd.plugin.specs import Registration
from provd.plugin.verify import specifications
from provd.shipped import shipped_dir
from provd.testing import examined
from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.plugin_world import CLIENT, PLAN, FakeClock, dhcp_request

DOCS = Path(__file__).parents[2] / "docs"
STYLES = {"registration", "first", "collect", "fold", "notify"}


@dataclass(frozen=True)
class Section:
    style: str
    users: tuple[str, ...]
    rows: dict[str, str]
    cells: tuple[tuple[str, ...], ...]


def sections() -> dict[str, Section]:
    text = (DOCS / "hooks.md").read_text()
    found = {}
    for name, body in re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, flags=re.MULTILINE | re.DOTALL):
        head = re.search(r"^Style: (\w+)\. Used by: (.*)\.$", body, flags=re.MULTILINE)
        assert head, f"{name}: the line with style and users is missing"
        lines = [line for line in body.splitlines() if line.startswith("|")]
        assert lines[:2] == ["| name | type | unit | meaning |", "|---|---|---|---|"], name
        cells = [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines[2:]]
        rows = {row[0]: row[1].strip("`").replace("\\|", "|") for row in cells}
        found[name] = Section(head[1], tuple(re.findall(r"`(\w+)`", head[2])), rows, tuple(cells))
    return found


def test_every_hook_is_documented_in_the_order_of_the_specification() -> None:
    assert list(sections()) == list(specifications())


@pytest.mark.parametrize("hook", specifications())
def test_arguments_types_and_return_are_the_real_ones(hook: str) -> None:
    signature = inspect.signature(specifications()[hook])
    expected = {name: str(one.annotation) for name, one in list(signature.parameters.items())[1:]}
    assert sections()[hook].rows == {**expected, "returns": str(signature.return_annotation)}


@pytest.mark.parametrize("hook", specifications())
def test_every_row_has_a_unit_and_says_what_none_means(hook: str) -> None:
    section = sections()[hook]
    assert section.style in STYLES
    assert (section.style == "registration") == hasattr(Registration, hook)
    for row in section.cells:
        assert all(row)
        assert "None" in row[3] or row[1] == "`None`" or row[0] == "returns", (hook, row)


@pytest.mark.parametrize("hook", specifications())
def test_the_named_users_ship_and_use_it(hook: str) -> None:
    section = sections()[hook]
    assert section.users
    for user in section.users:
        folder = shipped_dir("plugins")
        path = folder / f"{user}.py" if (folder / f"{user}.py").is_file() else folder / user / "__init__.py"
        assert path.is_file(), f"{hook}: there is no plugin {user}"
        assert f"def {hook}(" in path.read_text(), f"{user} does not implement {hook}"


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def test_the_example_plugin_works_as_a_dropped_file(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "by_name.py").write_text(blocks("writing-a-plugin.md")[0])
    (folder / "by_name.py").chmod(0o644)
    found = discover(shipped_dir("plugins"), [folder])
    tables = {"by_name": {"prefix": "lab-", "room": "https://chat.example/x"}}
    host = PluginHost(select_enabled(found, ["by_name"]), tables, clock=FakeClock())
    runtime = FakeRuntime(answers=[(204, b"")])
    host.start(runtime)

    named = replace(CLIENT, hostname="lab-7")
    assert host.labels(dhcp_request(named)) == {"by-name"}
    assert host.labels(dhcp_request(CLIENT)) == frozenset()
    plan = replace(PLAN, client=replace(named, labels=frozenset({"by-name"})))
    assert host.kernel_args(plan) == (("by_name", ("quiet",)),)
    assert host.kernel_args(PLAN) == ()
    told = run_now(host.triggers["by_name"].run(Event("install.finished", 0.0, system="web1")))
    assert told == "told the room: 204"
    assert runtime.sent == [("POST", "https://chat.example/x", b"web1", {})]
    assert all(row.failures == 0 for row in host.stats())


def test_the_example_plugin_keeps_the_rules(tmp_path: Path) -> None:
    (tmp_path / "by_name.py").write_text(blocks("writing-a-plugin.md")[0])
    assert [f"{one.rule}: {one.text}" for one in examined(str(tmp_path / "by_name.py")) if not one.ok] == []


def test_the_public_door_lists_what_it_offers() -> None:
    assert sorted(set(api.__all__)) == sorted(api.__all__)
    for name in api.__all__:
        assert hasattr(api, name), name

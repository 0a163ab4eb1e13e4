"""What holds for every shipped plugin: manual, size, independence, the public door only."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from provd.config import toml
from provd.plugin.discovery import discover
from provd.plugin.host import PluginHost
from provd.plugin.settings import decode_settings
from provd.plugin.verify import specifications, verify
from provd.shipped import shipped_dir
from tests.fakes.plugin_world import FakeClock

SHIPPED = discover(shipped_dir("plugins"), [])
FOUND = {name: found for name, found in SHIPPED.items() if found.origin == "shipped"}
MOST_CODE_LINES = 150


def source_of(name: str) -> Path:
    path = FOUND[name].path
    return path / "__init__.py" if path.is_dir() else path


def manual_of(name: str) -> str:
    return ast.get_docstring(ast.parse(source_of(name).read_text())) or ""


def table_of(name: str, folder: Path) -> dict[str, Any]:
    """The ``[plugins.NAME]`` table of the TOML in the manual."""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", manual_of(name) + "\n", flags=re.MULTILINE)
    wanted = [textwrap.dedent(block) for block in blocks if re.search(rf"\[plugins\.{name}\b", block)]
    assert wanted, f"the manual of {name} has no TOML block with [plugins.{name}]"
    path = folder / "provd.toml"
    path.write_text("\n".join(wanted))
    table = toml.read(path)["plugins"][name]
    assert isinstance(table, dict)
    return table


def buildable(name: str, table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The manual's settings with files that a test can have."""
    if name == "trigger_webhook":
        secret = folder / "secret"
        secret.write_text("key")
        secret.chmod(0o600)
        return {"hooks": [{**hook, "secret_file": str(secret)} for hook in table["hooks"]]}
    if name == "auth_ldap":
        secret = folder / "secret"
        secret.write_text("key")
        secret.chmod(0o600)
        return {**table, "bind_password_file": str(secret)}
    return table


@pytest.mark.parametrize("name", FOUND)
def test_the_manuals_toml_fits_the_settings(name: str, tmp_path: Path) -> None:
    table = table_of(name, tmp_path)
    decode_settings(FOUND[name].plugin, table, data_dir=str(tmp_path))


@pytest.mark.parametrize("name", FOUND)
def test_built_twice_gives_independent_objects(name: str, tmp_path: Path) -> None:
    plugin = FOUND[name].plugin
    table = buildable(name, table_of(name, tmp_path), tmp_path)
    settings = decode_settings(plugin, table, data_dir=str(tmp_path))
    one, two = plugin.build(settings), plugin.build(settings)
    assert one is not two
    assert verify(name, one) == verify(name, two)
    shared = [key for key, value in vars(one).items() if isinstance(value, list | set) and value is vars(two)[key]]
    assert shared == []


@pytest.mark.parametrize("name", [name for name in FOUND if FOUND[name].path.is_file()])
def test_a_plugin_of_one_file_is_small(name: str) -> None:
    text = source_of(name).read_text()
    documented = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    code = [line for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in documented]
    assert len(code) <= MOST_CODE_LINES, f"{name} has {len(code)} lines of code"


#: Plugins that speak a protocol of their own (Runtime.listen_tcp, Runtime.connect_tcp), which Twisted's classes do.
SPEAK = frozenset({"source_ftp", "trigger_mail"})


@pytest.mark.parametrize("name", FOUND)
def test_a_plugin_imports_the_public_door_and_libraries_only(name: str) -> None:
    path = FOUND[name].path
    for file in path.rglob("*.py") if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0 or path.is_dir(), f"{file}: relative import"
                modules = [node.module or ""] if node.level == 0 else []
            for module in modules:
                ours = module.split(".")[0] in {"provd", "plugins", "tests"}
                assert not ours or module == "provd.plugin.api", f"{file} imports {module}"
                library = module.split(".")[0]
                assert library not in {"socket", "sqlite3"}, f"{file} imports {module}"
                assert library != "twisted" or name in SPEAK, f"{file} imports {module}"


def test_every_hook_has_a_built_in_user(tmp_path: Path) -> None:
    used: set[str] = set()
    for name, found in FOUND.items():
        table = buildable(name, table_of(name, tmp_path), tmp_path)
        settings = decode_settings(found.plugin, table, data_dir=str(tmp_path))
        used.update(verify(name, found.plugin.build(settings)))
    assert sorted(set(specifications()) - used) == []


def test_all_of_them_together_make_a_host(tmp_path: Path) -> None:
    settings = {name: buildable(name, table_of(name, tmp_path), tmp_path) for name in FOUND}
    host = PluginHost(list(FOUND.values()), settings, clock=FakeClock(), data_dir=tmp_path)
    assert host.names == tuple(FOUND)
    assert "http" in host.install_sources
    assert "event-log.tail" in host.operations
    host.close()


def test_modules_are_not_shared_with_the_import_system() -> None:
    for found in FOUND.values():
        assert found.plugin
    assert not any(module.startswith("static_files") for module in sys.modules)

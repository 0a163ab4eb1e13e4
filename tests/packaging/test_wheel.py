"""Installed from a wheel or in editable mode, provd works from any directory, with everything that ships."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from provd.config import toml
from provd.shipped import KINDS
from tests.app.running_server import RunningServer
from tests.packaging.installed import PLUGIN, ROOT, Environment, build_wheel, third_party

VERSION = str(toml.read(ROOT / "pyproject.toml")["project"]["version"])

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment.empty(tmp_path_factory.mktemp("environment"))
    environment.install(*([wheel] if request.param == "wheel" else ["--editable", ROOT]))
    acme = tmp_path_factory.mktemp("acme")
    environment.install(build_wheel(third_party(acme / "source"), acme))
    return environment


@pytest.fixture
def server(installed: Environment, tmp_path: Path) -> Iterator[RunningServer]:
    dropped = tmp_path / "plugins"
    dropped.mkdir(mode=0o755)
    (dropped / "dropped.py").write_text(PLUGIN.replace("NAME", "dropped"))
    (dropped / "dropped.py").chmod(0o644)
    running = RunningServer(tmp_path, '\n[plugins.dropped]\ntext = "by hand"\n', str(installed.python))
    text = running.config.read_text().replace(
        "enabled = [", f'plugin_dirs = ["{dropped}"]\nenabled = ["acme", "dropped", '
    )
    running.config.write_text(text)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def shipped_files() -> set[str]:
    """Every file below the shipped folders of the checkout, by its path in a wheel."""
    paths = (path for kind in KINDS for path in (ROOT / kind).rglob("*") if path.is_file())
    return {f"provd/_shipped/{path.relative_to(ROOT)}" for path in paths if "__pycache__" not in path.parts}


def get(server: RunningServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http}/{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_the_wheel_holds_the_package_and_all_that_ships_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert shipped_files() <= names
    assert {"provd/py.typed", "provd/__main__.py"} <= names
    assert {name.partition("/")[0] for name in names} == {"provd", f"provd-{VERSION}.dist-info"}
    assert not [name for name in names if "__pycache__" in name]
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "provd").rglob("*") if path.suffix == ".sh"} <= names


def test_the_installed_command_knows_its_version(installed: Environment) -> None:
    assert installed.provd("--version").split()[-1] == VERSION


def test_shipped_folders_are_those_of_the_installation(installed: Environment, request: pytest.FixtureRequest) -> None:
    told = installed.run("""
        import provd
        from provd.shipped import KINDS, shipped_dir
        print(provd.__file__, *(shipped_dir(kind) for kind in KINDS), sep="\\n")
    """)
    module, *folders = (Path(line) for line in told.splitlines())
    editable = "editable" in request.node.name
    assert module.is_relative_to(ROOT if editable else installed.folder)
    root = ROOT if editable else module.parent / "_shipped"
    assert folders == [root / kind for kind in KINDS]


def test_a_check_finds_plugins_distros_and_profiles(installed: Environment, tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    findings = json.loads(installed.provd("check", "--config", server.config, "-o", "json"))
    texts = {row["text"] for row in findings if row["level"] == "info"}
    assert any(text.startswith("plugins: relay, pxelinux, grub_efi") for text in texts), findings
    assert [row for row in findings if row["level"] == "error"] == []


def test_the_service_runs_and_calls_plugins_of_every_origin(installed: Environment, server: RunningServer) -> None:
    assert get(server, "acme") == (200, "hello")
    assert get(server, "dropped") == (200, "by hand")
    assert get(server, "nosuch") == (404, "")
    rows = json.loads(installed.provd("--config", server.config, "plugin", "list", "-o", "json"))
    origins = {row["name"]: (row["origin"], row["version"]) for row in rows if row["enabled"]}
    assert origins["acme"] == ("entry point acme-provd", "1.2")
    assert origins["dropped"][0] == str(server.folder / "plugins")
    assert origins["pxelinux"][0] == "shipped"
    assert server.stop() == 0


def test_objects_of_every_layer_are_in_the_catalogue(installed: Environment, server: RunningServer) -> None:
    rows = json.loads(installed.provd("--config", server.config, "profile", "list", "-o", "json"))
    names = {row["name"] for row in rows}
    # Profiles without a distro can only be inherited.
    shipped = {path.stem for path in (ROOT / "profiles").glob("*.toml")} - {"base"}
    assert {"acme-1", *shipped} <= names

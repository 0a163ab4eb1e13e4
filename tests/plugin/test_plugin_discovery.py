"""Where plugins come from, and whom provd trusts to bring them (security rows C12 and C28)."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from provd.plugin.discovery import discover, select_enabled
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.shipped import shipped_dir
from tests.fakes.plugin_world import dhcp_request, host_of

SOURCE = """
from provd.plugin.api import Plugin, Settings, hookimpl

class Nothing(Settings, frozen=True):
    label: str = "dropped"

class Made:
    def __init__(self, settings):
        self.label = settings.label

    @hookimpl
    def provd_dhcp_labels(self, request):
        return [self.label]

PLUGIN = Plugin(name="NAME", settings=Nothing, build=Made)
"""


def drop(folder: Path, name: str, source: str = SOURCE) -> Path:
    folder.mkdir(mode=0o755, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(source.replace("NAME", name))
    path.chmod(0o644)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    return folder


def test_a_dropped_file_is_found_and_called(empty: Path, tmp_path: Path) -> None:
    path = drop(tmp_path / "site", "mine")
    found = discover(empty, [tmp_path / "site"])
    assert found["mine"].path == path
    assert found["mine"].origin == str(tmp_path / "site")
    assert host_of(found["mine"]).labels(dhcp_request()) == {"dropped"}


def test_a_folder_with_submodules_is_one_plugin(empty: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site" / "large"
    folder.mkdir(parents=True, mode=0o755)
    (folder / "part.py").write_text('LABEL = "from a part"\n')
    (folder / "__init__.py").write_text(
        SOURCE.replace("NAME", "large")
        .replace('"dropped"', "LABEL")
        .replace("\nfrom", "\nfrom .part import LABEL\nfrom", 1)
    )
    found = discover(empty, [tmp_path / "site"])
    assert host_of(found["large"]).labels(dhcp_request()) == {"from a part"}


def test_what_is_not_enabled_is_never_run(empty: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    drop(tmp_path / "site", "trap", f"open({str(marker)!r}, 'w')")
    drop(tmp_path / "site", "mine")
    found = discover(empty, [tmp_path / "site"])
    host_of(*select_enabled(found, ["mine"]))
    assert not marker.exists()
    assert sorted(found) == sorted(["mine", "trap", *[n for n in found if n not in {"mine", "trap"}]])


def test_hidden_and_other_files_are_no_plugins(empty: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    drop(site, "_private")
    drop(site, ".hidden")
    (site / "README.md").write_text("x")
    (site / "folder").mkdir()
    assert not set(discover(empty, [site])) & {"_private", ".hidden", "README", "folder"}


def test_the_same_name_twice_names_both_files(empty: Path, tmp_path: Path) -> None:
    one, two = drop(empty, "mine"), drop(tmp_path / "site", "mine")
    with pytest.raises(PluginError) as caught:
        discover(empty, [tmp_path / "site"])
    assert str(caught.value) == (
        f"plugin mine: two plugins have this name: {one} (shipped) and {two} ({tmp_path / 'site'})"
    )


def test_enabled_list_is_checked_and_ordered(empty: Path) -> None:
    for name in ("alpha", "beta"):
        drop(empty, name)
    found = discover(empty, [])
    assert [one.name for one in select_enabled(found, ["beta", "alpha"])] == ["beta", "alpha"]
    with pytest.raises(PluginError, match=r"plugin alpah: it is enabled, but nobody provides it; did you mean alpha\?"):
        select_enabled(found, ["alpah"])
    with pytest.raises(PluginError, match="plugin alpha: it is enabled twice"):
        select_enabled(found, ["alpha", "alpha"])


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import no_such_library_here", "ModuleNotFoundError: No module named 'no_such_library_here'"),
        ("x = (", "line 1: it cannot be imported: SyntaxError"),
        ("raise SystemExit(1)", "it cannot be imported: SystemExit: 1"),
        ("x = 1", "there is no PLUGIN = Plugin(...) in it"),
        (SOURCE.replace("NAME", "other"), "PLUGIN.name is 'other'"),
    ],
)
def test_an_import_that_fails_names_the_file(empty: Path, tmp_path: Path, source: str, sentence: str) -> None:
    path = drop(tmp_path / "site", "mine", source)
    found = discover(empty, [tmp_path / "site"])
    before = set(sys.modules)
    with pytest.raises(PluginError) as caught:
        host_of(found["mine"])
    assert str(caught.value).startswith(f"plugin mine: {path}")
    assert sentence in str(caught.value)
    assert sentence.startswith(("there is", "PLUGIN")) or set(sys.modules) == before


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_c12_a_directory_others_may_write_to_is_refused(empty: Path, tmp_path: Path, mode: int) -> None:
    drop(tmp_path / "site", "mine")
    (tmp_path / "site").chmod(mode)
    with pytest.raises(PluginError, match=f"may be written by group or others .mode {mode:04o}.; use chmod go-w"):
        discover(empty, [tmp_path / "site"])


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_c12_a_file_others_may_write_to_is_refused(empty: Path, tmp_path: Path, mode: int) -> None:
    drop(tmp_path / "site", "mine").chmod(mode)
    with pytest.raises(PluginError, match=r"mine\.py may be written by group or others"):
        host_of(discover(empty, [tmp_path / "site"])["mine"])


def test_c12_a_part_others_may_write_to_is_refused(empty: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site" / "large"
    folder.mkdir(parents=True, mode=0o755)
    (folder / "__init__.py").write_text(SOURCE.replace("NAME", "large"))
    (folder / "part.py").write_text("")
    (folder / "part.py").chmod(0o666)
    with pytest.raises(PluginError, match=r"part\.py may be written by group or others"):
        host_of(discover(empty, [tmp_path / "site"])["large"])


def make_foreign(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root gives the file away; anybody else becomes somebody else."""
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65533)


def test_c12_a_foreign_file_is_refused(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(tmp_path / "site", "mine")
    found = discover(empty, [tmp_path / "site"])["mine"]
    make_foreign(path, monkeypatch)
    with pytest.raises(PluginError, match=r"belongs to user \d+; it must be root or the service user"):
        host_of(found)


def test_c12_a_foreign_directory_is_refused(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(tmp_path / "site", "mine")
    make_foreign(tmp_path / "site", monkeypatch)
    with pytest.raises(PluginError, match=r"belongs to user \d+; it must be root or the service user"):
        discover(empty, [tmp_path / "site"])


def test_c12_a_link_counts_as_what_it_leads_to(empty: Path, tmp_path: Path) -> None:
    target = drop(tmp_path / "elsewhere", "mine")
    target.chmod(0o666)
    (tmp_path / "site").mkdir(mode=0o755)
    (tmp_path / "site" / "mine.py").symlink_to(target)
    with pytest.raises(PluginError, match="may be written by group or others"):
        host_of(discover(empty, [tmp_path / "site"])["mine"])


def test_a_missing_directory_is_a_sentence(empty: Path, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="the plugin directory cannot be read: No such file"):
        discover(empty, [tmp_path / "none"])
    (tmp_path / "file").touch()
    with pytest.raises(PluginError, match="it is not a directory"):
        discover(empty, [tmp_path / "file"])


def test_c28_origin_version_and_hash_are_known_without_importing(empty: Path, tmp_path: Path) -> None:
    path = drop(tmp_path / "site", "trap", "raise RuntimeError")
    found = discover(empty, [tmp_path / "site"])["trap"]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.version == ""
    folder = tmp_path / "site" / "large"
    folder.mkdir(mode=0o755)
    (folder / "__init__.py").write_text("")
    large = discover(empty, [tmp_path / "site"])["large"]
    before = large.sha256
    (folder / "template.j2").write_text("changed")
    assert large.sha256 != before


def entry_point(folder: Path, lines: str) -> None:
    info = folder / "acme_provd-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-provd\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(lines)


def test_an_installed_package_announces_its_plugin(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    entry_point(packages, "[provd.plugins]\nacme = acme_provd_test:PLUGIN\n")
    module = packages / "acme_provd_test.py"
    module.write_text(SOURCE.replace("NAME", "acme"))
    monkeypatch.syspath_prepend(str(packages))
    found = discover(empty, [])["acme"]
    assert (found.origin, found.version, found.path) == ("entry point acme-provd", "1.2", module)
    assert found.sha256 == hashlib.sha256(module.read_bytes()).hexdigest()
    assert host_of(found).labels(dhcp_request()) == {"dropped"}
    drop(empty, "acme")
    with pytest.raises(
        PluginError, match=r"two plugins have this name: .*acme\.py \(shipped\) and .*\(entry point acme"
    ):
        discover(empty, [])


def test_an_editable_install_shows_the_files_where_they_are(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages, sources = tmp_path / "packages", tmp_path / "sources"
    entry_point(packages, "[provd.plugins]\nacme = acme_provd_edit.inner:PLUGIN\n")
    package = sources / "acme_provd_edit"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('code of a plugin that is not enabled ran')")
    (package / "inner.py").write_text(SOURCE.replace("NAME", "acme"))
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.syspath_prepend(str(sources))
    found = discover(empty, [])["acme"]
    assert found.path == package / "inner.py"
    assert found.sha256 == hashlib.sha256((package / "inner.py").read_bytes()).hexdigest()


def test_an_entry_point_that_cannot_be_loaded_is_a_sentence(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    entry_point(packages, "[provd.plugins]\nacme = acme_provd_gone:PLUGIN\n")
    monkeypatch.syspath_prepend(str(packages))
    with pytest.raises(
        PluginError, match="plugin acme: entry point acme_provd_gone:PLUGIN cannot be loaded: ModuleNot"
    ):
        host_of(discover(empty, [])["acme"])


def test_shipped_folders() -> None:
    assert (shipped_dir("plugins") / "static_files.py").is_file()
    with pytest.raises(ValueError, match="'elephants' does not ship with provd"):
        shipped_dir("elephants")


def test_every_shipped_plugin_loads() -> None:
    for found in discover(shipped_dir("plugins"), []).values():
        assert found.plugin.name == found.name
        assert len(found.sha256) == 64


def test_what_cannot_be_used_is_told_and_the_rest_is_found(tmp_path: Path) -> None:
    empty, good, open_to_all = (tmp_path / name for name in ("empty", "good", "open"))
    for folder in (empty, good, open_to_all):
        folder.mkdir(mode=0o755)
    open_to_all.chmod(0o777)
    for place in (good / "mine.py", open_to_all / "theirs.py"):
        place.write_text("PLUGIN = None\n")
        place.chmod(0o644)
    told: list[PluginFault] = []
    found = discover(empty, [good, open_to_all, tmp_path / "gone", good], told.append)
    chosen = select_enabled(found, ["mine", "theirs", "mine"], told.append)
    assert ([one.name for one in chosen], "theirs" in found) == (["mine"], False)
    where = f"{good / 'mine.py'} ({good})"
    assert [str(fault) for fault in told] == [
        f"{open_to_all} may be written by group or others (mode 0777); use chmod go-w; its plugins are off",
        f"{tmp_path}/gone: the plugin directory cannot be read: No such file or directory; its plugins are off",
        f"plugin mine: two plugins have this name: {where} and {where}; the first is used",
        "plugin theirs: it is enabled, but nobody provides it; there are mine; the plugin is off",
        "plugin mine: it is enabled twice; the list of enabled plugins is their order; the first is used",
    ]

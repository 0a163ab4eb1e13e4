"""Cobbler's collections become files of provd, and a report says what did not map."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provd.api.cobbler.migration import migrate
from provd.cli.migrate import migrate as provd_migrate
from provd.config.catalogue import Catalogue
from provd.config.layers import Layer
from provd.config.system_document import systems_of

MAC = "52:54:00:00:00:01"
COMMON = {"ctime": 1.0, "mtime": 2.0, "depth": 1, "uid": "abc", "comment": "", "owners": ["admin"]}
NEW: dict[str, list[dict[str, Any]]] = {
    "distros": [{"name": "el9", "arch": "x86_64", "breed": "redhat", "os_version": "rhel9", "kernel": "/srv/vmlinuz",
                 "initrd": "/srv/initrd.img", "kernel_options": {"quiet": "~"},
                 "autoinstall_meta": {"tree": "http://192.0.2.1/el9"}, "mgmt_classes": [], **COMMON}],
    "profiles": [{"name": "web", "distro": "el9", "kernel_options": {"console": ["tty0", "ttyS0"]}, "virt_ram": 2048,
                  "autoinstall": "sample.ks", "parent": "", **COMMON},
                 {"name": "web-child", "distro": "el9", "parent": "web", "autoinstall_meta": {"colour": "red"}, **COMMON}],
    "systems": [{"name": "web1", "profile": "web-child", "hostname": "web1.example.org", "netboot_enabled": False,
                 "gateway": "10.0.0.1", "power_pass": "geheim", "nosuch": 1, "serial_baud_rate": 9600,
                 "interfaces": {"eth0": {"mac_address": MAC, "ip_address": "10.0.0.9", "netmask": "255.255.255.0",
                                         "static": True}, "eth1": {"mac_address": ""}}, **COMMON},
                {"name": "vm", "image": "iso", "profile": "", "interfaces": {}, **COMMON}],
    "repos": [{"name": "epel", **COMMON}],
}  # fmt: skip
OLD: dict[str, list[dict[str, Any]]] = {
    "distros": [{"name": "el6", "arch": "x86_64", "breed": "redhat", "os_version": "rhel6", "kernel": "/srv/vmlinuz",
                 "initrd": "/srv/initrd.img", "ks_meta": {"tree": "http://192.0.2.1/el6"}, "kernel_options": {}, **COMMON}],
    "profiles": [{"name": "old", "distro": "el6", "kickstart": "/var/lib/cobbler/kickstarts/x.ks", "ks_meta": {"a": "b"},
                  "enable_gpxe": True, **COMMON}],
    "systems": [{"name": "s1", "profile": "old", "ks_meta": {"role": "db"}, "kickstart": "<<inherit>>",
                 "interfaces": {"eth0": {"mac_address": MAC, "ip_address": "10.0.0.9", "subnet": "255.255.255.0"}},
                 **COMMON}],
}  # fmt: skip


def collections(root: Path, items: dict[str, list[dict[str, Any]]], place: str) -> Path:
    for kind, some in items.items():
        folder = root / place.format(kind=kind)
        folder.mkdir(parents=True)
        for one in some:
            (folder / f"{one['name']}.json").write_text(json.dumps(one))
    return root


def plain(value: Any) -> Any:
    return value


def test_collections_of_3_become_a_catalogue_that_loads(tmp_path: Path) -> None:
    folder = collections(tmp_path / "cobbler", NEW, "collections/{kind}")
    done = CliRunner().invoke(provd_migrate, ["cobbler", str(folder), "--to", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    assert "1 distros, 2 profiles, 1 systems" in done.output
    catalogue = Catalogue.load([Layer("site", tmp_path / "site")])
    assert [str(problem) for problem in catalogue.problems] == []
    profile = catalogue.profiles["web-child"]
    assert profile.kernel_args == ("quiet", "console=tty0", "console=ttyS0")
    assert (profile.distro.tree, profile.distro.installer) == ("http://192.0.2.1/el9", "kickstart")
    assert profile.vars["colour"] == "red"
    assert plain(profile.vars["cobbler"])["virt_ram"] == 2048
    (system,) = systems_of((tmp_path / "site" / "systems.toml").read_text())
    assert (system.hostname, system.netboot, system.profile) == ("web1.example.org", False, "web-child")
    assert [(card.name, str(card.mac), str(card.address)) for card in system.interfaces] == [("eth0", MAC, "10.0.0.9")]
    assert plain(system.vars["cobbler"])["interfaces"]["eth0"] == {"netmask": "255.255.255.0", "static": True}


def test_repos_menus_and_images_come_over_and_profiles_name_only_those(tmp_path: Path) -> None:
    more: dict[str, list[dict[str, Any]]] = {
        **NEW,
        "repos": [{"name": "epel", **COMMON}, {"name": "tools", "mirror": "http://192.0.2.1/t", "breed": "apt",
                   "apt_dists": ["bookworm"], "yumopts": {"gpgcheck": "0"}, **COMMON}],
        "menus": [{"name": "top", "display_name": "Top", "parent": "", **COMMON}, {"name": "sub", "parent": "top", **COMMON}],
        "images": [{"name": "rescue", "file": "/srv/r.iso", "image_type": "iso", "menu": "sub", **COMMON}],
        "profiles": [{"name": "web", "distro": "el9", "repos": ["epel", "tools"], "menu": "gone", **COMMON},
                     {"name": "web-child", "distro": "el9", "parent": "web", "menu": "sub", **COMMON}],
    }  # fmt: skip
    folder = collections(tmp_path / "cobbler", more, "collections/{kind}")
    done = CliRunner().invoke(provd_migrate, ["cobbler", str(folder), "--to", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    catalogue = Catalogue.load([Layer("site", tmp_path / "site")])
    assert [str(problem) for problem in catalogue.problems] == []
    repo = catalogue.sources.good("repos")["tools"].value
    assert (repo.url, repo.kind, repo.suites) == ("http://192.0.2.1/t", "apt", ("bookworm",))
    assert plain(repo.vars["cobbler"]) == {"yumopts": {"gpgcheck": "0"}}
    assert catalogue.sources.good("menus")["sub"].value.parent == "top"
    assert catalogue.sources.good("images")["rescue"].value.kind == "iso"
    assert catalogue.sources.good("profiles")["web"].value.repos == ("tools",)
    assert catalogue.sources.good("profiles")["web-child"].value.menu == "sub"
    for sentence in ("there is no repo epel here", "there is no menu gone here", "it has no mirror"):
        assert sentence in done.output


def test_collections_of_2_8_are_read_by_their_old_names(tmp_path: Path) -> None:
    found = migrate(collections(tmp_path, OLD, "config/{kind}.d"))
    assert found.counts == {"distro": 1, "profile": 1, "system": 1}
    assert 'tree = "http://192.0.2.1/el6"' in found.files["distros/el6.toml"]
    assert 'autoinstall = "/var/lib/cobbler/kickstarts/x.ks"' in found.files["profiles/old.toml"]
    (system,) = systems_of(found.systems)
    assert system.vars["role"] == "db"
    assert plain(system.vars["cobbler"])["interfaces"]["eth0"] == {"netmask": "255.255.255.0"}


def test_the_report_names_what_did_not_map(tmp_path: Path) -> None:
    folder = collections(tmp_path / "cobbler", NEW, "collections/{kind}")
    (folder / "collections/systems/broken.json").write_text("{")
    (folder / "collections/systems/bad.json").write_text('{"name": "../x"}')
    done = CliRunner().invoke(provd_migrate, ["cobbler", str(folder), "--dry-run", "-o", "json"])
    told = {(row["kind"], row["name"], row["attribute"]): row["outcome"] for row in json.loads(done.stdout)["rows"]}
    assert told["system", "web1", "nosuch"] == "left out"
    assert told["system", "web1", "gateway"] == "kept"
    assert told["repo", "epel", ""] == "left out"
    assert told["system", "vm", ""] == "left out"
    assert told["system", "broken", ""] == "unread"
    assert told["system", "bad", ""] == "left out"
    assert "geheim" not in done.output
    assert not Path("cobbler-site").exists()


def a_file(place: Path) -> None:
    place.write_text("{}")


def a_circle(place: Path) -> None:
    place.symlink_to(place.name)


def a_dead_link(place: Path) -> None:
    place.symlink_to("gone")


@pytest.mark.parametrize("spoilt", [a_file, a_circle, a_dead_link])
def test_a_collection_that_cannot_be_read_is_told_and_the_rest_comes_over(
    tmp_path: Path, spoilt: Callable[[Path], None]
) -> None:
    folder = collections(tmp_path / "cobbler", {**NEW, "systems": []}, "collections/{kind}")
    (folder / "collections/systems").rmdir()
    spoilt(folder / "collections/systems")
    done = CliRunner().invoke(provd_migrate, ["cobbler", str(folder), "--to", str(tmp_path / "site")])
    assert "unread    system collections/systems: cannot be read: " in done.stdout
    assert "1 distros, 2 profiles, 0 systems" in done.stdout
    assert (done.exit_code, "1 collection or file could not be read" in done.stderr) == (1, True)
    assert (tmp_path / "site/profiles/web.toml").exists()


def test_an_item_that_cannot_be_read_is_told_and_the_command_fails(tmp_path: Path) -> None:
    folder = collections(tmp_path / "cobbler", NEW, "collections/{kind}")
    (folder / "collections/systems/broken.json").write_text("{")
    done = CliRunner().invoke(provd_migrate, ["cobbler", str(folder), "--dry-run", "-o", "json"])
    rows = [row for row in json.loads(done.stdout)["rows"] if row["outcome"] == "unread"]
    assert [(row["kind"], row["name"]) for row in rows] == [("system", "broken")]
    assert (done.exit_code, "1 collection or file could not be read" in done.stderr) == (1, True)


def test_nothing_is_overwritten_and_a_folder_without_collections_is_refused(tmp_path: Path) -> None:
    folder = collections(tmp_path / "cobbler", NEW, "collections/{kind}")
    (tmp_path / "site").mkdir()
    done = CliRunner().invoke(provd_migrate, ["cobbler", str(folder), "--to", str(tmp_path / "site")])
    assert done.exit_code == 1
    assert "is there already" in done.output
    with pytest.raises(FileNotFoundError, match="no collections"):
        migrate(tmp_path / "site")

"""What a rehearsal takes from a site, and what it leaves there."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.config.settings import load
from provd.lab.demo_screen import Screen
from provd.lab.errors import LabError
from provd.lab.rehearsal import Rehearsal, rehearse, steps_of
from provd.lab.rehearsal_site import MAC, SYSTEM, write_site

TOML = """\
data_dir = "data"
site_dir = "site"
enabled = ["pxelinux", "installer_image", "trigger_script", "unknown_machines", "serial_console"]
critical = ["trigger_script"]
api_writes = true

[[interface]]
name = "eth7"

[[subnet]]
network = "192.0.2.0/24"
pool = "192.0.2.10-192.0.2.20"

[listen]
http_port = 8080

[api]
enabled = true

[defaults.answers]
timezone = "Europe/Berlin"

[[plugins.trigger_script.scripts]]
name = "tell"
on = ["install.finished"]
argv = ["/bin/true"]

[plugins.pxelinux]
transport = "tftp"
"""


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for path, text in {
        "provd.toml": TOML,
        "site/profiles/mine.toml": 'parent = "debian-12-image-minimal"\n',
        "site/systems/web1.toml": 'profile = "mine"\n[[interface]]\nmac = "52:54:00:00:00:01"\n',
        "site/templates/x.j2": "x",
        "data/payload/loaders/pxelinux.0": "loader",
        "data/provd.db": "secret",
        "data/payload/.half": "half",
    }.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    return home / "provd.toml"


def test_what_acts_outside_and_the_sites_own_machines_stay_out(origin: Path, tmp_path: Path) -> None:
    made = write_site(origin, "mine", tmp_path / "run", tmp_path / "s.sock")
    config = load(made.config)
    assert config.enabled == ("pxelinux", "installer_image", "serial_console")
    assert made.left_out == ("trigger_script", "unknown_machines")
    assert (config.critical, config.api.enabled, config.api_writes, config.listen.http_port) == ((), False, False, 80)
    assert [str(subnet.network) for subnet in config.subnets] == ["10.77.0.0/24"]
    assert config.plugins == {"pxelinux": {"transport": "tftp"}}
    assert config.defaults.answers == {"timezone": "Europe/Berlin"}
    site = tmp_path / "run" / "site"
    assert sorted(path.name for path in (site / "systems").iterdir()) == [f"{SYSTEM}.toml"]
    assert MAC in (site / "systems" / f"{SYSTEM}.toml").read_text()
    assert (site / "templates" / "x.j2").read_text() == "x"


def test_payloads_are_linked_and_the_store_is_not(origin: Path, tmp_path: Path) -> None:
    write_site(origin, "mine", tmp_path / "run", tmp_path / "s.sock")
    data = tmp_path / "run" / "data"
    linked = data / "payload" / "loaders" / "pxelinux.0"
    assert linked.stat().st_ino == (origin.parent / "data/payload/loaders/pxelinux.0").stat().st_ino
    assert sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()) == [
        "payload/loaders/pxelinux.0"
    ]


def test_a_configuration_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "provd.toml").write_text("data_dir = \n")
    with pytest.raises(LabError, match=r"provd\.toml"):
        write_site(tmp_path / "provd.toml", "x", tmp_path / "run", tmp_path / "s")
    with pytest.raises(LabError, match=r"nowhere\.toml"):
        write_site(tmp_path / "nowhere.toml", "x", tmp_path / "other", tmp_path / "s")


def test_without_qemu_it_says_so(origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LabError, match="needs QEMU"):
        rehearse(Rehearsal("mine", origin), Screen())
    monkeypatch.undo()
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/qemu-system-x86_64")
    with pytest.raises(LabError, match="is not empty"):
        rehearse(Rehearsal("mine", origin), Screen(), keep=origin.parent)


def test_the_time_for_the_installation_is_the_operators() -> None:
    steps = {step.key: step for step in steps_of(Rehearsal("x", Path("y"), limit_s=7))}
    assert steps["finished"].limit_s == 7.0
    assert "ssh" not in steps
    assert list(steps)[-1] == "local"

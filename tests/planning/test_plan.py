"""``provd plan``: what a changed site would do to every machine, told once for machines that are alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provd.commands import command_line
from provd.model.system import System
from provd.planning.outcome import Outcome, Side
from tests.fakes.fake_packages import script
from tests.fakes.simulated_server import SimulatedServer


class Site:
    """A site of ten machines in files, and a changed copy of it."""

    def __init__(self, root: Path) -> None:
        SimulatedServer(root)
        self.root, self.site, self.changed = root, root / "site", root / "changed"
        (self.site / "systems").mkdir()
        for number in range(10):
            profile = "web" if number < 7 else "ks"
            text = f'profile = "{profile}"\n[[interface]]\nmac = "52:54:00:00:00:{number:02x}"\n'
            (self.site / "systems" / f"m{number}.toml").write_text(text)
        shutil.copytree(self.site, self.changed)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.changed / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def plan(self, *words: str) -> Result:
        where = words or (str(self.changed),)
        return CliRunner().invoke(command_line(), ["plan", *where, "--config", str(self.root / "provd.toml")])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_nothing_changes_where_nothing_was_changed(site: Site) -> None:
    done = site.plan()
    assert (done.exit_code, done.output) == (0, "no machine would notice\n")


def test_a_comment_or_an_order_changes_nothing(site: Site) -> None:
    path = site.changed / "profiles/web.toml"
    path.write_text("# a comment\n" + path.read_text())
    assert site.plan().exit_code == 0


def test_a_changed_answer_is_told_once_for_all_machines_of_its_profile(site: Site) -> None:
    site.edit("profiles/web.toml", "Europe/Berlin", "Europe/Paris")
    done = site.plan("-o", "json", str(site.changed))
    assert done.exit_code == 2
    (change,) = json.loads(done.output)
    assert change["systems"] == [f"m{number}" for number in range(7)]
    assert "answers.timezone: 'Europe/Berlin' -> 'Europe/Paris'" in change["lines"]
    assert any(line.strip().startswith("+d-i time/zone") for line in change["lines"])


def test_kernel_arguments_and_loaders(site: Site) -> None:
    site.edit("profiles/ks.toml", "[answers]", 'kernel_args = ["debug"]\nboot_loaders = ["pxelinux"]\n[answers]')
    done = site.plan()
    assert done.exit_code == 2
    assert done.output.startswith("changed: m7, m8, m9\n")
    assert "boot loader (x64-uefi): 'grub_efi shimx64.efi' -> (none)" in done.output
    assert "debug" in done.output
    assert done.output.endswith("3 machines would notice\n")


def test_machines_that_come_go_and_change(site: Site) -> None:
    (site.changed / "systems/m0.toml").unlink()
    (site.changed / "systems/new.toml").write_text('profile = "web"\n[[interface]]\nmac = "52:54:00:00:01:00"\n')
    site.edit("systems/m1.toml", 'profile = "web"', 'profile = "ks"')
    told = {(row["kind"], *row["systems"]) for row in json.loads(site.plan("-o", "json", str(site.changed)).output)}
    assert told == {("removed", "m0"), ("added", "new"), ("changed", "m1")}


def test_a_template_of_the_site_counts(site: Site) -> None:
    template = site.changed / "templates/preseed/late.sh"
    template.parent.mkdir(parents=True)
    template.write_text("#!/bin/sh\nreboot\n")
    done = site.plan()
    assert done.exit_code == 2
    assert "answer file late.sh:" in done.output


def test_machines_of_the_store_come_from_an_export(site: Site, tmp_path: Path) -> None:
    export = tmp_path / "all.toml"
    export.write_text(
        '[system.db1]\nprofile = "web"\n[[system.db1.interface]]\nname = "eth0"\nmac = "52:54:00:00:02:00"\n'
    )
    site.edit("profiles/web.toml", "Europe/Berlin", "Europe/Paris")
    done = site.plan(str(site.changed), "--systems", str(export), "-o", "json")
    assert "db1" in json.loads(done.output)[0]["systems"]


def test_without_a_machine_nothing_counts_as_compared(site: Site) -> None:
    for folder in (site.site, site.changed):
        shutil.rmtree(folder / "systems")
    site.edit("profiles/web.toml", "Europe/Berlin", "Europe/Paris")
    done = site.plan()
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: there is no machine to look at: those of the store come with --systems\n"


@pytest.mark.parametrize(
    ("octets", "rule"),
    [
        (b"a = 1\n\xff", ":2: is not UTF-8 text"),
        (b"[system.x]\nprofil = 1", ": system.x.profil: unknown key; did you mean 'profile'?"),
        (b"x", ":1: is not TOML"),
        (None, ": cannot be read: No such file or directory"),
    ],
)
def test_an_export_that_cannot_be_read_is_one_sentence(site: Site, octets: bytes | None, rule: str) -> None:
    file = site.root / "all.toml"
    if octets is not None:
        file.write_bytes(octets)
    done = site.plan(str(site.changed), "--systems", str(file))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"Error: {file}{rule}")


def test_an_export_may_be_larger_than_a_file_that_people_write(site: Site) -> None:
    file = site.root / "all.toml"
    card = '[system.s%d]\nprofile = "web"\n[[system.s%d.interface]]\nname = "eth0"\nmac = "52:54:00:01:00:00"\n'
    file.write_text(card % (1, 1) + "# a comment\n" * 100_000)
    assert site.plan(str(site.changed), "--systems", str(file)).exit_code == 0


def test_a_git_revision_is_what_there_was(site: Site) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "safe.directory=*"]
        subprocess.run(["git", *identity, "-C", str(site.site), *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    assert site.plan("--rev", "HEAD").exit_code == 0
    profile = site.site / "profiles/web.toml"
    profile.write_text(profile.read_text().replace("Europe/Berlin", "Asia/Tokyo"))
    done = site.plan("--rev", "HEAD")
    assert (done.exit_code, "'Europe/Berlin' -> 'Asia/Tokyo'" in done.output) == (2, True)
    done = site.plan("--rev", "nosuch")
    assert done.exit_code == 1
    assert "nosuch" in done.output


def test_what_git_refuses_is_told_from_its_first_word(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a repository of another user the last line is only what may be typed."""
    said = "fatal: detected dubious ownership\\nTo add:\\n\\n\\tgit config x\\n"
    git = script(site.root / "git", f"printf '{said}' >&2; exit 128")
    monkeypatch.setattr("provd.planning.command.shutil.which", lambda _name: git)
    done = site.plan("--rev", "HEAD")
    assert f"{site.site} at HEAD: detected dubious ownership To add: git config x" in done.output


def test_nothing_is_written(site: Site) -> None:
    site.edit("profiles/web.toml", "Europe/Berlin", "Europe/Paris")
    before = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()}
    site.plan()
    assert {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file()} == before


def test_secrets_are_not_shown(site: Site) -> None:
    site.edit("profiles/ks.toml", "$6$x", "$6$another")
    done = site.plan()
    assert "$6$" not in done.output


def test_a_broken_site_is_one_sentence_and_nothing_is_compared(site: Site) -> None:
    site.edit("profiles/web.toml", 'distro = "deb"', 'distro = "nope"')
    done = site.plan()
    assert done.exit_code == 1
    assert "web.toml" in done.output
    assert "nothing was compared" in done.output
    assert done.output.count("\n") == 1
    assert site.plan(str(site.root / "nowhere")).exit_code == 1
    assert site.plan("--rev", "HEAD", str(site.changed)).exit_code == 2
    assert site.plan("--rev=--output=x").exit_code == 1


def test_machines_at_ports_of_relays_are_looked_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        for folder in (site.site, site.changed):
            text = f'profile = "web"\ncircuit_id = "port{number}"\n'
            (folder / "systems" / f"p{number}.toml").write_text(text)
    asked: list[str] = []
    outcome = Side.outcome

    def counted(side: Side, system: System) -> Outcome:
        asked.append(system.name)
        return outcome(side, system)

    monkeypatch.setattr(Side, "outcome", counted)
    site.edit("profiles/web.toml", "Europe/Berlin", "Europe/Paris")
    done = site.plan("-o", "json", str(site.changed))
    (change,) = json.loads(done.output)
    assert len(change["systems"]) == 12
    assert [name for name in asked if name.startswith("p")] == ["p0", "p0"]

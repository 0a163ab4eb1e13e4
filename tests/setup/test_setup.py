"""The set-up of a machine: what it installs, what it never installs, and what it leaves as it was."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from provd.lab.setup import DAEMON_PACKAGES, install_command, no_services, packages_missing, packages_wanted, stamp_of
from provd.lab.unpacked import NEEDS

ROOT = Path(__file__).resolve().parents[2]


def test_no_package_with_a_service_is_installed_by_name() -> None:
    assert DAEMON_PACKAGES.isdisjoint(packages_wanted())


def test_what_is_unpacked_is_never_installed() -> None:
    assert set(NEEDS).isdisjoint(packages_wanted())


@pytest.mark.build
def test_no_package_with_a_service_comes_in_as_a_dependency() -> None:
    # An empty status file makes apt plan for a machine on which nothing is installed.
    command = [*install_command(packages_wanted()), "--simulate", "-o", "Dir::State::status=/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    planned = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("Inst ")}
    assert {"qemu-system-x86", "ovmf", "mmdebstrap"} <= planned
    assert DAEMON_PACKAGES.isdisjoint(planned)


def test_what_was_installed_here_holds_no_service() -> None:
    record = ROOT / ".lab" / "installed-packages.txt"
    installed = record.read_text().split() if record.exists() else []
    assert DAEMON_PACKAGES.isdisjoint(installed)


def test_apt_neither_adds_recommended_packages_nor_removes_any() -> None:
    command = install_command(["ovmf"])
    assert {"--no-install-recommends", "--no-remove"} <= set(command)


def test_services_are_forbidden_while_packages_are_installed(tmp_path: Path) -> None:
    policy = tmp_path / "sbin" / "policy-rc.d"
    with no_services(policy):
        assert subprocess.run([policy, "nginx", "start"], check=False).returncode == 101
    assert not policy.exists()


def test_a_policy_of_the_machine_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    with no_services(policy):
        assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_only_missing_packages_are_missing() -> None:
    assert packages_missing(["dpkg", "no-such-package-here"]) == ("no-such-package-here",)


def test_the_environment_follows_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    before = stamp_of(tmp_path)
    assert stamp_of(tmp_path) == before
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert stamp_of(tmp_path) != before


def test_every_target_of_the_makefile_is_described() -> None:
    # Under `make test` this is a make within a make, which would tell of entering and leaving directories.
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=outer, capture_output=True, text=True, check=True)
    named = {line.split()[1] for line in done.stdout.splitlines()}
    assert named == {"help", "setup", "compiled", "demo", "test", "test-long", "check", "man", "clean"}


def test_continuous_integration_runs_the_documented_command() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"

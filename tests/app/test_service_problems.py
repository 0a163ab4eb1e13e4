"""What `provd check service` and `provd doctor` say of profiles and systems that cannot be installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from provd.app.operations import site_problems
from tests.fakes.simulated_server import SimulatedServer

PROFILE = 'distro = "deb"\n[answers]\ntimezone = "Europe/Berln"\n'
FAULT = "answers.timezone is no time zone of the IANA's list, as Europe/Berlin or Etc/UTC"


def test_wrong_answers_of_a_profile_in_use_are_told(tmp_path: Path) -> None:
    server = SimulatedServer(tmp_path, further={"site/profiles/wrong.toml": PROFILE})
    assert site_problems(server.services) == []
    server.services.systems.add(replace(server.add(), name="web2", interfaces=(), uuid="", profile="wrong"))
    assert site_problems(server.services) == [f"profile wrong: {FAULT}"]


def test_wrong_answers_of_a_system_are_told_with_its_name(tmp_path: Path) -> None:
    server = SimulatedServer(tmp_path)
    made = server.add()
    server.services.systems.edit("web1", replace(made, answers={"timezone": "Europe/Berln"}), expected="")
    assert site_problems(server.services) == [f"system web1: {FAULT}"]


def test_a_fault_of_the_profile_is_not_told_again_of_each_system(tmp_path: Path) -> None:
    server = SimulatedServer(tmp_path, further={"site/profiles/wrong.toml": PROFILE})
    made = server.add()
    edited = replace(made, profile="wrong", answers={"packages": ["htop"]})
    server.services.systems.edit("web1", edited, expected="")
    assert site_problems(server.services) == [f"profile wrong: {FAULT}"]

"""The operation ``lint`` on a whole provd: every shipped profile passes its judge, and what is wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from provd.model.mac import Mac
from provd.model.system import Interface, Link, System
from provd.plugin.contract_install import Finding
from provd.service.answers import shape_fault
from provd.service.operations import OperationError
from provd.service.operations_answers import AnswerPreview
from provd.service.operations_lint import Linter, LintQuery
from provd.service.unread_answers import unread_answers
from provd.testing.runtime import run_now
from provd.testing.world import World
from tests.plugins.test_shipped_answers import catalogue, installers

ENABLED = [
    "pxelinux", "grub_efi", "source_http", "source_mirror", "installer_kickstart", "installer_preseed",
    "installer_autoinstall", "installer_ignition", "installer_alpine", "installer_autoyast", "installer_agama", "installer_image", "installer_plain",
    "install_callbacks",
]  # fmt: skip
FILES: dict[str, bytes | str] = {
    "site/profiles/broken.toml": 'parent = "debian-12-server"\n[templates]\n"preseed.cfg" = "mine.cfg"\n',
    "site/templates/mine.cfg": "d-i debian-installer/locale string {{ nosuch }}\n",
    "site/profiles/refused.toml": 'parent = "rocky-9-server"\n[answers]\ntimezone = "UTC"\nkeyboard = "us"\nlocale = "x y"\n',
    "site/profiles/clear.toml": 'parent = "debian-12-server"\n[answers]\nroot_password_hash = "hunter2"\n',
    "site/profiles/slip.toml": 'parent = "debian-12-server"\n[answers]\ntimezon = "UTC"\nrack_row = "7"\n',
    "site/profiles/nobody.toml": 'parent = "debian-12-minimal"\n[answers]\nusers = []\nroot_ssh_keys = []\n',
}  # fmt: skip


async def at_once(work: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    return work()


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Linter:
    world = World(tmp_path_factory.mktemp("lint"), enabled=ENABLED, files=FILES)
    world.add("web1", profile="debian-12-server")
    bond = (Link("bond0", "bond", ("eth0",)),)
    for name, profile, octet in (("old", "centos-6-server", 6), ("new", "rocky-9-server", 9)):
        card = Interface("eth0", Mac(bytes((2, 0, 0, 0, 1, octet))))
        world.services.systems.add(System(name, profile, (card,), links=bond))
    world.turn()
    services = world.services
    preview = AnswerPreview(
        answers=services.preview_answers(),
        catalogue=lambda: services.current.catalogue,
        systems=services.systems,
        location=services.contents.location,
        subnet_of=lambda _system: None,
        server_of=services.whereabouts.server_of,
        http_port=80,
    )
    return Linter(
        answers=services.preview_answers(),
        plan_of=preview.plan_of,
        catalogue=lambda: services.current.catalogue,
        systems=services.systems,
        in_thread=at_once,
    )


def lint(linter: Linter, **arguments: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run_now(linter.lint(msgspec.convert(arguments, LintQuery)))
    return rows


def test_row34_every_shipped_profile_passes_its_judge(linter: Linter) -> None:
    rows = lint(linter)
    mine = {"broken", "refused", "nobody", "clear"}
    assert {row["profile"] for row in rows} > mine
    assert len({row["profile"] for row in rows}) >= 48
    assert [row for row in rows if row["level"] == "error" and row["profile"] not in mine] == []


def test_a_broken_template_is_told_with_its_variable(linter: Linter) -> None:
    (row,) = lint(linter, profile="broken")
    assert (row["level"], row["document"]) == ("error", "preseed.cfg")
    assert "nosuch" in row["text"]


def test_what_the_judge_refuses_is_an_error(linter: Linter) -> None:
    rows = lint(linter, profile="refused")
    assert rows[0]["level"] == "error"
    assert rows[0]["installer"] == "kickstart"


def test_a_password_in_clear_is_an_error_that_does_not_say_it(linter: Linter) -> None:
    (row,) = lint(linter, profile="clear")
    assert (row["level"], row["document"]) == ("error", "")
    assert row["text"].startswith("answers.root_password_hash is no hash of crypt(5)")
    assert "hunter2" not in row["text"]


def test_a_network_that_the_family_has_no_words_for_is_an_error_of_the_machine(linter: Linter) -> None:
    (row,) = (row for row in lint(linter, system="old") if row["level"] == "error")
    assert row["document"] == "ks.cfg"
    assert row["text"].endswith(": link bond0: Kickstart of version 6 has no place for a bond")
    assert [row for row in lint(linter, system="new") if row["level"] == "error"] == []


def test_a_machine_that_nobody_could_enter_is_a_warning(linter: Linter) -> None:
    rows = lint(linter, profile="nobody")
    assert any("nobody can log in" in row["text"] for row in rows)
    assert all(row["level"] == "warning" for row in rows)


def test_an_answer_that_is_nearly_one_is_told(linter: Linter) -> None:
    told = [row["text"] for row in lint(linter, profile="slip") if "timezon" in row["text"]]
    assert told == ["answers.timezon: the installer preseed reads no answer of this name; did you mean 'timezone'?"]
    assert not any("rack_row" in row["text"] for row in lint(linter, profile="slip"))


def test_nothing_that_ships_has_an_answer_without_a_place(linter: Linter) -> None:
    known = installers()
    told = {
        name: sentences
        for name, profile in catalogue().profiles.items()
        if (one := known.get(profile.installer or profile.distro.installer)) is not None
        and (sentences := list(unread_answers(profile, one, known)))
    }
    assert told == {}


def test_an_answer_file_elsewhere_counts_only_where_the_family_takes_one() -> None:
    known, profile = installers(), catalogue().profiles["debian-12-server"]
    profile = replace(profile, answers={**profile.answers, "external": "http://x", "root_password_hash": "hunter2"})
    assert "root_password_hash is no hash" in shape_fault(known["preseed"], profile)
    assert shape_fault(known["kickstart"], profile) == ""


def test_a_machine_is_judged_with_what_it_says_itself(linter: Linter) -> None:
    assert {row["profile"] for row in lint(linter, system="web1")} == {"debian-12-server"}
    assert lint(linter, profile="web1") == lint(linter, system="web1")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"profile": "nope"}, "there is no profile and no machine nope"),
        ({"system": "nope"}, "nope"),
        ({"system": "web1", "profile": "broken"}, "either a profile or a system"),
    ],
)
def test_what_is_not_there_is_one_sentence(linter: Linter, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        lint(linter, **arguments)

"""Boots over restarts, removals and holds: what is counted, what is kept, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.core.client_facts import client_facts
from provd.model.boot import Action
from provd.model.content import Content, FileRequest, NotFound
from provd.model.profile import BootPolicy
from provd.model.system import InstallState
from provd.service.file_events import FileEvents
from provd.service.sessions import MOST_EVENTS
from provd.testing.samples import shipped_quirks
from provd.wire.packet import DhcpPacket
from tests.fakes.boot_world import ADDRESS, BootWorld

CONFIG = "fake.cfg/default"


@pytest.fixture
def world(tmp_path: Path) -> BootWorld:
    return BootWorld(tmp_path)


def token_of(config: str) -> str:
    return config.split("answer/")[1].split("/")[0]


def fetch(world: BootWorld, *paths: str) -> None:
    """Files that left completely, as the listeners tell of them."""
    events = FileEvents(
        sessions=world.sessions,
        boot_of=world.sessions.of_address,
        is_config=lambda path: path.startswith("fake.cfg/"),
        fetched_all=world.fetched_all,
    )
    for path in paths:
        answer = world.get(path)
        assert isinstance(answer, Content), answer
        events.on_event("tftp.sent", _request(path), {"bytes": answer.length})


def _request(path: str) -> FileRequest:
    return FileRequest("tftp", path, ADDRESS, "10.0.0.1")


def test_a_restart_between_kernel_and_initrd_still_counts_the_attempt(world: BootWorld) -> None:
    boot = world.discover()
    world.text(CONFIG)
    assert boot.plan is not None
    kernel, initrd = boot.plan.kernel, boot.plan.initrd[0]
    fetch(world, kernel)
    world.restart()
    fetch(world, initrd)
    assert world.states.get("web1").attempts == 1


def test_a_restart_in_the_last_allowed_attempt_does_not_hold_the_machine(world: BootWorld) -> None:
    boot = world.discover()
    token = token_of(world.text(CONFIG))
    limit = BootPolicy().max_attempts
    world.states.put("web1", InstallState("installing", attempts=limit, last_session=boot.session.id))
    world.restart()
    assert isinstance(world.post("progress", token=token), Content)
    assert world.states.get("web1").state == "installing"


def test_a_hold_is_decided_in_one_session_however_often_the_firmware_asks(world: BootWorld) -> None:
    world.states.put("web1", InstallState("installing", attempts=BootPolicy().max_attempts))
    first = world.discover()
    assert first.plan is not None
    assert first.plan.action is Action.HOLD
    world.now += 4
    assert world.discover() is first


def test_a_system_removed_in_the_middle_of_its_install_is_refused_after_a_restart(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    world.system = None
    world.restart()
    answer = world.get(f"answer/{token}/answers.cfg")
    assert isinstance(answer, NotFound)
    assert answer.status == 404, answer


def test_a_token_lives_its_whole_time_from_the_last_configuration_on(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    for _ in range(40):
        world.now += 599
        world.discover()
    assert isinstance(world.get(f"answer/{token}/answers.cfg"), NotFound)
    assert token_of(world.text(CONFIG)) == token
    assert isinstance(world.get(f"answer/{token}/answers.cfg"), Content)


def test_rendered_answers_of_a_superseded_boot_leave_the_memory(world: BootWorld) -> None:
    boot = world.discover()
    token = token_of(world.text(CONFIG))
    world.text(f"answer/{token}/answers.cfg")
    assert boot.plan is not None
    fetch(world, boot.plan.kernel)
    world.discover()
    world.installs.tidy()
    assert world.answers.tokens() == frozenset()


def test_rendered_answers_of_a_running_install_stay(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    world.text(f"answer/{token}/answers.cfg")
    world.installs.tidy()
    assert world.answers.tokens() == {token}


def test_a_timeline_has_an_end_however_much_a_machine_sends(world: BootWorld) -> None:
    boot = world.discover()
    for _ in range(MOST_EVENTS + 100):
        world.sessions.note(boot, "dhcp.discover")
    kinds = world.kinds()
    assert len(kinds) == MOST_EVENTS + 1
    assert kinds[-1] == "timeline.full"
    world.sessions.note(boot, "install.finished")
    assert world.kinds()[-1] == "install.finished"


@pytest.mark.parametrize(
    "kind",
    ["config.served", "kernel.fetched", "initrd.fetched", "answer.served", "answer.failed", "install.progress",
     "install.log", "callback.failed"],
)  # fmt: skip
def test_a_machine_that_asks_for_the_same_without_end_fills_no_disk(world: BootWorld, kind: str) -> None:
    boot = world.discover()
    for _ in range(MOST_EVENTS + 100):
        world.sessions.note(boot, kind)
    assert len(world.kinds()) == MOST_EVENTS + 1
    assert world.kinds()[-1] == "timeline.full"
    for end in ("boot.local", "install.failed", "install.firstboot"):
        world.sessions.note(boot, end)
        assert world.kinds()[-1] == end


def test_a_token_in_the_reason_of_a_missed_file_is_no_part_of_the_timeline(world: BootWorld) -> None:
    world.discover()
    events = FileEvents(
        sessions=world.sessions,
        boot_of=world.sessions.of_address,
        is_config=lambda _path: False,
        fetched_all=world.fetched_all,
    )
    path = "Answer/SECRET-TOKEN/answers.cfg"
    events.on_event("tftp.missed", _request(path), {"reason": f"nobody serves {path}", "expected": False})
    assert "SECRET-TOKEN" not in repr(world.events)


def test_boards_whose_maker_left_the_uuid_unset_are_not_one_machine() -> None:
    chaddr = bytes.fromhex("525400000001").ljust(16, b"\0")
    packet = DhcpPacket(1, 1, 6, 0, 1, 0, 0, 0, 0, 0, 0, chaddr, b"", b"", {53: b"\1", 97: b"\0" + b"\xff" * 16})
    assert shipped_quirks().corrected(client_facts(packet)).uuid == ""


def test_the_install_of_a_removed_system_says_nothing_about_its_namesake(world: BootWorld) -> None:
    boot = world.discover()
    token = token_of(world.text(CONFIG))
    world.text(f"answer/{token}/answers.cfg")
    world.installs.revoke("web1")
    answer = world.post("finished", token=token)
    assert isinstance(answer, NotFound)
    assert world.system is not None
    assert world.system.netboot
    assert world.answers.tokens() == frozenset()
    assert world.discover() is not boot


def test_an_attempt_counts_by_its_answers_where_no_transfer_ended_with_its_last_acknowledgement(
    world: BootWorld,
) -> None:
    for attempt in range(1, BootPolicy().max_attempts + 1):
        boot = world.discover()
        token = token_of(world.text(CONFIG))
        world.text(f"answer/{token}/answers.cfg")
        world.text(f"answer/{token}/answers.cfg")
        assert boot.plan is not None
        assert boot.plan.action is Action.INSTALL
        assert world.states.get("web1").attempts == attempt
    held = world.discover()
    assert held.plan is not None
    assert held.plan.action is Action.HOLD


def test_an_install_that_was_fetched_and_answered_is_one_attempt(world: BootWorld) -> None:
    boot = world.discover()
    token = token_of(world.text(CONFIG))
    assert boot.plan is not None
    fetch(world, boot.plan.kernel, *boot.plan.initrd)
    world.text(f"answer/{token}/answers.cfg")
    world.post("started", token=token)
    assert world.states.get("web1").attempts == 1

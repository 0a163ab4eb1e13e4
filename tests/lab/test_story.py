"""The demo's story: which event ticks which step."""

from __future__ import annotations

import pytest

from provd.lab.errors import LabError
from provd.lab.story import INSTALLATION, Row, Story


def row(kind: str, **fields: object) -> Row:
    return {"id": 1, "at": 0.0, "elapsed": 0.0, "kind": kind, "text": f"{kind}: seen", "fields": fields}


#: One BIOS installation as the service tells it, by boot session.
GOOD = (
    (0, row("dhcp.discover")),
    (0, row("dhcp.offer", address="10.77.0.100")),
    (0, row("dhcp.discover")),
    (0, row("dhcp.ack", address="10.77.0.100")),
    (0, row("tftp.sent", role="loader", path="lpxelinux.0")),
    (0, row("config.served")),
    (0, row("kernel.fetched")),
    (0, row("initrd.fetched")),
    (0, row("dhcp.ack", address="10.77.0.100")),
    (0, row("answer.served")),
    (0, row("install.started")),
    (0, row("install.progress", percent=40, text="writing")),
    (0, row("install.finished")),
    (0, row("trigger.finished")),
    (1, row("dhcp.discover")),
    (1, row("dhcp.ack", address="10.77.0.100")),
    (1, row("boot.local")),
)


def test_a_whole_installation_ticks_every_step_in_order() -> None:
    story = Story()
    story.tick("power")
    ticked = ["power"]
    for boot, event in GOOD:
        if event["kind"] == "dhcp.discover" and boot == 1:
            ticked += [step.key for step, _ in story.tick("reset")]
        ticked += [step.key for step, _ in story.event(event, boot)]
    ticked += [step.key for key in ("login", "ssh") for step, _ in story.tick(key)]
    assert ticked == [step.key for step in INSTALLATION]
    assert story.next_step() is None
    assert (story.address, story.percent, story.doing) == ("10.77.0.100", 40.0, "writing")


def test_a_second_ack_before_the_kernel_is_not_the_installers() -> None:
    story = Story()
    for boot, event in GOOD[:4]:
        story.event(event, boot)
    story.event(row("dhcp.ack", address="10.77.0.100"), 0)
    assert "dhcp2" not in story.done


def test_another_address_ends_the_story() -> None:
    story = Story()
    for boot, event in GOOD[:8]:
        story.event(event, boot)
    with pytest.raises(LabError, match=r"the machine was given 10\.77\.0\.101 although it had 10\.77\.0\.100"):
        story.event(row("dhcp.ack", address="10.77.0.101"), 0)


def test_a_loader_over_http_is_the_loader() -> None:
    story = Story()
    for boot, event in GOOD[:4]:
        story.event(event, boot)
    assert story.event(row("http.sent", role="package", path="image/manifest"), 0) == []
    told = story.event(row("http.sent", role="loader", path="grubx64-http.efi"), 0)
    assert [step.key for step, _ in told] == ["loader"]


def test_a_configuration_file_is_not_the_loader() -> None:
    story = Story()
    assert story.event(row("tftp.sent", role="package"), 0) == []


@pytest.mark.parametrize("kind", ["install.failed", "boot.held", "answer.refused", "trigger.failed"])
def test_what_cannot_end_well_ends_the_story(kind: str) -> None:
    with pytest.raises(LabError, match=f"{kind}: seen"):
        Story().event(row(kind), 0)

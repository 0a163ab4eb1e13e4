"""Rules of a diagnosis about machines that boot again and again, and those that are held because of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from provd.core.boot_policy import is_loop
from provd.core.diagnosis_facts import Boot, Finding, is_other_processor, word
from provd.model.session import STEPS, BootSession, step_reached

LOOP_BOOTS: Final = 3
"""Boots one after the other, none of which came further, that are a loop."""
LOOP_S: Final = 1800.0
_DISK_LOOP_BOOTS: Final = 4
_DISK_LOOP_S: Final = 900.0
_REPORTLESS: Final = frozenset({"answers", "installing"})
_SCREEN: Final = (
    "look at its screen: a watchdog, a crash after the loader, or a boot order that never leaves the network"
)


def held(boot: Boot) -> Iterator[Finding]:
    """Provd holds the machine."""
    event = boot.last("boot.held")
    if boot.session.action != "hold" and event is None:
        return
    reason = boot.facts.held or (word(event, "reason") if event is not None else "")
    if " is missing" in reason or is_other_processor(boot):
        return  # told as what it is
    if not is_loop(reason):
        again = "once that is put right it tries again by itself at its next network boot"
        advice = again if reason else "provd explain says why"
        yield Finding("held", "config", f"provd holds this machine{f': {reason}' if reason else ''}", advice)
        return
    yield Finding(
        "held", "config",
        f"provd holds this machine: {reason}{_why_it_loops(boot)}",
        "find out why its installations did not report, then: provd system edit NAME --netboot",
    )  # fmt: skip


def _why_it_loops(boot: Boot) -> str:
    steps = [one.step for one in boot.facts.earlier if one.action == "install"]
    if not steps:
        return ""
    if steps[0] in _REPORTLESS:
        return "; they had their answer files: the callback URL is not reached, or the installation dies on the way"
    return f"; the last of them went no further than the step {steps[0]!r}: the firmware loops, or its kernel crashes"


def loops(boot: Boot) -> Iterator[Finding]:
    """The same machine starts over and over, never past one step."""
    if boot.session.outcome not in {"running", "superseded"} or boot.session.action == "hold":
        return
    # Before the kernel a reset joins the boot that runs: its boot file is fetched again.
    fetched = Counter(word(one, "path") for one in boot.of("tftp.sent", "http.sent") if word(one, "role") == "loader")
    again = max(fetched.values(), default=0)
    near = _near(boot, LOOP_S, "superseded", "running")
    boots = max(again, len(near) + 1)
    furthest = max((boot.session, *near), key=lambda one: STEPS.index(one.step)).step
    began = near[-1].started_at if len(near) + 1 >= again and near else boot.session.started_at
    minutes = (boot.session.last_at - began) / 60
    if near and near[0].step in _REPORTLESS and near[0].action == "install":
        yield Finding(
            "no-report", near[0].step,
            f"{_times(len(near), minutes)} had its answer files and ended without the report 'finished': the callback "
            "URL is not reached, or the installation dies on the way",
            "the installer's console; whether the machine reaches the HTTP port from its own network",
        )  # fmt: skip
    elif boots >= LOOP_BOOTS:
        yield Finding(
            "looping-firmware", furthest,
            f"the firmware starts over and over: {boots} times in {minutes:.0f} min, never past the step {furthest!r}",
            _SCREEN,
        )  # fmt: skip
    elif len(done := _installed(boot)) >= LOOP_BOOTS and boot.session.action == "install":
        yield Finding(
            "looping-firmware", "finished",
            f"it was installed {len(done)} times within {LOOP_S / 60:.0f} min and installs once more: each network "
            "boot installs it",
            'policy "always" of its profile or system; a boot order that puts the network first',
        )  # fmt: skip


def _times(boots: int, minutes: float) -> str:
    return "the boot before" if boots == 1 else f"each of the {boots} boots before, in {minutes:.0f} min,"


def disk_loops(boot: Boot) -> Iterator[Finding]:
    """A machine that is sent to its own disk again and again."""
    near = _near(boot, _DISK_LOOP_S, "local")
    if boot.session.outcome == "local" and len(near) + 1 >= _DISK_LOOP_BOOTS:
        minutes = (boot.session.last_at - near[-1].started_at) / 60
        yield Finding(
            "looping-firmware", "config",
            f"the firmware starts over and over: {len(near) + 1} times in {minutes:.0f} min it was sent to its own "
            "disk, and came back: nothing on it boots",
            "its screen; whether the installation wrote a boot loader that this firmware starts",
        )  # fmt: skip


def _installed(boot: Boot) -> Sequence[BootSession]:
    """Boots lately that installed it; between them it may have started from its disk."""
    late = (one for one in boot.facts.earlier if boot.session.started_at - one.started_at <= LOOP_S)
    return [one for one in late if one.outcome == "finished" and step_reached(one, "finished")]


def _near(boot: Boot, within_s: float, *outcomes: str) -> Sequence[BootSession]:
    """Boots right before this one that ended so, the newest first."""
    found: list[BootSession] = []
    for one in boot.facts.earlier:
        if one.outcome not in outcomes or boot.session.started_at - one.started_at > within_s:
            break
        found.append(one)
    return found

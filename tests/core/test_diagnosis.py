"""Rules of the diagnosis, one by one, where a whole boot would say no more (the twelve faults are in tests/service)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.core.diagnosis import diagnose
from provd.core.diagnosis_facts import INSTALLER_SILENT_S, SILENT_S, Facts
from provd.core.diagnosis_silence import NEXT
from provd.model.event import Event
from provd.model.session import STEPS, BootSession

SESSION = BootSession("s1", "52:54:00:00:00:01", "web1", 100.0, 200.0, "installing", "install", "web", "pxelinux")


def event(kind: str, at: float = 150.0, **fields: object) -> Event:
    return Event(kind, at, "s1", "web1", fields=fields)


def rules(*events: Event, session: BootSession = SESSION, **facts: object) -> list[str]:
    return [one.rule for one in diagnose(session, events, Facts(**facts))]  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [step for step in STEPS if step not in {"finished", "firstboot"}])
def test_a_boot_that_stands_still_is_explained_at_every_step(step: str) -> None:
    session = replace(SESSION, step=step)
    assert rules(session=session, silent_s=SILENT_S - 1) == []
    (finding,) = diagnose(session, (), Facts(silent_s=INSTALLER_SILENT_S))
    assert finding.step == step
    assert (finding.cause, finding.advice) == NEXT[step]


def test_an_installer_may_be_silent_for_longer() -> None:
    assert rules(silent_s=SILENT_S + 60) == []


@pytest.mark.parametrize("outcome", ["finished", "local"])
def test_a_boot_that_ended_well_has_no_finding_whatever_happened_on_the_way(outcome: str) -> None:
    events = (
        event("http.missed", role="package", status=502, path="mirror/x", reason="down"),
        event("tftp.missed", role="loader", path="x", reason="no such file"),
        event("answer.refused", what="x", peer="y", reason="z"),
    )
    assert rules(*events, session=replace(SESSION, outcome=outcome), silent_s=1e6) == []


def test_what_an_installer_merely_probes_for_is_no_dead_source() -> None:
    assert rules(event("http.missed", role="package", status=404, path="mirror/x/Packages.xz", reason="none")) == []
    assert rules(event("http.missed", role="package", status=502, path="mirror/x", reason="down")) == ["dead-source"]


def test_a_failure_that_the_installer_reports_is_told_with_its_words() -> None:
    (finding,) = diagnose(SESSION, [event("install.failed", text="no disk")], Facts())
    assert (finding.rule, finding.cause) == ("installer-failed", "the installer says that it failed: no disk")


def test_a_callback_that_could_not_be_taken() -> None:
    assert rules(event("callback.failed", name="finished")) == ["callback-failed"]


def test_a_file_that_came_after_all_is_not_missing() -> None:
    missed = event("tftp.missed", role="loader", path="ldlinux.c32", reason="busy")
    session = replace(SESSION, step="loader")
    assert rules(missed, session=session, silent_s=SILENT_S)[0] == "missing-file"
    assert rules(missed, session=replace(SESSION, step="config"), silent_s=SILENT_S) == ["blocked-port"]


def test_a_client_that_a_gate_refuses() -> None:
    session = replace(SESSION, step="discover", action="none")
    (finding,) = diagnose(session, [event("dhcp.dropped", reason="not in the inventory")], Facts())
    assert (finding.rule, finding.cause) == ("not-answered", "its DISCOVER got no answer: not in the inventory")


def test_earlier_boots_count_as_a_loop_only_when_they_are_near_and_came_to_nothing() -> None:
    session = replace(SESSION, step="initrd", started_at=5000.0, last_at=5010.0)
    near = [
        replace(SESSION, id=f"s{n}", started_at=4900.0 - 60 * n, outcome="superseded", step="initrd") for n in range(3)
    ]
    assert rules(session=session, earlier=near) == ["looping-firmware"]
    assert rules(session=session, earlier=[replace(one, outcome="finished") for one in near]) == []
    assert rules(session=session, earlier=[replace(one, started_at=1.0) for one in near]) == []
    assert rules(session=session, earlier=near[:1]) == []

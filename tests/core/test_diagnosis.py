"""Rules of the diagnosis, one by one, where a whole boot would say no more (the twelve faults are in tests/service)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.core.diagnosis import diagnose
from provd.core.diagnosis_facts import (
    FIRMWARE_SILENT_S,
    INSTALLER_SILENT_S,
    REFUSED_SILENT_S,
    SILENT_S,
    Facts,
    Finding,
    Trouble,
)
from provd.core.diagnosis_silence import NEXT
from provd.model.event import Event
from provd.model.session import STEPS, BootSession

SESSION = BootSession("s1", "52:54:00:00:00:01", "web1", 100.0, 200.0, "installing", "install", "web", "pxelinux")


def event(kind: str, at: float = 150.0, **fields: object) -> Event:
    return Event(kind, at, "s1", "web1", fields=fields)


def found(session: BootSession, held: str) -> list[Finding]:
    return diagnose(session, (), Facts(held=held))


def rules(*events: Event, session: BootSession = SESSION, **facts: object) -> list[str]:
    return [one.rule for one in diagnose(session, events, Facts(**facts))]  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [step for step in STEPS if step not in {"finished", "firstboot"}])
def test_a_boot_that_stands_still_is_explained_at_every_step(step: str) -> None:
    session = replace(SESSION, step=step)
    patience_s = FIRMWARE_SILENT_S if step in {"discover", "offer", "ack"} else SILENT_S
    assert rules(session=session, silent_s=patience_s - 1) == []
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


def at(step: str, **more: object) -> BootSession:
    return replace(SESSION, step=step, **more)  # type: ignore[arg-type]


def causes(*events: Event, session: BootSession = SESSION, **facts: object) -> str:
    return "; ".join(one.cause for one in diagnose(session, events, Facts(**facts)))  # type: ignore[arg-type]


def test_a_large_file_that_is_on_its_way_is_no_silence() -> None:
    asked = event("tftp.request", role="kernel", path="linux")
    assert rules(asked, session=at("config"), silent_s=INSTALLER_SILENT_S - 1) == []
    assert rules(asked, session=at("config"), silent_s=INSTALLER_SILENT_S) == ["blocked-port"]
    ended = event("tftp.aborted", role="kernel", path="linux")
    assert rules(asked, ended, session=at("config"), silent_s=SILENT_S) == ["blocked-port"]


def test_a_transfer_that_dies_names_the_ports_of_its_data() -> None:
    asked = event("tftp.request", role="loader", path="pxelinux.0")
    died = event("tftp.failed", role="loader", path="pxelinux.0", reason="the client was silent for 6 s")
    assert rules(asked, died, session=at("ack"), silent_s=FIRMWARE_SILENT_S)[0] == "blocked-port"
    assert "two high UDP ports" in causes(asked, died, session=at("ack"), silent_s=FIRMWARE_SILENT_S)
    sent = event("tftp.sent", role="loader", path="pxelinux.0")
    assert "two high" not in causes(died, sent, session=at("loader"), silent_s=SILENT_S)


@pytest.mark.parametrize("role", ["kernel", "initrd"])
def test_a_kernel_that_is_not_served_is_told_at_once_and_a_loader_after_its_search(role: str) -> None:
    step = {"kernel": "config", "initrd": "kernel"}[role]
    assert rules(event("http.missed", role=role, path="boot/x", reason="gone"), session=at(step)) == ["missing-file"]
    loader = event("tftp.missed", role="loader", path="ldlinux.c32", reason="gone")
    assert rules(loader, session=at("loader"), silent_s=REFUSED_SILENT_S - 1) == []
    assert rules(loader, session=at("loader"), silent_s=REFUSED_SILENT_S) == ["missing-file"]


def test_a_loader_without_its_file_is_no_wrong_architecture() -> None:
    none = event("boot.none", arch="x64-uefi", missing="shimx64.efi", reason="")
    assert rules(none, session=at("offer")) == ["missing-file"]
    assert rules(event("boot.none", arch="arm64-uefi", reason=""), session=at("offer")) == ["wrong-arch"]


def test_the_installers_address_from_another_server_is_told_as_that() -> None:
    ack = event("dhcp.ack")
    chosen = event("dhcp.dropped", reason="another server was chosen", server="10.0.0.9")
    (finding,) = diagnose(at("initrd"), [ack, event("initrd.fetched"), chosen], Facts())
    assert (finding.rule, finding.step) == ("other-dhcp-server", "installer-dhcp")
    assert finding.cause == "the installer took the address of another DHCP server (10.0.0.9)"
    assert rules(ack, chosen, event("answer.served"), session=at("answers")) == []


def test_the_pool_that_is_full_for_the_installer_only() -> None:
    full = event("dhcp.dropped", reason="pool exhausted", subnet="lab")
    (finding,) = diagnose(at("initrd"), [event("dhcp.ack"), event("initrd.fetched"), full], Facts())
    assert (finding.rule, finding.step) == ("full-pool", "installer-dhcp")
    assert "for the installer: the pool of subnet lab" in finding.cause


def test_an_offer_that_the_relay_loses() -> None:
    asked = event("dhcp.discover", relay="10.9.0.1")
    assert rules(asked, event("dhcp.offer"), session=at("offer"), silent_s=FIRMWARE_SILENT_S)[0] == "wrong-relay"
    near = rules(event("dhcp.discover"), event("dhcp.offer"), session=at("offer"), silent_s=FIRMWARE_SILENT_S)
    assert near == ["blocked-port"]


def test_a_report_that_nobody_takes_and_one_that_is_refused_are_two_things() -> None:
    lost = event("http.missed", role="callback", status=404, reason="no callback 'finnished'", path="callback/x")
    assert rules(lost) == ["callback-failed"]
    denied = event("http.missed", role="callback", status=404, reason="no such token", path="callback/x")
    assert rules(event("answer.refused", what="callback x", reason="no such token"), denied) == ["wrong-token"]


def test_the_installers_own_words_of_a_dead_mirror_count_once_it_stands() -> None:
    said = event("install.syslog", lines=["wget: http://deb/Release: Connection refused", "main-menu: next"])
    assert rules(said) == []
    assert rules(said, silent_s=INSTALLER_SILENT_S)[0] == "dead-source"
    healthy = event("install.syslog", lines=["mirror chosen: deb", "partman: error: no disk"])
    assert rules(healthy, silent_s=INSTALLER_SILENT_S) == ["no-report"]


def test_a_source_beside_provd_is_named_where_an_installer_falls_silent() -> None:
    assert "http://deb/debian, not through provd" in causes(silent_s=INSTALLER_SILENT_S, source="http://deb/debian")


def test_a_plugin_is_the_cause_where_its_answer_is_what_lacks_and_else_beside_it() -> None:
    rests = Trouble("pxelinux: BootLoader.select was not called, it rests since x took 400 ms", missing=True)
    none = event("boot.none", arch="bios", reason="")
    assert rules(none, session=at("offer"), troubles=(rests,))[0] == "slow-plugin"
    args = Trouble("site: provd_kernel_args took 400 ms")
    assert rules(none, session=at("offer"), troubles=(args,)) == ["wrong-arch", "slow-plugin"]
    assert rules(troubles=(rests,), session=replace(SESSION, outcome="finished")) == []


def earlier(outcome: str, step: str, count: int, every_s: float = 60.0) -> list[BootSession]:
    return [
        replace(SESSION, id=f"e{n}", outcome=outcome, step=step, started_at=4900.0 - every_s * n) for n in range(count)
    ]


def test_an_installation_that_began_anew_without_its_report() -> None:
    session = at("ack", started_at=5000.0, last_at=5001.0)
    assert rules(session=session, earlier=earlier("superseded", "answers", 1)) == ["no-report"]
    assert rules(session=session, earlier=earlier("superseded", "initrd", 1)) == []


def test_a_machine_that_comes_back_from_its_disk_again_and_again() -> None:
    session = at("config", outcome="local", action="local", started_at=5000.0, last_at=5001.0)
    assert rules(session=session, earlier=earlier("local", "config", 3)) == ["looping-firmware"]
    assert rules(session=session, earlier=earlier("local", "config", 2)) == []
    assert rules(session=session, earlier=earlier("local", "config", 3, every_s=450.0)) == []


def test_a_machine_that_is_installed_at_each_network_boot() -> None:
    session = at("ack", started_at=5000.0, last_at=5001.0)
    assert rules(session=session, earlier=earlier("finished", "finished", 3)) == ["looping-firmware"]
    assert rules(session=session, earlier=earlier("finished", "finished", 2)) == []


def test_a_held_machine_whose_file_is_missing_is_told_as_that() -> None:
    held = at("config", action="hold")
    assert rules(session=held, held="boot file /x/linux of deb is missing: provd fetch") == ["missing-file"]
    looped = "held: 3 network boots fetched everything and no finished callback came"
    assert "callback URL" in causes(session=held, held=looped, earlier=earlier("superseded", "answers", 3))
    assert "firmware loops" in causes(session=held, held=looped, earlier=earlier("superseded", "initrd", 3))


def test_a_held_machine_that_was_never_installed_is_not_told_to_have_reported_nothing() -> None:
    held = at("config", action="hold")
    (waits,) = found(session=held, held="image debian-12 is not there: provd image build debian-12")
    assert waits.advice == "once that is put right it tries again by itself at its next network boot"
    (told,) = found(session=held, held="held: 3 network boots fetched everything and no finished callback came")
    assert "did not report" in told.advice
    (unknown,) = found(session=held, held="")
    assert unknown.advice == "provd explain says why"


def test_an_answer_file_that_came_after_all_is_no_obstacle_any_more() -> None:
    failed = event("answer.failed", document="user-data", error="line 1: x is undefined")
    refused = event("answer.refused", what="user-data", peer="10.0.0.5", reason="not its address")
    other, same = event("answer.served", document="meta-data"), event("answer.served", document="user-data")
    assert rules(failed, other) == ["broken-template"]
    assert rules(failed, other, same) == []
    assert rules(refused, other) == ["wrong-token"]
    assert rules(refused, other, same) == []


def test_a_report_that_was_taken_after_all_is_no_obstacle_any_more() -> None:
    refused = event("answer.refused", what="callback progress", peer="10.0.0.5", reason="not its address")
    assert rules(event("install.progress"), refused) == ["wrong-token"]
    assert rules(refused, event("install.progress")) == []


def test_a_download_that_failed_once_is_no_dead_source_while_the_installation_goes_on() -> None:
    bad = event("http.missed", role="package", status=502, path="mirror/x", reason="down")
    assert rules(bad, event("install.progress")) == []
    assert rules(bad, event("install.progress"), silent_s=INSTALLER_SILENT_S) == ["dead-source", "no-report"]
    failed = replace(SESSION, outcome="failed")
    assert rules(bad, event("install.progress"), session=failed) == ["dead-source"]


def test_the_address_of_another_server_is_as_it_should_be_where_provd_gives_none() -> None:
    events = (event("dhcp.offer", proxy=True), event("dhcp.elsewhere", server="10.0.0.9"))
    assert rules(*events, session=at("ack"), silent_s=SILENT_S) == ["blocked-port"]


def test_an_installer_that_fetches_its_medium_stands_not_still() -> None:
    assert rules(session=at("installer-dhcp"), silent_s=SILENT_S) == ["blocked-port"]
    assert rules(session=at("installer-dhcp"), silent_s=INSTALLER_SILENT_S - 1, fetches=True) == []
    assert rules(session=at("installer-dhcp"), silent_s=INSTALLER_SILENT_S, fetches=True) == ["blocked-port"]

"""Rules of a diagnosis about files: missing ones, transfers that break off, packages that cannot be had."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from provd.core.diagnosis_facts import MISSES, REFUSED_SILENT_S, Boot, Finding, word
from provd.model.event import Event
from provd.model.session import step_reached

_STEP_AFTER: Final = {"loader": "config", "config": "kernel", "kernel": "initrd", "initrd": "installer-dhcp"}
_NAMES: Final = {"config": "configuration", "package": "file"}
_CERTAIN: Final = frozenset({"kernel", "initrd"})
"""What no loader looks for elsewhere."""
_TRIED: Final = re.compile(r"mirror|release|repo|download|fetch|retriev|resolv|https?://|wget|curl", re.IGNORECASE)
_IN_VAIN: Final = re.compile(
    r"\b(fail(ed|ure)?|error|refused|unreachable|timed? ?out|cannot|can't|could not|couldn't|unable|bad|404|50[0-4])\b",
    re.IGNORECASE,
)


def missing_file(boot: Boot) -> Iterator[Finding]:
    """Loader, configuration, kernel, initial RAM disk or a file of the installer was asked for and not served."""
    if " is missing" in boot.facts.held:
        yield Finding("missing-file", "config", boot.facts.held, _ADVICE)
        return
    none = boot.last("boot.none")
    if none is not None and (lacks := word(none, "missing")) and boot.session.action != "none":
        yield Finding(
            "missing-file", "loader",
            f"the boot loader for {word(none, 'arch')} firmware lacks its file {lacks}: nothing could be offered",
            "provd fetch loaders-arm64" if "aa64" in lacks else "provd fetch loaders, or provd fetch ipxe",
        )  # fmt: skip
        return
    for event in boot.of("tftp.missed", "http.missed"):
        role = word(event, "role")
        if _is_over(boot, event, role):
            continue
        what = _NAMES.get(role, role)
        step = role if role in _STEP_AFTER else boot.session.step
        yield Finding(
            "missing-file", step,
            f"the {what} {word(event, 'path')} was asked for and not served: {word(event, 'reason')}",
            _ADVICE,
        )  # fmt: skip
        return


_ADVICE: Final = "provd fetch, a path of the distro, or the payload on the disk"


def _is_over(boot: Boot, missed: Event, role: str) -> bool:
    """The boot went on without it, or may still."""
    if role == "package":
        # Installers probe for much that is not there: what counts is what they asked for last.
        return _status(missed) >= 500 or not boot.stands or not boot.in_vain(missed)
    if role not in _STEP_AFTER or step_reached(boot.session, _STEP_AFTER[role]):
        return True
    running = boot.session.outcome == "running" and role not in _CERTAIN
    return running and boot.facts.silent_s < REFUSED_SILENT_S


def broken_transfer(boot: Boot) -> Iterator[Finding]:
    """A transfer by TFTP that ended because nothing came back: the ports of its data are not those of its question."""
    event = boot.last("tftp.failed")
    if event is None or not boot.stands or not boot.in_vain(event) or word(event, "role") not in _STEP_AFTER:
        return
    yield Finding(
        "blocked-port", boot.session.step,
        f"{word(event, 'path')} was asked for by TFTP and the transfer died ({word(event, 'reason')}): its data goes "
        "between two high UDP ports, which a firewall blocks, or the machine was switched off",
        "provd check firewall; or [tftp] single_port = true, with which everything goes through UDP 69",
    )  # fmt: skip


def dead_source(boot: Boot) -> Iterator[Finding]:
    """Packages that cannot be had, once the installer runs."""
    # Installers probe for files that may be missing; a server's own failure is none of those.
    bad = [one for one in boot.events if one.kind in MISSES and word(one, "role") == "package" and _status(one) >= 500]
    if boot.of("install.finished"):
        return
    over = boot.stands or boot.session.outcome == "failed"
    # One that the installer asked for again with success is no event; what it did afterwards is.
    if bad and (over or boot.in_vain(bad[-1])):
        yield _source(f"{word(bad[-1], 'path')} could not be fetched for the installer: {word(bad[-1], 'reason')}")
        return
    if boot.stands and (path := _given_up(boot)):
        yield _source(f"the installer gave up waiting for {path}: nothing comes from the upstream, or too slowly")
        return
    if over and (line := _last_words(boot)):
        yield _source(f"the installer cannot fetch: {line}")


def _source(cause: str) -> Finding:
    advice = "the mirror or tree behind this path is down or unreachable from provd; provd mirror check asks it"
    return Finding("dead-source", "installing", cause, advice)


def _given_up(boot: Boot) -> str:
    """Path of the package that the installer asked for last and did not wait for, or empty."""
    event = boot.last("http.failed")
    given_up = event is not None and word(event, "role") == "package" and boot.in_vain(event)
    return word(event, "path") if event is not None and given_up else ""


def _last_words(boot: Boot) -> str:
    """The newest line of the installer's log that tells of a download in vain, or empty."""
    for event in reversed(boot.of("install.syslog", "install.log")):
        lines = event.fields.get("lines", ())
        for line in reversed(lines if isinstance(lines, list | tuple) else ()):
            if _TRIED.search(str(line)) and _IN_VAIN.search(str(line)):
                return str(line)[:200]
    return ""


def _status(event: Event) -> int:
    found = event.fields.get("status", 0)
    return found if isinstance(found, int) else 0

"""Tells a boot as people read it: one line per event, with the time since the boot began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from provd.model.event import Event
from provd.model.session import STEPS, BootSession
from provd.plugin.scrub import scrub, scrub_value

_WORDS: Final[Mapping[str, str]] = {
    "boot.started": "boot begins",
    "boot.none": "no boot file",
    "boot.local": "boots its own disk",
    "boot.held": "held",
    "boot.handed_over": "has all of what it boots; nothing is installed",
    "dhcp.discover": "DISCOVER",
    "dhcp.offer": "OFFER",
    "dhcp.request": "REQUEST",
    "dhcp.ack": "ACK",
    "dhcp.nak": "NAK",
    "dhcp.release": "RELEASE",
    "dhcp.decline": "DECLINE",
    "dhcp.inform": "INFORM",
    "dhcp.elsewhere": "takes the address of another DHCP server",
    "dhcp.dropped": "not answered",
    "machine.adopted": "becomes a system by rule",
    "machine.refused": "cannot become a system",
    "menu.chosen": "somebody chose from the menu",
    "queue.waiting": "waits for a place",
    "queue.admitted": "is let in",
    "queue.left": "waits no more",
    "config.served": "loader configuration",
    "kernel.fetched": "kernel fetched",
    "initrd.fetched": "initrd fetched",
    "answer.served": "answer file",
    "install.started": "installation begins",
    "install.progress": "installing",
    "install.log": "installer says",
    "install.syslog": "installer logs",
    "install.finished": "installation finished",
    "install.failed": "installation failed",
    "install.firstboot": "first boot reported",
    "session.stalled": "stands still",
    "trigger.finished": "trigger done",
    "trigger.failed": "trigger failed",
    "power.switched": "power switched",
    "power.failed": "power could not be switched",
    "tftp.sent": "TFTP sent",
    "tftp.failed": "TFTP failed",
    "http.sent": "HTTP sent",
    "http.failed": "HTTP failed",
}
_MOST_TEXT: Final = 200


def describe(event: Event) -> str:
    """One line: what happened and the details that matter; never a secret, never a control character."""
    words = _WORDS.get(event.kind, event.kind)
    told = {name: value for name, value in event.fields.items() if value not in ("", None)}
    if isinstance(lines := told.get("lines"), list) and event.kind == "install.syslog":
        told["lines"] = len(lines)
    details = [_detail(name, value) for name, value in told.items()]
    text = f"{words}: {', '.join(details)}" if details else words
    return "".join(character if character.isprintable() else " " for character in text)[: _MOST_TEXT + 100]


def _detail(name: str, value: object) -> str:
    if name == "bytes" and isinstance(value, int):
        return size(value)
    if name == "seconds" and isinstance(value, int | float):
        return f"{value:.2f} s"
    if name in {"address", "path", "reason", "document", "text", "line", "name"}:
        return scrub(str(value))[:_MOST_TEXT]
    return f"{name} {str(scrub_value(value, name))[:_MOST_TEXT]}"


def size(octets: int) -> str:
    """Octets as people read them, in units of 1000."""
    number = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError  # the last unit always returns


def timeline(session: BootSession, events: Iterable[Event]) -> list[dict[str, object]]:
    """Events of one boot with ``elapsed`` seconds since it began."""
    return [
        {
            "id": event.id,
            "at": event.at,
            "elapsed": round(max(0.0, event.at - session.started_at), 3),
            "kind": event.kind,
            "text": describe(event),
            "fields": scrub_value(event.fields),
        }
        for event in events
    ]


def session_row(session: BootSession) -> dict[str, object]:
    """One boot in a list."""
    return {
        "session": session.id,
        "system": session.system,
        "mac": session.mac,
        "started_at": session.started_at,
        "seconds": round(session.last_at - session.started_at, 1),
        "action": session.action,
        "profile": session.profile,
        "loader": session.loader,
        "address": session.address,
        "step": session.step,
        "outcome": session.outcome,
    }


def verdict(session: BootSession, silent_s: float) -> str:
    """One sentence on how far the boot came.

    Args:
        session: the boot.
        silent_s: seconds since its newest event.
    """
    if session.outcome == "finished":
        return "installed and reported"
    if session.outcome == "local":
        return "booted its own disk"
    if session.outcome == "started":
        return f"started {session.profile}, which installs nothing and reports nothing"
    if session.outcome == "menu":
        return "was shown the menu; provd heard of no choice: its own disk, or nobody was there"
    if session.outcome == "failed":
        return f"failed after the step {session.step!r}"
    if session.action in {"hold", "none"} and session.outcome == "running":
        return "held" if session.action == "hold" else "nothing to boot"
    at = STEPS.index(session.step)
    missing = STEPS[at + 1] if at + 1 < len(STEPS) else ""
    if session.outcome == "superseded":
        return f"ended after the step {session.step!r}; {missing!r} never came, a newer boot began"
    if silent_s > 60 and missing:
        return f"silent for {silent_s:.0f} s after the step {session.step!r}; {missing!r} did not come yet"
    return f"running, step {session.step!r}"


_PHASES: Final[Mapping[str, str]] = {
    "dhcp.discover": "discover",
    "dhcp.offer": "offer",
    "dhcp.ack": "ack",
    "config.served": "config",
    "kernel.fetched": "kernel",
    "initrd.fetched": "initrd",
    "answer.served": "answers",
    "install.started": "installing",
    "install.finished": "finished",
    "install.firstboot": "firstboot",
}


def phases(session: BootSession, events: Iterable[Event]) -> list[dict[str, object]]:
    """When each step was first reached, in seconds since the boot began, and how long after the step before."""
    found: list[dict[str, object]] = []
    seen: set[str] = set()
    before = session.started_at
    for event in events:
        step = _PHASES.get(event.kind, "")
        if step and step not in seen:
            seen.add(step)
            elapsed = max(0.0, event.at - session.started_at)
            found.append({"step": step, "elapsed": round(elapsed, 3), "took": round(max(0.0, event.at - before), 3)})
            before = event.at
    return found


def packages(events: Iterable[Event]) -> dict[str, object]:
    """What the installer fetched from its source: files, octets, and octets per second; empty where nothing."""
    first = last = None
    for event in events:
        if event.kind == "package.first":
            first = event
        elif event.kind == "package.summary":
            last = event
    if first is None:
        return {}
    told: dict[str, object] = {"first_at": first.at}
    if last is not None:
        octets, seconds = last.fields.get("bytes", 0), max(last.at - first.at, 0.001)
        told |= {"files": last.fields.get("files", 0), "bytes": octets, "last_at": last.at}
        if isinstance(octets, int):
            told["bytes_per_s"] = round(octets / seconds)
    return told


def newest(find: Callable[[str], BootSession | None], *names: str) -> BootSession | None:
    """The newest of the sessions that are found under several names (a system's MACs)."""
    found = [session for name in names if (session := find(name)) is not None]
    return max(found, key=lambda session: session.started_at, default=None)

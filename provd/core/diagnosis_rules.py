"""Rules of a diagnosis: each looks for one fault and says which step died, why, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from provd.core.diagnosis_facts import Boot, Finding, word
from provd.core.diagnosis_silence import NEXT
from provd.model.event import Event
from provd.model.session import STEPS, step_reached

LOOP_BOOTS: Final = 3
"""Boots one after the other, none of which came further, that are a loop."""
LOOP_S: Final = 1800.0

Rule = Callable[[Boot], Iterator[Finding]]


def _told(kind: str, rule: str, step: str, said: Callable[[Event], str], advice: str) -> Rule:
    """A rule for one kind of event that says it all: the newest of them is the finding."""

    def look(boot: Boot) -> Iterator[Finding]:
        event = boot.last(kind)
        if event is not None:
            yield Finding(rule, step, said(event), advice)

    return look


_refused_token: Final = _told(
    "answer.refused", "wrong-token", "answers",
    lambda event: f"{word(event, 'what')} was refused to {word(event, 'peer')}: {word(event, 'reason')}",
    "an old answer URL, another machine's, or an address that is not the leased one: boot the machine anew",
)  # fmt: skip
_broken_answer: Final = _told(
    "answer.failed", "broken-template", "answers",
    lambda event: f"the answer file {word(event, 'document')} could not be made: {word(event, 'error')}",
    "mend the template or the profile's answers; provd answer preview SYSTEM shows the file",
)  # fmt: skip
_callback: Final = _told(
    "callback.failed", "callback-failed", "installing",
    lambda event: f"the report {word(event, 'name')} could not be taken: its plugin failed or rests",
    "provd plugin list names the plugin and its last error",
)  # fmt: skip
_failed_install: Final = _told(
    "install.failed", "installer-failed", "installing",
    lambda event: ": ".join(
        filter(None, ("the installer says that it failed", word(event, "text") or word(event, "reason")))
    ),
    "the log lines before it say at what",
)  # fmt: skip


def _source(boot: Boot) -> Iterator[Finding]:
    """Packages that cannot be had, once the installer runs."""
    bad = [one for one in boot.of("http.missed", "http.failed") if one.fields.get("role") == "package"]
    # Installers probe for files that may be missing; a server's own failure is none of those.
    bad = [one for one in bad if _status(one) >= 500]
    if bad and not boot.of("install.finished"):
        event = bad[-1]
        yield Finding(
            "dead-source", "installing",
            f"{word(event, 'path')} could not be fetched for the installer: {word(event, 'reason')}",
            "the mirror or tree behind this path is down or unreachable from provd",
        )  # fmt: skip


def _status(event: Event) -> int:
    found = event.fields.get("status", 0)
    return found if isinstance(found, int) else 0


def _missing_file(boot: Boot) -> Iterator[Finding]:
    roles = {"loader", "kernel", "initrd", "config"}
    for kind in ("tftp.missed", "http.missed"):
        for event in boot.of(kind):
            role = word(event, "role")
            if role in roles and not boot.stands and boot.session.outcome == "running":
                continue
            if role in roles and not _came_later(boot, event):
                yield Finding(
                    "missing-file", "config" if role == "config" else role,
                    f"the {'configuration' if role == 'config' else role} {word(event, 'path')} was asked for and "
                    f"not served: {word(event, 'reason')}",
                    "provd fetch, a path of the distro, or the payload on the disk",
                )  # fmt: skip
                return


def _came_later(boot: Boot, missed: Event) -> bool:
    """The same path was served after all, or the boot went beyond what was missing."""
    role = word(missed, "role")
    step = {"loader": "config", "config": "kernel", "kernel": "initrd", "initrd": "installer-dhcp"}[role]
    return step_reached(boot.session, step)


def _elsewhere(boot: Boot) -> Iterator[Finding]:
    if boot.of("dhcp.ack") and not boot.of("dhcp.elsewhere"):
        return
    event = boot.last("dhcp.elsewhere")
    other = word(event, "server") or word(event, "address") if event is not None else ""
    chosen = [one for one in boot.of("dhcp.dropped") if word(one, "reason") in _OTHER_SERVER]
    if event is not None and not chosen and not boot.stands:
        return
    if event is not None or chosen:
        if step_reached(boot.session, "loader"):
            return
        yield Finding(
            "other-dhcp-server", "ack",
            f"the machine took the address of another DHCP server{f' ({other})' if other else ''}",
            'provd check rogue names it: switch it off, or make this subnet mode = "proxy"',
        )  # fmt: skip


_OTHER_SERVER: Final = frozenset({"another server was chosen"})


def _full_pool(boot: Boot) -> Iterator[Finding]:
    if boot.of("dhcp.ack"):
        return
    for event in boot.of("dhcp.dropped"):
        if word(event, "reason") == "pool exhausted":
            yield Finding(
                "full-pool", "offer",
                "there was no free address: the pool of its subnet is full",
                "widen the pool, shorten the lease time, or look for who takes them: provd lease list",
            )  # fmt: skip
            return


def _no_subnet(boot: Boot) -> Iterator[Finding]:
    if boot.of("dhcp.offer"):
        return
    for event in boot.of("dhcp.dropped"):
        reason = word(event, "reason")
        if reason in _NO_SUBNET:
            relay = word(event, "relay")
            through = f"it came through the relay {relay}, and" if relay else "it came in on a network that"
            yield Finding(
                "wrong-relay", "offer",
                f"its DISCOVER got no answer: {through} no subnet of provd.toml has this address",
                "add the subnet, or mend the relay's address or link selection",
            )  # fmt: skip
            return


_NO_SUBNET: Final = frozenset({"no subnet", "unknown relay", "interface without an address"})


def _refused_client(boot: Boot) -> Iterator[Finding]:
    if boot.of("dhcp.offer"):
        return
    event = boot.last("dhcp.dropped")
    if (
        event is not None
        and not list(_no_subnet(boot))
        and word(event, "reason") not in {"pool exhausted", *_OTHER_SERVER}
    ):
        yield Finding(
            "not-answered", "offer",
            f"its DISCOVER got no answer: {word(event, 'reason')}",
            "a gate plugin, a limit, or the subnet's settings refuse this machine",
        )  # fmt: skip


def _no_loader(boot: Boot) -> Iterator[Finding]:
    event = boot.last("boot.none")
    if event is None or boot.session.action == "none":
        return
    arch = word(event, "arch") or "of an unknown kind"
    named = f" ({', '.join(boot.facts.loaders)})" if boot.facts.loaders else ""
    yield Finding(
        "wrong-arch", "loader",
        f"the firmware is {arch}, and no boot loader of the profile{named} serves it",
        "name a boot loader for this architecture in boot_loaders, or fetch its files: provd fetch loaders",
    )  # fmt: skip


def _wrong_cpu(boot: Boot) -> Iterator[Finding]:
    name, wanted = boot.facts.distro
    if boot.facts.cpu and wanted and boot.facts.cpu != wanted and boot.session.action == "install":
        yield Finding(
            "wrong-arch", "kernel",
            f"the machine says {boot.facts.cpu}, distro {name} is for {wanted}",
            "give the system a profile of a distro for its architecture",
        )  # fmt: skip


def _unknown(boot: Boot) -> Iterator[Finding]:
    event = boot.last("boot.none")
    if boot.session.action == "none" and event is not None:
        yield Finding(
            "nothing-assigned", "offer",
            f"nothing is assigned to it: {word(event, 'reason')}",
            f"provd system add NAME --mac {boot.session.mac} --profile PROFILE",
        )  # fmt: skip


def _held(boot: Boot) -> Iterator[Finding]:
    event = boot.last("boot.held")
    if boot.session.action == "hold" or event is not None:
        reason = word(event, "reason") if event is not None else ""
        yield Finding(
            "held", "config",
            f"provd holds this machine{f': {reason}' if reason else ''}",
            "find out why its installations did not report, then: provd system edit NAME --netboot",
        )  # fmt: skip


def _loops(boot: Boot) -> Iterator[Finding]:
    if boot.session.outcome not in {"running", "superseded"}:
        return
    # Before the kernel a reset joins the boot that runs: its boot file is fetched again.
    fetched = Counter(word(one, "path") for one in boot.of("tftp.sent", "http.sent") if word(one, "role") == "loader")
    again = max(fetched.values(), default=0)
    near = [
        one
        for one in boot.facts.earlier
        if one.outcome in {"superseded", "running"} and boot.session.started_at - one.started_at <= LOOP_S
    ]
    boots = max(again, len(near) + 1)
    if boots >= LOOP_BOOTS:
        furthest = max((boot.session, *near), key=lambda one: STEPS.index(one.step)).step
        began = near[-1].started_at if len(near) + 1 >= again else boot.session.started_at
        minutes = (boot.session.last_at - began) / 60
        yield Finding(
            "looping-firmware", furthest,
            f"the firmware starts over and over: {boots} times in {minutes:.0f} min, never past the step {furthest!r}",
            "look at its screen: a watchdog, a crash after the loader, or a boot order that never leaves the network",
        )  # fmt: skip


def _slow_plugin(boot: Boot) -> Iterator[Finding]:
    for told in boot.facts.resting:
        yield Finding(
            "slow-plugin", boot.session.step,
            f"plugin {told}; its answers are missing from this boot",
            "provd plugin stats shows its times; it is tried again by itself",
        )  # fmt: skip


def _silence(boot: Boot) -> Iterator[Finding]:
    """The step that did not come, where nothing else explains it."""
    if not boot.stands or boot.session.action in {"none", "hold"}:
        return
    cause, advice = NEXT.get(boot.session.step, ("", ""))
    if cause:
        rule = "no-report" if boot.session.step in {"answers", "installing"} else "blocked-port"
        rule = "driver-missing" if boot.session.step in {"initrd", "kernel"} else rule
        yield Finding(rule, boot.session.step, cause, advice)


RULES: Final[tuple[Rule, ...]] = (
    _held,
    _unknown,
    _no_subnet,
    _full_pool,
    _elsewhere,
    _refused_client,
    _no_loader,
    _wrong_cpu,
    _missing_file,
    _refused_token,
    _broken_answer,
    _callback,
    _failed_install,
    _source,
    _loops,
    _slow_plugin,
    _silence,
)
"""In the order of what explains most."""

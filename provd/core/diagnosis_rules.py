"""Rules of a diagnosis in their order; here those that one event or one fact decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from provd.core.diagnosis_dhcp import elsewhere, full_pool, lost_offer, no_subnet, refused_client
from provd.core.diagnosis_facts import Boot, Finding, Trouble, is_other_processor, word
from provd.core.diagnosis_files import broken_transfer, dead_source, missing_file
from provd.core.diagnosis_loops import held, loops
from provd.core.diagnosis_silence import NEXT
from provd.model.event import Event

Rule = Callable[[Boot], Iterator[Finding]]


def _told(
    kind: str,
    rule: str,
    step: str,
    said: Callable[[Event], str],
    advice: str,
    unless: Callable[[Boot, Event], bool] = lambda _boot, _event: False,
) -> Rule:
    """A rule for one kind of event that says it all: the newest of them is the finding, unless it was made good."""

    def look(boot: Boot) -> Iterator[Finding]:
        event = boot.last(kind)
        if event is not None and not unless(boot, event):
            yield Finding(rule, step, said(event), advice)

    return look


_REPORTS: Final = ("install.started", "install.progress", "install.log", "install.finished")


def _had_it_after(boot: Boot, event: Event) -> bool:
    """The same answer file was served after this event, or a report was taken where one had been refused."""
    what, later = word(event, "what") or word(event, "document"), boot.after(event)
    if what.startswith("callback "):
        return any(one.kind in _REPORTS for one in later)
    return any(one.kind == "answer.served" and word(one, "document") == what for one in later)


_refused_token: Final = _told(
    "answer.refused", "wrong-token", "answers",
    lambda event: f"{word(event, 'what')} was refused to {word(event, 'peer')}: {word(event, 'reason')}",
    "an old answer URL, another machine's, or an address that is not the leased one: boot the machine anew",
    _had_it_after,
)  # fmt: skip
_broken_answer: Final = _told(
    "answer.failed", "broken-template", "answers",
    lambda event: f"the answer file {word(event, 'document')} could not be made: {word(event, 'error')}",
    "mend the template or the profile's answers; provd answer preview SYSTEM shows the file",
    _had_it_after,
)  # fmt: skip
_failed_install: Final = _told(
    "install.failed", "installer-failed", "installing",
    lambda event: ": ".join(
        filter(None, ("the installer says that it failed", word(event, "text") or word(event, "reason")))
    ),
    "the log lines before it say at what",
)  # fmt: skip


def _callback(boot: Boot) -> Iterator[Finding]:
    """A report that could not be taken: its plugin failed, or there is none of its name."""
    event = boot.last("callback.failed")
    if event is not None:
        yield _report(
            f"the report {word(event, 'name')} could not be taken: its plugin failed or rests",
            "provd plugin list names the plugin and its last error",
        )
        return
    lost = [one for one in boot.of("http.missed") if word(one, "role") == "callback"]
    refused = [word(one, "reason") for one in boot.of("answer.refused")]
    for one in reversed(lost):
        if word(one, "reason") not in refused:
            yield _report(
                f"a report could not be taken: {word(one, 'reason')}",
                "the template that posts it; provd answer preview SYSTEM shows what the installer runs",
            )
            return


def _report(cause: str, advice: str) -> Finding:
    return Finding("callback-failed", "installing", cause, advice)


def _no_loader(boot: Boot) -> Iterator[Finding]:
    event = boot.last("boot.none")
    if event is None or boot.session.action == "none" or word(event, "missing") or is_other_processor(boot):
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
    if is_other_processor(boot):
        yield Finding(
            "wrong-arch", "kernel",
            f"the machine says {boot.facts.kernels[0]}, distro {name} is for {wanted}",
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


_DOES: Final = (
    ("boot.none", ("BootLoader.", "provd_boot_plan", "provd_dhcp_")),
    ("tftp.missed", ("BootLoader.", "provd_file")),
    ("http.missed", ("BootLoader.", "provd_file")),
    ("answer.failed", ("Installer.", "Document.", "provd_answer_vars")),
)
"""What a boot lacks when these hooks of a plugin give nothing."""


def _absent_plugin(boot: Boot) -> Iterator[Finding]:
    """A plugin without whose answer the boot got something wrong."""
    hooks = [hook for kind, hooks in _DOES if kind in boot.kinds for hook in hooks]
    for one in boot.facts.troubles:
        if one.missing and any(f": {hook}" in one.told for hook in hooks):
            yield _trouble(boot, one)


def _slow_plugin(boot: Boot) -> Iterator[Finding]:
    """A plugin that was slow, failed or rested."""
    for one in boot.facts.troubles:
        yield _trouble(boot, one)


def _trouble(boot: Boot, one: Trouble) -> Finding:
    effect = "its answers are missing from this boot" if one.missing else "everything waited meanwhile"
    return Finding("slow-plugin", boot.session.step, f"plugin {one.told}; {effect}", _AGAIN)


_AGAIN: Final = "provd plugin stats shows its times; it is tried again by itself"


def _silence(boot: Boot) -> Iterator[Finding]:
    """The step that did not come, where nothing else explains it."""
    if not boot.stands or boot.session.action in {"none", "hold"}:
        return
    step = boot.session.step
    cause, advice = NEXT.get(step, ("", ""))
    if cause:
        rule = "no-report" if step in {"answers", "installing"} else "blocked-port"
        rule = "driver-missing" if step in {"initrd", "kernel"} else rule
        yield Finding(rule, step, cause + _where(boot), advice)


def _where(boot: Boot) -> str:
    """What is known beside, for the words of a silence."""
    if boot.session.step in {"answers", "installing"} and boot.facts.source:
        return f"; its packages come from {boot.facts.source}, not through provd: can it be reached from there?"
    asked = boot.last("dhcp.discover")
    relay = word(asked, "relay") if asked is not None else ""
    if boot.session.step == "ack" and relay:
        return f"; it came through the relay {relay}: is {boot.session.address} an address of that link?"
    return ""


RULES: Final[tuple[Rule, ...]] = (
    _wrong_cpu,
    held,
    _unknown,
    no_subnet,
    full_pool,
    elsewhere,
    refused_client,
    _callback,
    _absent_plugin,
    _no_loader,
    missing_file,
    _refused_token,
    _broken_answer,
    _failed_install,
    dead_source,
    loops,
    _slow_plugin,
    lost_offer,
    broken_transfer,
    _silence,
)
"""In the order of what explains most."""

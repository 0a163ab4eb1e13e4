"""What takes part in an installation: installers with their answer files, and callbacks of what they started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provd.model.boot import BootPlan, Location, Payload
from provd.model.profile import Profile


@dataclass(frozen=True, slots=True)
class Answer:
    """What a document renderer gets.

    Attributes:
        plan: the session's plan, token included.
        vars: values for the template: ``system``, ``profile``, ``distro``, ``hostname``, ``interfaces``,
            ``interface`` (the
            booting one, with ``mac``, ``address``, ``netmask``, ``prefix``, ``gateway``, ``dns``, ``domain``),
            ``install_url``,
            ``answer_url`` and ``callback_url`` (bases without a final slash), ``answers.*`` keys at top level and
            every variable of ``provd_answer_vars``.
        render: renders a template of the installer's folder (or the site's override) with ``vars``: sandboxed,
            undefined names are an error with template, line and name.
    """

    plan: BootPlan
    vars: Mapping[str, object]
    render: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Document:
    """One answer file.

    Attributes:
        render: makes its text.
        media_type: HTTP Content-Type.
    """

    render: Callable[[Answer], str]
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark of a lint: ``level`` is ``error`` or ``warning``."""

    level: str
    document: str
    text: str
    line: int = 0


def no_findings(_documents: Mapping[str, str], _profile: Profile) -> Sequence[Finding]:
    """The lint of an installer that has no judge of its own."""
    return ()


@dataclass(frozen=True, slots=True)
class Installer:
    """Puts a distro on the disk from rendered answers.

    Attributes:
        name: unique name, used as ``installer`` in distros and profiles.
        families: distro families it installs; empty for any.
        documents: file name below the answer URL to document.
        kernel_args: what this family's installer needs on its command line: answer URL, location and console are
            its own.
        payload: kernel and initrd of its own, or None for the distro's.
        templates: folder with its templates, or None.
        defaults: ``answers`` values that its templates may rely on; a profile overrides them key by key.
        lint: judges rendered documents (file name to text).
        ready: one sentence that says what is missing before it can install this profile, or empty.
        refuses: why it cannot install from a location, in a sentence, or empty.
        installs: False: its distros are only booted (a rescue system, a memory test); there is no token and no report,
            and plans have the action ``START``.
    """

    name: str
    families: tuple[str, ...]
    documents: Mapping[str, Document]
    kernel_args: Callable[[BootPlan], Sequence[str]]
    payload: Callable[[BootPlan], Payload | None] = lambda _plan: None
    templates: Path | None = None
    defaults: Mapping[str, object] = field(default_factory=dict)
    lint: Callable[[Mapping[str, str], Profile], Sequence[Finding]] = no_findings
    ready: Callable[[Profile], str] = lambda _profile: ""
    refuses: Callable[[Location], str] = lambda _location: ""
    installs: bool = True


@dataclass(frozen=True, slots=True)
class CallbackCall:
    """One POST of a running installer to ``/callback/TOKEN/NAME``.

    Attributes:
        name: what the installer called.
        body: octets, already capped at ``max_bytes``.
        plan: the session's plan.
        peer: source address.
    """

    name: str
    body: bytes
    plan: BootPlan
    peer: str


CALLBACK_FAILED = "callback.failed"
"""Event of a callback whose plugin failed or rests; the installer is told to report again."""


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """What a callback means.

    Attributes:
        event: kind of the event to record, as in ``install.progress``.
        fields: its details.
        outcome: empty, ``started``, ``finished``, ``failed`` or ``firstboot``: the core moves the session and the
            system on.
        reply: text for the installer.
    """

    event: str
    fields: Mapping[str, object] = field(default_factory=dict)
    outcome: str = ""
    reply: str = "ok\n"


@dataclass(frozen=True, slots=True)
class Callback:
    """A name an installer may post to.

    Attributes:
        name: unique name, the last part of the URL.
        max_bytes: longest body in octets.
        run: synchronous and quick; nothing it is given is ever executed or rendered as a template.
    """

    name: str
    max_bytes: int
    run: Callable[[CallbackCall], CallbackResult]

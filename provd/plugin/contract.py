"""What a plugin is and what it can register: values that the host reads once, at start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from provd.model.boot import BootFile, BootPlan, Location, Payload
from provd.model.client import ClientFacts
from provd.model.content import Content, FileRequest, NotFound
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.profile import Profile
from provd.model.system import System

API_VERSION = 1

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Plugin(Generic[S]):
    """A plugin: the value every plugin file binds to ``PLUGIN``.

    Attributes:
        name: unique; ``[plugins.NAME]`` configures it and the ``enabled`` list names it.
        settings: a ``msgspec.Struct`` with ``forbid_unknown_fields``; ``[plugins.NAME]`` is decoded into it.
        build: makes the object whose ``@hookimpl`` methods are called; state lives there, never in the module. An
            object with a ``close()`` method has it called when it is replaced or the service stops.
        api: contract version it was written for.
    """

    name: str
    settings: type[S]
    build: Callable[[S], object]
    api: int = API_VERSION


@dataclass(frozen=True, slots=True)
class BootLoader:
    """A program that firmware fetches and that fetches the kernel.

    Attributes:
        name: unique name, used in ``boot_loaders`` of a profile.
        select: the first file for this client, or None where this loader cannot serve it. Pure: facts in, answer out.
        files: served path to file on disk, the same over TFTP and HTTP; read on every request, so that payloads fetched
            later are found.
        is_config: whether a served path is a configuration file of this loader; pure and quick.
        config: the configuration for ``plan``. ``plan`` is None for a peer that nobody knows.
            ``NotFound(expected=True)`` for names in the loader's search order that this machine does not use.
        local_boot: the text that makes this loader boot the local disk, for ``config`` and ``provd explain``.
        choice: name of the entry of a menu that a configuration's path stands for, or empty; pure and quick. A loader
            that knows no menus boots the machine's own disk instead of showing one.
        lacks: name of the file without which ``select`` gave None to a client that this loader is made for; empty where
            it is not made for it. Pure; asked only where no loader was selected, so that a timeline can name the file.
    """

    name: str
    select: Callable[[ClientFacts, BootPlan], BootFile | None]
    files: Callable[[], Mapping[str, Path]]
    is_config: Callable[[str], bool]
    config: Callable[[FileRequest, BootPlan | None], Content | NotFound]
    local_boot: Callable[[BootPlan], str]
    choice: Callable[[str], str] = lambda _path: ""
    lacks: Callable[[ClientFacts, BootPlan], str] = lambda _client, _plan: ""


@dataclass(frozen=True, slots=True)
class InstallSource:
    """A way to reach packages.

    Attributes:
        name: unique name.
        schemes: URL schemes it answers for; an empty string stands for a path without a scheme.
        resolve: where the machine of ``plan`` finds ``url`` (the profile's source or the distro's tree); None
            where it cannot.
        file: a file of such a URL, for kernels and initial RAM disks; None where it has none to give. Called in the
            way of a packet, so it does not wait.
        probe: what a machine that reads such a URL would run into, in a sentence, or empty. Asked by ``provd check``;
            may block some seconds.
    """

    name: str
    schemes: tuple[str, ...]
    resolve: Callable[[str, BootPlan], Location | None]
    file: Callable[[str], Content | NotFound] | None = None
    probe: Callable[[str], str] = lambda _url: ""


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


class GiveUpError(Exception):
    """A trigger's failure that no further attempt would change; the text is kept as its output."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something run on an event.

    Attributes:
        name: unique name.
        on: event kinds, ``*`` as in file name patterns (``install.*``).
        timeout_s: seconds after which it is cancelled and counted as failed.
        run: a coroutine; what it returns is kept as its output (at most 4 KiB), an exception is a failure of this
            attempt, :class:`GiveUpError` one of all.
        attempts: attempts in all.
        backoff_s: seconds before the second attempt; doubles each time, an hour at most.
        most_at_once: events it works on at the same time; further ones wait.
        durable: what waits is on the disk: an attempt that a stop of provd prevented or cut off is made after the
            start. So it may be made twice; a receiver tells by the event's ``id``.
    """

    name: str
    on: tuple[str, ...]
    timeout_s: float
    run: Callable[[Event], Awaitable[str]]
    attempts: int = 1
    backoff_s: float = 2.0
    most_at_once: int = 8
    durable: bool = False


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


@dataclass(frozen=True, slots=True)
class Inventory:
    """Systems known elsewhere, loaded in the background into a snapshot, never in the packet path.

    Attributes:
        name: unique name; its systems have the origin ``inventory:NAME``.
        refresh_s: seconds between loads.
        load: a coroutine that returns all its systems.
    """

    name: str
    refresh_s: float
    load: Callable[[], Awaitable[Iterable[System]]]


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a user may do whom an authenticator vouches for.

    Attributes:
        role: ``read``, ``operate`` or ``admin``; anything else lets nobody in.
        groups: names under which the user owns objects.
    """

    role: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Judges passwords of users that provd does not have itself.

    Attributes:
        name: unique name; kept with the login as its origin.
        check: a coroutine; gets user and password as they were typed, returns None for "no". An exception lets nobody
            in, and the next authenticator is asked. It must end by itself: a login waits for it.
    """

    name: str
    check: Callable[[str, str], Awaitable[Vouched | None]]


@dataclass(frozen=True, slots=True)
class Daemon:
    """A server of somebody else's that runs beside provd, in a process and with rights of its own.

    provd never starts it: its children have no rights. ``provd daemon run NAME``, as in a unit of systemd, does.

    Attributes:
        name: unique name.
        summary: one sentence.
        argv: program and arguments; ``{folder}`` stands for the folder of ``configuration``.
        configuration: file name to text, written before each start.
        folders: absolute paths that it needs, made where they are missing.
    """

    name: str
    summary: str
    argv: tuple[str, ...]
    configuration: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that appears in the API and the CLI alike.

    Attributes:
        name: ``noun.verb``.
        summary: one sentence.
        permission: ``read``, ``operate`` or ``admin``.
        arguments: a ``msgspec.Struct`` type.
        run: gets the decoded arguments and returns what msgspec can encode; may be a coroutine function.
        example: a command line.
        result: what comes back, in a sentence, for the reference.
    """

    name: str
    summary: str
    permission: str
    arguments: type
    run: Callable[..., object]
    example: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """An unknown machine becomes a system.

    Attributes:
        name: pattern of its name, as ``node-{number:3}``; see :mod:`provd.core.naming`.
        profile: its profile; empty: it waits with a name.
        tags: its tags.
        reason: why, in a few words; it becomes the system's comment.
    """

    name: str
    profile: str = ""
    tags: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change somebody asked for, before it happens.

    Attributes:
        kind: ``system.add``, ``system.edit`` or ``system.remove``, likewise with ``profile``, ``distro``, ``repo``,
            ``image`` and ``menu``; of the last three, and of a profile that can only be inherited, the tables of files.
        name: object name.
        before: the object now, None for an addition.
        after: the object as it would be, None for a removal.
    """

    kind: str
    name: str
    before: System | Profile | Distro | Mapping[str, object] | None
    after: System | Profile | Distro | Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Veto:
    """The change is refused; ``reason`` is shown to whoever asked."""

    reason: str

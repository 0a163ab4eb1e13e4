"""What a plugin is and what it can register: values that the host reads once, at start.

What takes part in an installation, installers and callbacks, is in :mod:`provd.plugin.contract_install`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from provd.model.boot import BootFile, BootPlan, Location
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
        triggers: the setting that lists its triggers, each a table with a ``name``. One that is wrong is left out at a
            start and told, and the others work; what is wrong elsewhere in the settings leaves the plugin off.
        guards: it is there to refuse machines or changes. Where it is off, everything is refused in its place, as
            where ``critical`` names it: letting through what it would refuse is worse.
    """

    name: str
    settings: type[S]
    build: Callable[[S], object]
    api: int = API_VERSION
    triggers: str = ""
    guards: bool = False


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
        settings: structure of ``[loader.NAME]`` of a profile, by which ``provd check`` judges it; None: anything goes.
    """

    name: str
    select: Callable[[ClientFacts, BootPlan], BootFile | None]
    files: Callable[[], Mapping[str, Path]]
    is_config: Callable[[str], bool]
    config: Callable[[FileRequest, BootPlan | None], Content | NotFound]
    local_boot: Callable[[BootPlan], str]
    choice: Callable[[str], str] = lambda _path: ""
    lacks: Callable[[ClientFacts, BootPlan], str] = lambda _client, _plan: ""
    settings: type | None = None


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
        doubts: what would keep it from working as things are now, a sentence each: a program that is not there, a file
            that cannot be read. Asked by ``provd check``, never for an event; it may look at files.
    """

    name: str
    on: tuple[str, ...]
    timeout_s: float
    run: Callable[[Event], Awaitable[str]]
    attempts: int = 1
    backoff_s: float = 2.0
    most_at_once: int = 8
    durable: bool = False
    doubts: Callable[[], Iterable[str]] = tuple


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

"""Rules on what a plugin registers: loaders, installers, sources, triggers, callbacks, inventories, operations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from provd.model.boot import Action, BootFile, BootPlan
from provd.model.content import Content, NotFound
from provd.model.event_kinds import EVENT_KINDS
from provd.model.menu import Menu, MenuEntry
from provd.model.profile import Profile
from provd.plugin.contract import BootLoader, InstallSource
from provd.plugin.contract_install import CallbackCall, CallbackResult, Installer
from provd.testing.conformance import strange
from provd.testing.conformance.examined import Examined
from provd.testing.documents import documents
from provd.testing.samples import plan

MOST_CALLBACK = 16 << 20
"""Octets that a report of an installer may have at most."""
_OPERATION = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")

_MENU: Final = plan(Action.MENU, menu=Menu("boot", "Machines", (MenuEntry("rescue", "Rescue", installs=False),)))
"""A machine that is shown a menu; a loader that knows none boots its disk."""


def loaders_keep_their_contract(one: Examined) -> Iterator[str]:
    """A boot loader takes or leaves every machine, knows its own configuration, and can always boot the disk."""
    for loader in one.host.boot_loaders.values():
        yield from (f"loader {loader.name}: {text}" for text in _loader(loader))


def _loader(loader: BootLoader) -> Iterator[str]:
    for client in strange.clients():
        made = plan(client=client)
        chosen: object = loader.select(client, made)
        if chosen is not None and not isinstance(chosen, BootFile):
            yield f"select gives {type(chosen).__name__} for {client.arch}: a BootFile or None"
        if client.arch is None and chosen is not None:
            yield "select gives a file to a client that does not boot by network"
    for path, file in loader.files().items():
        if path.startswith("/") or ".." in path.split("/") or not file.is_file():
            yield f"files serves {path!r} from {file}: a relative path of a file that is there"
    for request in strange.file_requests():
        if loader.is_config(request.path):
            yield from _config(loader, request.path)
    for action in (Action.LOCAL, Action.HOLD):
        if not loader.local_boot(plan(action, reason="no installation is wanted")).strip():
            yield f"local_boot is empty for {action.name.lower()}: a machine would stop in its loader"


def _config(loader: BootLoader, path: str) -> Iterator[str]:
    request = next(one for one in strange.file_requests() if one.path == path)
    others = (plan(Action.LOCAL), plan(Action.HOLD, reason=strange.AWKWARD[1]), plan(Action.START), _MENU)
    for made in (None, plan(), *others):
        answer: object = loader.config(request, made)
        if not isinstance(answer, Content | NotFound):
            yield f"config gives {type(answer).__name__} for {path!r}: a Content or NotFound"
        elif made is not None and made.action is Action.INSTALL and isinstance(answer, Content):
            if not isinstance(answer.body, bytes) or made.kernel.encode() not in answer.body:
                yield f"the configuration at {path!r} of a machine that installs does not name its kernel"
            elif "no-store" not in answer.headers.get("Cache-Control", ""):
                yield f"the configuration at {path!r} carries the install token: Content.text(..., secret=True)"


def installers_keep_their_contract(one: Examined) -> Iterator[str]:
    """An installer renders for awkward machines, its judge finds no error, it reports, and its kernel line is safe."""
    for installer in one.host.installers.values():
        yield from (f"installer {installer.name}: {text}" for text in _installer(installer))


def _installer(installer: Installer) -> Iterator[str]:
    family = installer.families[0] if installer.families else "debian"
    for profile in strange.profiles(family, installer.name):
        if missing := installer.ready(profile):
            # It needs something of its own (an image, a tree of another form); what it says must be a sentence.
            if len(missing.split()) < 3:
                yield f"ready says {missing!r}: one sentence that tells the operator what to do"
            continue
        for system in strange.systems():
            made = plan(system=system, profile=profile, kernel_args=())
            yield from _rendered(installer, made, profile, system.name[:12])


def _rendered(installer: Installer, made: BootPlan, profile: Profile, name: str) -> Iterator[str]:
    for argument in installer.kernel_args(made):
        if any(ord(character) < 32 for character in argument):
            yield f"kernel_args has a control character in {argument!r} for {name}"
        if "$6$" in argument or "$y$" in argument:
            yield f"kernel_args shows a password hash for {name}: it belongs into the answer file"
    if installer.templates is None:
        return
    texts = documents(installer, made, **profile.answers)
    empty = [title for title, text in texts.items() if not text.strip()]
    if empty:
        yield f"{', '.join(empty)} is empty for {name}"
    # Some write the path alone, because their tool wants host and path apart.
    if made.callback_url().removeprefix(made.http_base) not in "".join(texts.values()):
        yield "no document names callback_url: a machine that never reports is installed again, then held"
    for finding in installer.lint(texts, profile):
        if finding.level == "error":
            yield f"its judge refuses {finding.document} of {name}: {finding.text}"


def sources_keep_their_contract(one: Examined) -> Iterator[str]:
    """A source leaves URLs of other schemes alone and never lets one out of its tree."""
    for source in one.host.install_sources.values():
        yield from (f"source {source.name}: {text}" for text in _source(source))


def _source(source: InstallSource) -> Iterator[str]:
    made = plan()
    if not source.schemes:
        yield "it answers for no scheme, so nobody can choose it"
    for scheme in source.schemes:
        for rest in ("x", "x/../../etc", "//10.88.0.9/tree", "", *strange.AWKWARD):
            url = f"{scheme}:{rest}" if scheme else rest
            found = source.resolve(url, made)
            if found is not None and ".." in found.path.split("/"):
                yield f"resolve({url!r}) leads out of its tree: {found.path}"
            given: object = source.file(url) if source.file is not None else None
            if given is not None and not isinstance(given, Content | NotFound):
                yield f"file({url!r}) gives neither a Content nor a NotFound"


def triggers_keep_their_contract(one: Examined) -> Iterator[str]:
    """A trigger listens to events that there are, ends in time, and is a coroutine."""
    for trigger in one.host.triggers.values():
        for pattern in trigger.on:
            if not any(fnmatchcase(kind, pattern) for kind in EVENT_KINDS):
                known = ", ".join(EVENT_KINDS)
                yield f"trigger {trigger.name}: no event of provd is like {pattern!r}; there are {known}"
        if not 0 < trigger.timeout_s <= 3600:
            yield f"trigger {trigger.name}: timeout_s is {trigger.timeout_s}: more than 0, at most an hour"
        if not inspect.iscoroutinefunction(trigger.run):
            yield f"trigger {trigger.name}: run is no coroutine function (async def)"


def callbacks_keep_their_contract(one: Examined) -> Iterator[str]:
    """A callback caps what it takes and makes an event of whatever octets come."""
    for callback in one.host.callbacks.values():
        if not 0 < callback.max_bytes <= MOST_CALLBACK:
            yield f"callback {callback.name}: max_bytes is {callback.max_bytes}: at most {MOST_CALLBACK}"
        for body in (b"", b"\xff\x00" * 50, b"{", b"a=1&b", "ü".encode() * 10):
            try:
                result: object = callback.run(CallbackCall(callback.name, body, plan(), "10.88.0.133"))
            except ValueError:
                continue
            if not isinstance(result, CallbackResult):
                yield f"callback {callback.name}: run gives {type(result).__name__}: a CallbackResult"


def operations_keep_their_contract(one: Examined) -> Iterator[str]:
    """An operation is noun.verb, has a permission, a summary and an example that begins with its command."""
    for operation in one.host.operations.values():
        name = f"operation {operation.name}"
        if not _OPERATION.fullmatch(operation.name):
            yield f"{name}: its name is noun.verb, in small letters"
        if operation.permission not in {"read", "operate", "admin"}:
            yield f"{name}: its permission is {operation.permission!r}: read, operate or admin"
        if not operation.summary.strip().endswith("."):
            yield f"{name}: its summary is a sentence"
        if not operation.example.startswith("provd " + operation.name.replace(".", " ")):
            yield f"{name}: its example is a command line: provd {operation.name.replace('.', ' ')} ..."


def inventories_keep_their_contract(one: Examined) -> Iterator[str]:
    """An inventory is loaded in the background, not more often than every second."""
    for inventory in one.host.inventories.values():
        if inventory.refresh_s < 1:
            yield f"inventory {inventory.name}: refresh_s is {inventory.refresh_s}: at least 1"
        if not inspect.iscoroutinefunction(inventory.load):
            yield f"inventory {inventory.name}: load is no coroutine function (async def)"

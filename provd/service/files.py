"""Whose file is it? One decision for TFTP, HTTP and every later protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from twisted.logger import Logger

from provd.model.boot import Action, BootPlan
from provd.model.content import Content, FileBody, FileRequest, NotFound
from provd.model.scrub import scrub_path
from provd.plugin.beneath import etag_of
from provd.plugin.contract import BootLoader
from provd.service import boot_files, installs
from provd.service.boot_files import BootFiles
from provd.service.installs import Installs
from provd.service.menu_choices import MenuChoices
from provd.service.ports import FileHost
from provd.service.sessions import Boot, Sessions
from provd.service.tokens import Tokens

PlanOf = Callable[[Boot], BootPlan]

_FRESH_S: Final = 1.0


class FileService:
    """Answers file requests, in this order: answers, callbacks, boot files, loader configurations, loaders, plugins."""

    def __init__(
        self,
        *,
        host: FileHost,
        sessions: Sessions,
        with_arguments: Callable[[BootPlan], BootPlan],
        files: BootFiles,
        installs: Installs,
        tokens: Tokens,
        plan_of: PlanOf,
        served_local: Callable[[Boot], None],
        boot_of: Callable[[str], Boot | None],
        claimed: Callable[[str, str], Boot | None] = lambda _peer, _path: None,
        admitted: Callable[[Boot, BootPlan, str], BootPlan] = lambda _boot, plan, _peer: plan,
        menus: MenuChoices,
        seconds: Callable[[], float],
    ) -> None:
        """Take collaborators.

        Args:
            host: the plugin host.
            sessions: running boots.
            with_arguments: gives a plan its whole command line.
            files: kernels and initrds.
            installs: answers and callbacks.
            tokens: mints the session's token.
            plan_of: the plan of a boot, made again after a restart.
            served_local: called when a local boot's configuration was made.
            boot_of: the boot of the machine at an address (dotted quad).
            claimed: the boot that an address makes its own by the path it asks for, where DHCP told no address.
            admitted: the plan that an installing boot is given now: its own, or one that waits.
            menus: shows menus, and hears of choices.
            seconds: monotonic time.
        """
        self._menus = menus
        self._seconds = seconds
        self._known_files: dict[str, tuple[BootLoader, float, Mapping[str, Path]]] = {}
        self._host = host
        self._sessions = sessions
        self._with_arguments = with_arguments
        self._files = files
        self._installs = installs
        self._tokens = tokens
        self._plan_of = plan_of
        self._served_local = served_local
        self._boot_of = boot_of
        self._claimed = claimed
        self._admitted = admitted
        self._logger = Logger(namespace="provd.files")

    def open(self, request: FileRequest) -> Content | NotFound:
        """The answer to one request; never raises."""
        try:
            return self._open(request)
        except Exception:  # noqa: BLE001  a request must never stop a listener
            self._logger.failure("{path} failed", path=scrub_path(request.path))
            return NotFound("internal error; the log has it", status=500)

    def _open(self, request: FileRequest) -> Content | NotFound:
        if request.path.startswith(installs.ANSWER):
            return self._installs.answer(request)
        if request.path.startswith(installs.CALLBACK):
            return self._installs.callback(request)
        if request.path.startswith(boot_files.PREFIX):
            return self._boot_file(request)
        boot = self._claimed(request.peer, request.path) or self._boot_of(request.peer)
        for loader in self._loaders(boot):
            if loader.is_config(request.path):
                return self._config(request, loader, boot)
            file = self._files_of(loader).get(request.path)
            if file is not None:
                return _on_disk(FileBody(file), request.path)
        found = self._host.file(request)
        return found if found is not None else NotFound(f"nobody serves {request.path}")

    def _files_of(self, loader: BootLoader) -> Mapping[str, Path]:
        """What a loader serves, looked up once a second: a rack that boots asks for thousands of files."""
        now, known = self._seconds(), self._known_files.get(loader.name)
        if known is None or known[0] is not loader or now - known[1] >= _FRESH_S:
            known = self._known_files[loader.name] = (loader, now, loader.files())
        return known[2]

    def _loaders(self, boot: Boot | None) -> list[BootLoader]:
        """Boot loaders, the one the machine was given first."""
        mine = boot.session.loader if boot else ""
        return sorted(self._host.boot_loaders.values(), key=lambda loader: loader.name != mine)

    def _boot_file(self, request: FileRequest) -> Content | NotFound:
        file = self._files.find(request.path)
        if file is None:
            boot = self._boot_of(request.peer)
            if boot is not None:
                self._plan_of(boot)  # after a restart this publishes the boot's files again
                file = self._files.find(request.path)
        if isinstance(file, Path):
            return _on_disk(FileBody(file), request.path)
        return file if file is not None else NotFound(f"no boot file {request.path}")

    def _config(self, request: FileRequest, loader: BootLoader, boot: Boot | None) -> Content | NotFound:
        """A loader's configuration; one that holds a token is made only for the bound address."""
        if boot is None:
            return loader.config(request, None)
        plan = replace(self._plan_of(boot), loader=loader.name)
        if plan.action is Action.MENU or loader.choice(request.path):
            shown = self._menu(request, loader, boot, plan)
            if isinstance(shown, NotFound):
                return shown
            plan = shown
        if plan.action is Action.INSTALL:
            bound = boot.session.bound
            if bound and request.peer != bound:
                return NotFound(f"the configuration is bound to another address than {request.peer}", status=403)
            plan = self._admitted(boot, plan, request.peer)
        if plan.action is Action.INSTALL:
            plan = self._with_arguments(self._tokens.for_plan(boot, plan, request.peer))
        elif plan.action is Action.START:
            plan = self._with_arguments(plan)
        content = loader.config(request, plan)
        if isinstance(content, NotFound):
            return content
        waits = plan.action is Action.WAIT
        secret = {"Cache-Control": "no-store"} if plan.token or waits else {}
        fields = {"path": request.path, "loader": loader.name, "action": plan.action.value, "reason": plan.reason}

        def sent(_octets: int) -> None:
            if waits:  # its plan is not decided before it is let in
                return
            self._sessions.reach(boot, "config")
            self._sessions.note(boot, "config.served", fields)
            self._over(boot, plan)

        return replace(content, headers={**content.headers, **secret}, on_sent=sent)

    def _menu(self, request: FileRequest, loader: BootLoader, boot: Boot, plan: BootPlan) -> BootPlan | NotFound:
        """The plan of a machine that is shown the menu, or that comes back from it with a choice."""
        name = loader.choice(request.path)
        if not name:
            return self._menus.shown(plan)
        chosen = self._menus.chosen(boot, plan, name, request.peer)
        return chosen if isinstance(chosen, NotFound) else replace(chosen, loader=loader.name)

    def _over(self, boot: Boot, plan: BootPlan) -> None:
        """Some configurations are the last that provd hears of a boot."""
        if plan.action is Action.MENU and boot.session.outcome == "running":
            self._sessions.end(boot, "menu")  # a choice takes it up again
        if plan.action in {Action.LOCAL, Action.HOLD}:
            self._local(boot, plan)

    def _local(self, boot: Boot, plan: BootPlan) -> None:
        """The machine was sent to its own disk: this boot is over for the network."""
        if boot.session.outcome != "running":
            return
        kind = "boot.held" if plan.action is Action.HOLD else "boot.local"
        self._sessions.note(boot, kind, {"reason": plan.reason})
        self._sessions.end(boot, "local")
        self._served_local(boot)


def _on_disk(body: FileBody, served: str) -> Content | NotFound:
    try:
        status = body.path.stat()
    except OSError as error:
        return NotFound(f"{served}: {error.strerror}")
    return Content(body=body, length=status.st_size, mtime=status.st_mtime, etag=etag_of(status))

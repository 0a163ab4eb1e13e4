"""What the listeners saw of a transfer becomes steps and events of the machine's boot."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provd.model.content import FileRequest
from provd.model.scrub import scrub_path
from provd.model.session import step_reached
from provd.service import installs
from provd.service.sessions import Boot, Sessions


class FileEvents:
    """Turns what the listeners saw of a transfer into steps and events of the machine's boot."""

    def __init__(
        self, *, sessions: Sessions, boot_of: Callable[[str], Boot | None], fetched_all: Callable[[Boot], None]
    ) -> None:
        """Take collaborators.

        Args:
            sessions: running boots.
            boot_of: the boot of the machine at an address (dotted quad).
            fetched_all: called once when kernel and every initrd of an install left completely.
        """
        self._sessions = sessions
        self._boot_of = boot_of
        self._fetched_all = fetched_all

    def on_event(self, kind: str, request: FileRequest, fields: Mapping[str, object]) -> None:
        """One observation of a listener: ``tftp.sent``, ``http.sent``, ``tftp.failed``, ...

        Args:
            kind: event kind of the listener.
            request: the request it belongs to.
            fields: bytes, seconds, retries, reason.
        """
        boot = self._boot_of(request.peer)
        if boot is None:
            return
        role = self._role(request.path, boot)
        if kind.endswith(".sent"):
            if role == "package":
                self._package(boot, request, fields)
                return
            if request.method != "HEAD":
                self._advance(boot, request, role)
        self._sessions.note(boot, kind, {"path": scrub_path(request.path), "role": role, **fields})

    def _package(self, boot: Boot, request: FileRequest, fields: Mapping[str, object]) -> None:
        """Packages come by the thousand: the first is an event, the rest are counted for the summary."""
        octets = fields.get("bytes", 0)
        boot.packages += 1
        boot.package_bytes += octets if isinstance(octets, int) else 0
        if boot.packages == 1:
            self._sessions.note(boot, "package.first", {"path": request.path})

    def _advance(self, boot: Boot, request: FileRequest, role: str) -> None:
        if role in {"loader", "kernel", "initrd"}:
            self._sessions.reach(boot, role)
        if role in {"kernel", "initrd"} and self._sessions.fetched(boot, request.path):
            self._fetched_all(boot)

    @staticmethod
    def _role(path: str, boot: Boot) -> str:
        """What the path is to this boot."""
        plan = boot.plan
        if plan is not None and path == plan.kernel:
            return "kernel"
        if plan is not None and path in plan.initrd:
            return "initrd"
        if path.startswith(installs.ANSWER):
            return "answer"
        if path.startswith(installs.CALLBACK):
            return "callback"
        return "package" if step_reached(boot.session, "kernel") else "loader"

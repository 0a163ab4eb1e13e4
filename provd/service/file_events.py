"""What the listeners saw of a transfer becomes steps and events of the machine's boot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from provd.model.content import FileRequest
from provd.model.scrub import scrub_path
from provd.model.session import step_reached
from provd.service import installs
from provd.service.sessions import Boot, Sessions

_TOLD_ELSEWHERE: Final = frozenset({"answer", "callback", "config"})
"""Roles whose success is an event of its own (``answer.served``, ``install.*``, ``config.served``)."""

_ROUTINE: Final = frozenset({"request", "sent", "partial", "unchanged"})
"""Ends of a request that went well."""


class FileEvents:
    """Listens to the file listeners."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        boot_of: Callable[[str], Boot | None],
        is_config: Callable[[str], bool],
        fetched_all: Callable[[Boot], None],
    ) -> None:
        """Take collaborators.

        Args:
            sessions: running boots.
            boot_of: the boot of the machine at an address (dotted quad).
            is_config: whether a served path is a configuration of some boot loader.
            fetched_all: called once when kernel and every initrd of an install left completely.
        """
        self._sessions = sessions
        self._boot_of = boot_of
        self._is_config = is_config
        self._fetched_all = fetched_all

    def on_event(self, kind: str, request: FileRequest, fields: Mapping[str, object]) -> None:
        """One observation of a listener.

        Args:
            kind: ``tftp.request``, ``tftp.sent``, ``tftp.missed``, ``tftp.aborted``, ``tftp.failed``; HTTP alike.
            request: the request it belongs to.
            fields: bytes, seconds, retries, reason, ...
        """
        boot = self._boot_of(request.peer)
        if boot is None or request.method == "HEAD":
            return
        what = kind.partition(".")[2]
        if what != "request" and request.path in boot.fetching:
            boot.fetching -= {request.path}
        if fields.get("expected"):
            return
        role = self._role(request.path, boot)
        if what == "request" and role == "package":
            # It may be a whole medium, of which nothing is heard for minutes until it has left.
            boot.fetching |= {request.path}
            self._sessions.alive(boot)
        if what in {"sent", "partial"} and role == "package":
            self._package(boot, request, fields)
        if what == "sent" and role in {"loader", "kernel", "initrd"}:
            self._sessions.reach(boot, role)
        if what in _ROUTINE and (role in _TOLD_ELSEWHERE or role == "package"):
            return
        told = {key: scrub_path(value) if isinstance(value, str) else value for key, value in fields.items()}
        details = {"path": scrub_path(request.path), "role": role, **told}
        if what == "sent" and role in {"kernel", "initrd"}:
            self._sessions.note(boot, f"{role}.fetched", {**details, "protocol": request.protocol})
        else:
            self._sessions.note(boot, kind, details)
        if what == "sent" and role in {"kernel", "initrd"} and self._sessions.fetched(boot, request.path):
            self._fetched_all(boot)

    def _package(self, boot: Boot, request: FileRequest, fields: Mapping[str, object]) -> None:
        """Packages come by the thousand: the first is an event, the rest are counted for the summary."""
        octets = fields.get("bytes", 0)
        boot.packages += 1
        boot.package_bytes += octets if isinstance(octets, int) else 0
        # An installer that fetches for half an hour stands not still.
        self._sessions.alive(boot)
        if boot.packages == 1:
            self._sessions.note(boot, "package.first", {"path": request.path})

    def _role(self, path: str, boot: Boot) -> str:
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
        if self._is_config(path):
            return "config"
        return "package" if step_reached(boot.session, "kernel") else "loader"

"""What running installers may report: started, progress, log, finished, failed, firstboot, and names of your own.

    [plugins.install_callbacks]
    log_max_bytes = 65536
    log_lines = 200                # of one upload; older ones are left out

    [[plugins.install_callbacks.named]]
    name = "disks-ready"
    event = "install.disks-ready"

An installer posts to ``/callback/TOKEN/NAME``. ``progress`` takes ``percent=40 done=123 total=456 text=unpacking``,
every part optional; ``failed`` takes a reason; ``log`` takes lines. What is posted is kept as text and never run or
rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Literal

from provd.plugin.api import Callback, CallbackCall, CallbackResult, Plugin, Settings, hookimpl, scrub, scrub_line

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"\b(percent|done|total)=(\d{1,18})(?:\.\d+)?(?=\s|$)")
_LONGEST_TEXT = 500
_SMALL = 4096
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Named(Settings, frozen=True):
    """A callback of the site.

    Attributes:
        name: last part of the URL.
        event: kind of the event it records; triggers can wait for it.
        outcome: moves the install on, or empty.
        max_bytes: longest body.
    """

    name: str
    event: str
    outcome: Literal["", "started", "finished", "failed", "firstboot"] = ""
    max_bytes: int = _SMALL

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} must be lower case letters, digits and dashes")


class SettingsOfInstallCallbacks(Settings, frozen=True):
    """Limits of log uploads, and the site's own callbacks."""

    log_max_bytes: int = 65536
    log_lines: int = 200
    named: tuple[Named, ...] = ()


class InstallCallbacks:
    """Turns posts into events."""

    def __init__(self, settings: SettingsOfInstallCallbacks) -> None:
        self._settings = settings

    @hookimpl
    def provd_callbacks(self) -> Iterable[Callback]:
        yield Callback("started", _SMALL, partial(_plain, "install.started", "started"))
        yield Callback("progress", _SMALL, progress)
        yield Callback("log", self._settings.log_max_bytes, self.log)
        yield Callback("finished", _SMALL, partial(_plain, "install.finished", "finished"))
        yield Callback("failed", _SMALL, partial(_plain, "install.failed", "failed"))
        yield Callback("firstboot", _SMALL, partial(_plain, "install.firstboot", "firstboot"))
        for named in self._settings.named:
            yield Callback(named.name, named.max_bytes, partial(_plain, named.event, named.outcome))

    def log(self, call: CallbackCall) -> CallbackResult:
        """Lines of the installer's log, the newest ones."""
        lines = [scrub_line(line)[:_LONGEST_TEXT] for line in clean(call.body).splitlines() if line.strip()]
        kept = lines[-self._settings.log_lines :]
        return CallbackResult("install.log", {"lines": kept, "left_out": len(lines) - len(kept)})


def clean(body: bytes) -> str:
    """Text of a body without control characters and without our own tokens."""
    return scrub(_CONTROL.sub("", body.decode("utf-8", "replace").replace("\r", "\n")))


def progress(call: CallbackCall) -> CallbackResult:
    """Numbers and a text; a percentage is computed from done and total where it is missing."""
    numbers, _, text = clean(call.body).partition("text=")
    fields: dict[str, object] = {key: int(value) for key, value in _NUMBER.findall(numbers)}
    done, total = fields.get("done"), fields.get("total")
    if "percent" not in fields and isinstance(done, int) and isinstance(total, int) and total > 0:
        fields["percent"] = done * 100 // total
    if isinstance(fields.get("percent"), int):
        fields["percent"] = min(100, int(str(fields["percent"])))
    if text.strip():
        fields["text"] = text.strip().splitlines()[0][:_LONGEST_TEXT]
    return CallbackResult("install.progress", fields)


def _plain(event: str, outcome: str, call: CallbackCall) -> CallbackResult:
    text = clean(call.body).strip()[:_LONGEST_TEXT]
    return CallbackResult(event, {"text": text} if text else {}, outcome=outcome)


PLUGIN = Plugin(name="install_callbacks", settings=SettingsOfInstallCallbacks, build=InstallCallbacks)

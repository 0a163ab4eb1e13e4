"""Posts events as JSON to a URL.

    [[plugins.trigger_webhook.hooks]]
    name = "cmdb"
    on = ["install.*"]
    url = "https://cmdb.example.org/provd"
    secret_file = "/etc/provd/cmdb.secret"   # optional; mode 0600

The body is the event: ``kind``, ``at`` (seconds since the epoch), ``system``, ``mac``, ``session``, ``fields``, ``id``.
With a secret the header ``X-Provd-Signature`` is ``sha256=`` and the HMAC-SHA256 (RFC 2104) of the body in hex; ``id``
and ``at`` let a receiver refuse replays. A status of 500 and above, 408, 429, and network errors are tried again after
``backoff_s``, then twice that, and so on; any other status outside 200 to 299 is a failure at once. What waits is on
the disk: a restart of provd loses nothing, and may post an event twice.
"""

from __future__ import annotations

import hashlib
import hmac
import stat
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from provd.plugin.api import Event, GiveUpError, Plugin, Runtime, Settings, Trigger, hookimpl, scrub_value

_AGAIN = frozenset({408, 429})


class Hook(Settings, frozen=True):
    """One receiver.

    Attributes:
        name: of the trigger.
        on: event kinds, ``*`` as in file names.
        url: http or https, without user and password.
        secret_file: file whose content, without surrounding white space, is the HMAC key; empty for no signature.
        timeout_s: seconds for one attempt.
        attempts: attempts in all.
        backoff_s: seconds before the second attempt; doubles each time, an hour at most.
        most_at_once: events that are posted at the same time; further ones wait.
    """

    name: str
    on: tuple[str, ...]
    url: str
    secret_file: str = ""
    timeout_s: float = 10.0
    attempts: int = 8
    backoff_s: float = 2.0
    most_at_once: int = 4

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"url of {self.name!r} must be http or https with a host and without a password")
        if min(self.attempts, self.most_at_once) < 1 or self.timeout_s <= 0 or self.backoff_s < 0:
            raise ValueError(f"{self.name!r}: attempts, most_at_once, timeout_s and backoff_s must be positive")


class SettingsOfTriggerWebhook(Settings, frozen=True):
    """``hooks``: who is told."""

    hooks: tuple[Hook, ...] = ()


class TriggerWebhook:
    """Posts through the runtime; secrets are read once, an unreadable one stops the start."""

    def __init__(self, settings: SettingsOfTriggerWebhook) -> None:
        self._hooks = settings.hooks
        self._keys = {hook.name: _secret(Path(hook.secret_file)) for hook in self._hooks if hook.secret_file}
        self._runtime: Runtime | None = None

    def start(self, runtime: Runtime) -> None:
        """Keep what sends requests."""
        self._runtime = runtime

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        for hook in self._hooks:
            yield Trigger(
                hook.name,
                hook.on,
                hook.timeout_s + 5,
                partial(self.post, hook),
                attempts=hook.attempts,
                backoff_s=hook.backoff_s,
                most_at_once=hook.most_at_once,
                durable=True,
            )

    async def post(self, hook: Hook, event: Event) -> str:
        """Send one event; returns the receiver's status."""
        if self._runtime is None:
            raise RuntimeError("provd is not running")
        body = msgspec.json.encode(scrub_value(msgspec.to_builtins(event)))
        headers = {"Content-Type": "application/json", "X-Provd-Event": event.kind}
        if hook.name in self._keys:
            headers["X-Provd-Signature"] = signature(self._keys[hook.name], body)
        status, _ = await self._runtime.http_request(
            "POST", hook.url, body=body, headers=headers, timeout_s=hook.timeout_s
        )
        if 200 <= status < 300:
            return f"status {status}"
        if status < 500 and status not in _AGAIN:
            raise GiveUpError(f"{hook.name}: status {status}")
        raise ConnectionError(f"{hook.name}: status {status}")


def signature(key: bytes, body: bytes) -> str:
    """Value of the signature header."""
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"


def _secret(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"{path} may be read by others; use chmod 600")
    key = path.read_bytes().strip()
    if not key:
        raise ValueError(f"{path} is empty")
    return key


PLUGIN = Plugin(name="trigger_webhook", settings=SettingsOfTriggerWebhook, build=TriggerWebhook)

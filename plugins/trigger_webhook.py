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
from urllib.parse import SplitResult, urlsplit

import msgspec

from provd.plugin.api import (
    Delivery,
    Event,
    GiveUpError,
    KeepsRuntime,
    Plugin,
    Settings,
    Trigger,
    hookimpl,
    scrub_value,
)

_AGAIN = frozenset({408, 429})


class Hook(Delivery, frozen=True, kw_only=True):
    """One receiver.

    Attributes:
        name: of the trigger.
        on: event kinds, ``*`` as in file names.
        url: http or https, without user and password.
        secret_file: file whose content, without surrounding white space, is the HMAC key; empty for no signature.
        timeout_s: seconds for one attempt; like ``attempts``, ``backoff_s`` and ``most_at_once`` of ``Delivery``.
    """

    name: str
    on: tuple[str, ...]
    url: str
    secret_file: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"url of {self.name!r} must be http or https with a host and without a password")
        if not self.url.isascii() or not self.url.isprintable() or " " in self.url or not _has_port(parts):
            raise ValueError(f"url of {self.name!r} must be ASCII without spaces, its port from 1 to 65535")
        if self.secret_file and not Path(self.secret_file).is_absolute():
            raise ValueError(f"secret_file of {self.name!r} must be an absolute path")

    def doubts(self) -> Iterable[str]:
        """Why it could not be signed now."""
        try:
            self.key()
        except (OSError, ValueError) as error:
            yield f"secret_file: {error}"

    def key(self) -> bytes:
        """The HMAC key, read anew each time so that it can be changed; empty for no signature.

        Raises:
            OSError, ValueError: it cannot be read, others may read it, or it is empty.
        """
        return _secret(Path(self.secret_file)) if self.secret_file else b""


class SettingsOfTriggerWebhook(Settings, frozen=True):
    """``hooks``: who is told."""

    hooks: tuple[Hook, ...] = ()


class TriggerWebhook(KeepsRuntime):
    """Posts through the runtime. A secret that cannot be read fails the post that needs it, and nothing else."""

    def __init__(self, settings: SettingsOfTriggerWebhook) -> None:
        self._hooks = settings.hooks

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        return [one.trigger(one.name, one.on, partial(self.post, one), one.doubts) for one in self._hooks]

    async def post(self, hook: Hook, event: Event) -> str:
        """Send one event; returns the receiver's status."""
        body = msgspec.json.encode(scrub_value(msgspec.to_builtins(event)))
        headers = {"Content-Type": "application/json", "X-Provd-Event": event.kind}
        if key := hook.key():
            headers["X-Provd-Signature"] = signature(key, body)
        status, _ = await self.runtime.http_request(
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


def _has_port(parts: SplitResult) -> bool:
    """Its port, if it names one, is a port."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _secret(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"{path} may be read by others; use chmod 600")
    key = path.read_bytes().strip()
    if not key:
        raise ValueError(f"{path} is empty")
    return key


PLUGIN = Plugin(name="trigger_webhook", settings=SettingsOfTriggerWebhook, build=TriggerWebhook, triggers="hooks")

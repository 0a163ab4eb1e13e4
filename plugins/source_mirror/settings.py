"""What is configured: mirrors by name."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from msgspec import field

from provd.plugin.api import Settings

APT = "apt"


class Mirror(Settings, frozen=True):
    """One mirror.

    Attributes:
        upstream: ``http`` or ``https`` URL of the tree, or several, asked in this order; or ``apt`` for the
            archives that apt uses on this host.
        suite: with ``apt``, the suite whose archives are meant; empty for the host's own.
        refresh_s: seconds for which an index is taken from the cache without asking.
        offline: never ask upstream.
        proxy: ``http`` URL of the proxy that upstream is asked through, or empty.
        max_mb: megabytes of 10**6 octets that are kept; what was used longest ago leaves. 0 for no limit.
        keyring: file of public keys that InRelease must be signed with (apt), or empty: nothing is verified but names
            that are digests.
    """

    upstream: str | tuple[str, ...]
    suite: str = ""
    refresh_s: float = 300.0
    offline: bool = False
    proxy: str = ""
    max_mb: int = 0
    keyring: str = ""

    def __post_init__(self) -> None:
        if self.upstream != APT and not (self.urls and all(map(_is_http, self.urls))):
            raise ValueError("upstream: a URL as in http://MIRROR/debian, a list of them, or apt, is expected")
        self._check_proxy()
        if self.keyring and not Path(self.keyring).is_absolute():
            raise ValueError("keyring: an absolute path is expected")
        if self.max_mb < 0:
            raise ValueError("max_mb: megabytes from 0 on are expected")
        if self.suite and self.upstream != APT:
            raise ValueError('suite: it chooses among the archives of upstream = "apt"; a URL has none')
        if self.refresh_s < 0:
            raise ValueError("refresh_s: seconds from 0 on are expected")

    @property
    def urls(self) -> tuple[str, ...]:
        """The upstreams in order; not for ``apt``."""
        return (self.upstream,) if isinstance(self.upstream, str) else self.upstream

    def _check_proxy(self) -> None:
        if not self.proxy:
            return
        if not _is_http(self.proxy) or urlsplit(self.proxy).scheme != "http" or "@" in self.proxy:
            raise ValueError("proxy: a URL as in http://PROXY:3128, without user and password, is expected")
        if any(url.startswith("https:") for url in self.urls):
            raise ValueError("proxy: only http upstreams can be asked through it, not https")


DEFAULTS = MappingProxyType({"debian": Mirror(upstream=APT)})
"""Mirrors that need no configuration."""


class SettingsOfSourceMirror(Settings, frozen=True):
    """The plugin's settings.

    Attributes:
        mirrors: by name; ``debian`` is there by itself.
        apt_dir: where apt's configuration is.
        data_dir: filled in by provd.
    """

    mirrors: dict[str, Mirror] = field(default_factory=dict)
    apt_dir: str = "/etc/apt"
    data_dir: str = ""

    def __post_init__(self) -> None:
        for name in self.mirrors:
            if name in {"", ".", ".."} or "/" in name or not name.isprintable() or name != name.strip():
                raise ValueError(f"mirrors.{name}: a plain name is expected, it is part of a path")
        if not Path(self.apt_dir).is_absolute():
            raise ValueError("apt_dir: an absolute path is expected")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment and url.isprintable() and " " not in url
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain and port_fits

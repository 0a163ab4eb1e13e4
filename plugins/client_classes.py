"""Sorts DHCP clients into classes, so that rules can speak of ``ipxe`` instead of option bytes.

    [[plugins.client_classes.classes]]
    label = "rack-7"
    mac_prefix = "52:54:00"
    arch = "x64-uefi"

Three labels are always given: ``ipxe`` (user class iPXE), ``httpboot`` (HTTPClient) and ``pxe`` (PXEClient). A class of
the site is given where everything it names fits: ``vendor_class`` (beginning of option 60), ``user_class`` (one of
option 77), ``arch`` (provd's name of option 93) and ``mac_prefix``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from provd.plugin.api import ARCHS, ClientFacts, DhcpRequest, Plugin, Settings, hookimpl

_PREFIX = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){0,5}")
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.-]*")


class ClientClass(Settings, frozen=True):
    """One class; empty conditions are not looked at."""

    label: str
    vendor_class: str = ""
    user_class: str = ""
    arch: str = ""
    mac_prefix: str = ""

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise ValueError(f"label {self.label!r} must be lower case letters, digits, dashes, dots and underscores")
        if self.arch and self.arch not in {arch.name for arch in ARCHS.values()}:
            raise ValueError(f"arch {self.arch!r} is not known; see provd simulate --help")
        if self.mac_prefix and not _PREFIX.fullmatch(self.mac_prefix):
            raise ValueError(f"mac_prefix {self.mac_prefix!r} must be pairs of lower case hex digits with colons")
        if not (self.vendor_class or self.user_class or self.arch or self.mac_prefix):
            raise ValueError(f"class {self.label!r} has no condition")

    def fits(self, client: ClientFacts) -> bool:
        """Whether everything the class names is true of the client."""
        return (
            client.vendor_class.startswith(self.vendor_class)
            and (not self.user_class or self.user_class in client.user_classes)
            and (not self.arch or (client.arch is not None and client.arch.name == self.arch))
            and f"{client.mac}:".startswith(f"{self.mac_prefix}:" if self.mac_prefix else "")
        )


class SettingsOfClientClasses(Settings, frozen=True):
    """``classes``: the site's own."""

    classes: tuple[ClientClass, ...] = ()


class ClientClasses:
    """Labels requests."""

    def __init__(self, settings: SettingsOfClientClasses) -> None:
        self._classes = settings.classes
        self.same_for_all = not any(one.mac_prefix for one in settings.classes)

    @hookimpl(shared="same_for_all")
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterable[str] | None:
        client = request.client
        labels = [one.label for one in self._classes if one.fits(client)]
        if client.is_ipxe:
            labels.append("ipxe")
        if client.is_http:
            labels.append("httpboot")
        if client.is_pxe:
            labels.append("pxe")
        return labels or None


PLUGIN = Plugin(name="client_classes", settings=SettingsOfClientClasses, build=ClientClasses)

"""The kinds of events that provd itself and its shipped plugins publish."""

from __future__ import annotations

from typing import Final

EVENT_KINDS: Final = (
    "answer.failed", "answer.refused", "answer.served",
    "boot.handed_over", "boot.held", "boot.local", "boot.none", "boot.started",
    "callback.failed", "config.reloaded", "config.served",
    "dhcp.ack", "dhcp.bootp", "dhcp.bootp-reply", "dhcp.conflict", "dhcp.decline", "dhcp.discover", "dhcp.dropped",
    "dhcp.elsewhere", "dhcp.expired", "dhcp.inform", "dhcp.nak", "dhcp.offer", "dhcp.pool-exhausted", "dhcp.release",
    "dhcp.reply", "dhcp.request", "dhcp.rogue", "dhcp.unknown",
    "distro.changed", "image.changed", "menu.changed", "profile.changed", "repo.changed", "system.changed",
    "template.changed",
    "http.failed", "http.missed", "http.partial", "http.refused", "http.request", "http.sent", "http.unchanged",
    "initrd.fetched", "kernel.fetched",
    "install.failed", "install.finished", "install.firstboot", "install.log", "install.progress", "install.started",
    "install.syslog",
    "machine.adopted", "machine.refused", "menu.chosen",
    "package.first", "package.summary", "power.failed", "power.switched",
    "queue.admitted", "queue.left", "queue.waiting", "session.stalled",
    "tftp.aborted", "tftp.failed", "tftp.missed", "tftp.request", "tftp.sent", "timeline.full",
    "trigger.failed", "trigger.finished",
)  # fmt: skip
"""Plugins of a site may publish others, as what their callbacks report."""

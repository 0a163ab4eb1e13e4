"""Decides who is answered at all, by hardware address and interface.

    [plugins.gate_rules]
    deny = ["52:54:00:aa:bb:cc", "00:50:56"]    # addresses or their beginnings
    only = []                                    # not empty: everybody else is denied
    nak = false                                  # true: a denied REQUEST gets a NAK instead of silence

Where a beginning is given, whole pairs count. To answer only machines that provd knows, set ``unknown = "ignore"`` in
the subnet. Where its settings are wrong at a start, nobody is answered, since whoever is denied would be. List the
plugin in ``critical`` to have nobody answered while it fails, either.
"""

from __future__ import annotations

import re

from provd.plugin.api import DhcpRequest, GateVerdict, Ignore, Plugin, Refuse, Settings, hookimpl

_PREFIX = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){0,5}")


class SettingsOfGateRules(Settings, frozen=True):
    """Lists of hardware addresses or their beginnings."""

    deny: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    nak: bool = False

    def __post_init__(self) -> None:
        for text in (*self.deny, *self.only):
            if not _PREFIX.fullmatch(text):
                raise ValueError(f"{text!r} is not the beginning of a MAC address, as in 52:54:00")


class GateRules:
    """Gives verdicts by prefix."""

    def __init__(self, settings: SettingsOfGateRules) -> None:
        self._deny = tuple(map(_octets, settings.deny))
        self._only = tuple(map(_octets, settings.only))
        self._verdict = Refuse if settings.nak else Ignore
        self.has_rules = bool(self._deny or self._only)

    @hookimpl(when="has_rules")
    def provd_dhcp_gate(self, request: DhcpRequest) -> GateVerdict | None:
        octets = request.client.mac.octets
        if octets.startswith(self._deny):
            return self._verdict(f"{request.client.mac} is in gate_rules.deny")
        if self._only and not octets.startswith(self._only):
            return self._verdict(f"{request.client.mac} is not in gate_rules.only")
        return None


def _octets(prefix: str) -> bytes:
    return bytes.fromhex(re.sub("[:-]", "", prefix))


PLUGIN = Plugin(name="gate_rules", settings=SettingsOfGateRules, build=GateRules, guards=True)

"""Systems as operations tell them; values that look secret are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from provd.model.system import InstallState, Interface, Link, System
from provd.plugin.scrub import scrub_value


def system_row(system: System, state: InstallState) -> dict[str, object]:
    """One system in a list."""
    return {
        "name": system.name,
        "profile": system.profile,
        "macs": [str(card.mac) for card in system.interfaces],
        "addresses": [str(card.address) for card in system.interfaces if card.address],
        "netboot": system.netboot if state.netboot is None else state.netboot,
        "state": state.state,
        "origin": system.file or system.origin,
    }


def system_view(system: System, state: InstallState) -> Mapping[str, object]:
    """Everything about one system."""
    return {
        **system_row(system, state),
        "interfaces": [_card(card) for card in system.interfaces],
        "links": [_link(link) for link in system.links],
        "uuid": system.uuid,
        "client_id": system.client_id,
        "circuit_id": system.circuit_id,
        "remote_id": system.remote_id,
        "hostname": system.host,
        "policy": system.policy,
        "max_attempts": system.max_attempts,
        "kernel_args": system.kernel_args,
        "answers": scrub_value(system.answers),
        "vars": scrub_value(system.vars),
        "options": scrub_value(system.options),
        "comment": system.comment,
        "tags": system.tags,
        "groups": system.groups,
        "owners": system.owners,
        "installer": system.installer,
        "source": system.source,
        "boot_loaders": system.boot_loaders,
        "loader": scrub_value(system.loader),
        "templates": system.templates,
        "power": scrub_value(system.power),
        "version": system.version,
        "revision": system.version,
        "attempts": state.attempts,
        "installed_at": state.installed_at or None,
        "held_reason": state.held_reason,
    }


def differences(
    before: System, after: System, shown: Mapping[str, object], then: Mapping[str, object]
) -> list[dict[str, object]]:
    """Keys with another value, ``key``, ``before`` and ``after``; of a secret only that it is another one.

    Args:
        before: the system as it is.
        after: the system as it would be.
        shown: what :func:`system_view` tells of it now.
        then: what it would tell.
    """
    own = {field.name for field in fields(System)} - {"version", "origin", "file"}
    return [
        {"key": key, "before": shown[key], "after": then[key]}
        for key in shown
        if key in own and (shown[key] != then[key] or getattr(before, key) != getattr(after, key))
    ]


def _card(card: Interface) -> dict[str, object]:
    address = str(card.address) if card.address else ""
    return {
        "name": card.name,
        "mac": str(card.mac),
        "address": address,
        "hostname": card.hostname,
        "vars": scrub_value(card.vars),
    }


def _link(link: Link) -> dict[str, object]:
    return {
        "name": link.name,
        "kind": link.kind,
        "members": link.members,
        "vlan": link.vlan,
        "address": str(link.address) if link.address else "",
        "options": scrub_value(link.options),
        "vars": scrub_value(link.vars),
    }

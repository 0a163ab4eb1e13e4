"""What an installer's documents are rendered from in tests: the variables of the service, the real templates."""

from __future__ import annotations

from collections.abc import Mapping

from provd.model.system import Link, System
from provd.plugin.api import Answer, BootPlan, Installer
from provd.plugin.templates import Templates
from provd.testing.samples import plan


def variables(installer: Installer, of: BootPlan, answers: Mapping[str, object]) -> dict[str, object]:
    """The variables as the service makes them."""
    assert of.profile is not None
    assert of.system is not None
    distro, place = of.profile.distro, of.location
    card = {
        "name": "eth0",
        "mac": str(of.client.mac),
        "address": "10.88.0.133",
        "netmask": "255.255.255.0",
        "prefix": 24,
        "gateway": "10.88.0.1",
        "dns": ["10.88.0.1"],
        "domain": "",
    }
    return {
        **installer.defaults,
        **answers,
        "system": {"name": of.system.name, "uuid": "", "comment": "", "tags": []},
        "profile": {"name": of.profile.name},
        "distro": {"name": distro.name, "version": distro.version, "family": distro.family, "arch": distro.arch},
        "vars": {**distro.vars, **of.profile.vars},
        "hostname": of.system.host,
        "server": of.server,
        "http_base": of.http_base,
        "log_port": of.log_port,
        "interfaces": [card, *_others(of.system, card)],
        "links": [_link(link) for link in of.system.links],
        "interface": card,
        "install_url": place.url if place else "",
        "location": {
            "scheme": place.scheme,
            "host": place.host,
            "port": place.port,
            "path": place.path,
            "options": place.options,
        }
        if place
        else {"scheme": "", "host": "", "port": 0, "path": "", "options": ""},
        "answer_url": of.answer_url("").rstrip("/"),
        "callback_url": of.callback_url(),
    }


def _others(system: System, booting: Mapping[str, object]) -> list[dict[str, object]]:
    """Cards that have no lease."""
    empty: dict[str, object] = {"address": "", "netmask": "", "prefix": 0, "gateway": "", "dns": [], "domain": ""}
    cards = [card for card in system.interfaces if str(card.mac) != booting["mac"]]
    return [{"name": card.name, "mac": str(card.mac), **empty, "vars": card.vars} for card in cards]


def _link(link: Link) -> dict[str, object]:
    named = {"name": link.name, "kind": link.kind, "members": list(link.members), "vlan": link.vlan}
    return {**named, "address": str(link.address or ""), "options": link.options, "vars": link.vars}


def documents(installer: Installer, of: BootPlan | None = None, **answers: object) -> dict[str, str]:
    """Every document of an installer, rendered for ``of`` with these answers."""
    made = of or plan()
    assert installer.templates is not None
    templates = Templates([installer.templates], clock=lambda: 0.0)
    seen = variables(installer, made, answers)
    answer = Answer(made, seen, lambda name: templates.render(name, seen))
    return {name: document.render(answer) for name, document in installer.documents.items()}

"""Answer files: the variables a template sees, and the text it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Protocol

from provd.config.secrets import unread
from provd.core.answer_shapes import answer_fault
from provd.core.link_addresses import lost_address
from provd.model.boot import BootPlan
from provd.model.content import Content
from provd.model.profile import Profile
from provd.model.repo import Repo
from provd.model.subnet import Subnet
from provd.model.system import Interface, Link, System
from provd.model.token import InstallToken
from provd.plugin.contract_install import Answer, Document, Installer
from provd.service.ports import AnswerHost
from provd.service.unread_answers import is_external


class AnswerError(Exception):
    """An answer file cannot be given; the sentence says which document and why.

    Attributes:
        status: HTTP status for the installer.
    """

    def __init__(self, sentence: str, status: int = 500) -> None:
        super().__init__(sentence)
        self.status = status


class Render(Protocol):
    """Renders one template of an installer (or the site's override) with variables, sandboxed and strict."""

    def __call__(self, installer: str, folder: Path | None, template: str, variables: Mapping[str, object]) -> str:
        """The rendered text."""
        ...


class ResolveSecrets(Protocol):
    """Replaces references to secrets by their values."""

    def __call__(self, value: object) -> tuple[object, bool]:
        """The resolved value, and whether a value marked ``once = true`` was used."""
        ...


def shape_fault(installer: Installer, profile: Profile, system: System | None = None) -> str:
    """The first answer of a profile that no family reads, with its key path, or empty; secrets are not read.

    Args:
        installer: whose defaults stand below the answers.
        profile: with the system's overrides.
        system: whose cards and links are looked at, too.
    """
    if not installer.documents or is_external(installer, profile):
        return ""
    answers = {**installer.defaults, **unread(profile.answers)}
    return answer_fault(answers) or (lost_address(system, answers.get("network")) if system else "")


def shortcoming(installer: Installer, profile: Profile, system: System | None = None) -> str:
    """One sentence on why a profile cannot be installed, or empty: its answers, or what its installer misses."""
    fault = shape_fault(installer, profile, system)
    return f"profile {profile.name}: {fault}" if fault else installer.ready(profile)


@dataclass(frozen=True, slots=True)
class _Rendered:
    content: Content
    once: bool


class Answers:
    """Renders documents; keeps what was rendered for a token until the token ends."""

    def __init__(
        self,
        *,
        host: AnswerHost,
        render: Render,
        secrets: ResolveSecrets,
        subnet_of: Callable[[str], Subnet | None],
        address_of: Callable[[bytes], str],
    ) -> None:
        """Take collaborators.

        Args:
            host: the plugin host.
            render: template renderer.
            secrets: resolver of secret references.
            subnet_of: the subnet of an address (dotted quad).
            address_of: leased address of a MAC (dotted quad), or empty.
        """
        self._host = host
        self._render = render
        self._secrets = secrets
        self._subnet_of = subnet_of
        self._address_of = address_of
        self._kept: dict[tuple[str, str], _Rendered] = {}

    @property
    def installers(self) -> Mapping[str, Installer]:
        """Every installer, by name."""
        return self._host.installers

    def document(self, plan: BootPlan, name: str, token: InstallToken, protocol: str = "http") -> Content:
        """The document of this name for this install.

        Raises:
            AnswerError: no such document, a template error, an unreadable secret, or a secret that was served already
                or would not be counted.
        """
        key = (token.token, name)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._make(plan, name)
        if kept.once and token.fetches.get(name, 0) >= 1:
            raise AnswerError(f"{name} holds values marked once = true and was served already", status=410)
        if kept.once and protocol == "tftp":
            # Its client has the last block before it says so, and may say something else.
            raise AnswerError(f"{name} holds values marked once = true, which are given by HTTP alone", status=403)
        return kept.content

    def tokens(self) -> frozenset[str]:
        """Tokens whose rendered answers are in memory."""
        return frozenset(token for token, _ in self._kept)

    def forget(self, token: str) -> None:
        """The token has ended: its rendered answers leave the memory."""
        for key in [key for key in self._kept if key[0] == token]:
            del self._kept[key]

    def _make(self, plan: BootPlan, name: str) -> _Rendered:
        installer = self.installer(plan)
        document = installer.documents.get(name)
        if document is None:
            raise AnswerError(f"installer {installer.name} has no document {name!r}", status=404)
        text, once = self.render(plan, installer, name, document)
        return _Rendered(Content.text(text, media_type=document.media_type, secret=True), once)

    def installer(self, plan: BootPlan) -> Installer:
        """The installer of a plan.

        Raises:
            AnswerError: the plan installs nothing, or its installer's plugin is gone.
        """
        if plan.profile is None or plan.system is None:
            raise AnswerError("this machine is not being installed", status=404)
        name = plan.profile.installer or plan.profile.distro.installer
        installer = self._host.installers.get(name)
        if installer is None:
            raise AnswerError(f"no enabled plugin brings the installer {name!r}")
        return installer

    def render(self, plan: BootPlan, installer: Installer, name: str, document: Document) -> tuple[str, bool]:
        """Text of one document and whether a ``once`` secret went into it."""
        assert plan.profile is not None  # noqa: S101  self.installer has seen it
        try:
            variables, once = self._variables(plan, installer)
        except ValueError as error:
            raise AnswerError(f"{name} of {plan.profile.name}: {error}") from error
        folder = installer.templates
        override = plan.profile.templates.get(name, "")

        def template(wanted: str) -> str:
            return self._render(installer.name, folder, override or wanted, variables)

        try:
            return document.render(Answer(plan=plan, vars=variables, render=template)), once
        except Exception as error:
            raise AnswerError(f"{name} of profile {plan.profile.name}: {error}") from error

    def _variables(self, plan: BootPlan, installer: Installer) -> tuple[Mapping[str, object], bool]:
        """Every value a template may use; a plugin's variable never hides a built-in one."""
        assert plan.profile is not None  # noqa: S101
        assert plan.system is not None  # noqa: S101
        answers, once = self._secrets({**installer.defaults, **plan.profile.answers})
        assert isinstance(answers, Mapping)  # noqa: S101  a mapping went in
        if fault := answer_fault(answers) or lost_address(plan.system, answers.get("network")):
            raise AnswerError(f"profile {plan.profile.name}, system {plan.system.name}: {fault}")
        built_in = {
            "system": _facts(plan.system),
            "profile": {"name": plan.profile.name},
            "distro": {
                "name": plan.profile.distro.name,
                "version": plan.profile.distro.version,
                "family": plan.profile.distro.family,
                "arch": plan.profile.distro.arch,
                "image": plan.profile.distro.image,
            },
            "vars": {**plan.profile.distro.vars, **plan.profile.vars},
            "hostname": plan.system.host,
            "server": plan.server,
            "http_base": plan.http_base,
            "log_port": plan.log_port,
            "interfaces": [{**self._interface(card.mac.octets, card.name), "vars": card.vars} for card in _cards(plan)],
            "links": [_link(link) for link in plan.system.links],
            "repos": [_repo(repo) for repo in plan.profile.repos],
            "interface": self._interface(plan.client.mac.octets, self._name_of(plan)),
            "install_url": plan.location.url if plan.location else "",
            "location": _location(plan),
            "answer_url": plan.answer_url("").rstrip("/"),
            "callback_url": plan.callback_url(),
        }
        theirs = {key: value for key, (_, value) in self._host.answer_vars(plan.system, plan.profile).items()}
        return {**theirs, **answers, **built_in}, once

    def _name_of(self, plan: BootPlan) -> str:
        assert plan.system is not None  # noqa: S101
        return next((card.name for card in plan.system.interfaces if card.mac == plan.client.mac), "")

    def _interface(self, mac: bytes, name: str) -> dict[str, object]:
        """Network facts of one card as its lease has them; empty text where it has none."""
        address = self._address_of(mac)
        subnet = self._subnet_of(address) if address else None
        if subnet is None:
            return {"name": name, "mac": mac.hex(":"), "address": address, "netmask": "", "prefix": 0, "gateway": "",
                    "dns": [], "domain": ""}  # fmt: skip
        return {
            "name": name,
            "mac": mac.hex(":"),
            "address": address,
            "netmask": str(subnet.network.netmask),
            "prefix": subnet.network.prefixlen,
            "gateway": str(subnet.routers[0]) if subnet.routers else "",
            "dns": [str(server) for server in subnet.dns],
            "domain": subnet.domain,
        }


def _link(link: Link) -> dict[str, object]:
    """A bond, bridge or VLAN as templates see it."""
    return {
        "name": link.name,
        "kind": link.kind,
        "members": list(link.members),
        "vlan": link.vlan,
        "address": str(link.address) if link.address else "",
        "options": link.options,
        "vars": link.vars,
    }


def _repo(repo: Repo) -> dict[str, object]:
    """A package repository as templates see it."""
    return {
        "name": repo.name, "kind": repo.kind, "url": repo.url, "arch": repo.arch, "suites": list(repo.suites),
        "components": list(repo.components), "packages": list(repo.packages), "key": repo.key, "enabled": repo.enabled,
        "priority": repo.priority, "vars": repo.vars,
    }  # fmt: skip


def _cards(plan: BootPlan) -> Sequence[Interface]:
    """The system's cards, and the one that boots where it is none of them: a system may be known without any."""
    cards = plan.system.interfaces if plan.system else ()
    return cards if any(card.mac == plan.client.mac for card in cards) else (*cards, Interface("", plan.client.mac))


def _facts(system: System) -> dict[str, object]:
    return {"name": system.name, "uuid": system.uuid, "comment": system.comment, "tags": list(system.tags)}


def _location(plan: BootPlan) -> dict[str, object]:
    place = plan.location
    if place is None:
        return {"scheme": "", "host": "", "port": 0, "path": "", "options": ""}
    named = {"scheme": place.scheme, "host": place.host, "port": place.port, "path": place.path}
    return {**named, "options": place.options}


def dotted(address: int) -> str:
    """Dotted quad of an address kept as an int."""
    return str(IPv4Address(address))

"""What can be checked before a start: files, plugins, boot files and ports."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provd.cli.answer_remarks import wrong_answers
from provd.cli.firewall import openings
from provd.cli.listener_remarks import bind_fault, listener_remarks
from provd.cli.machine_remarks import machine_remarks
from provd.cli.profile_remarks import profile_remarks
from provd.config.errors import ConfigError, Problem
from provd.config.payloads import missing_payloads
from provd.config.schema import ServerConfig
from provd.config.secrets import SecretError, SecretReader, references
from provd.config.settings import model_subnets
from provd.config.systems import check_systems
from provd.model.scrub import scrub_urls
from provd.payload.catalogue import PAYLOADS
from provd.plugin.contract import InstallSource
from provd.plugin.contract_install import Installer
from provd.plugin.power import PowerDriver
from provd.service.load import Loaded, build_host, read
from provd.service.power_tables import power_faults
from provd.service.trigger_doubts import trigger_doubts


@dataclass(frozen=True, slots=True)
class Remark:
    """One result: ``level`` is ``error``, ``warning`` or ``info``."""

    level: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", scrub_urls(self.text))


def preflight(path: Path) -> list[Remark]:
    """Everything that is wrong, and which ports machines must reach; errors first.

    Args:
        path: ``provd.toml``.
    """
    try:
        loaded = read(path)
    except (ConfigError, OSError) as error:
        return [Remark("error", str(error))]
    here = [Remark("warning", text) for text in machine_remarks(loaded.config)]
    found = [*here, *_plugins(loaded, path), *_catalogue(loaded), *_ports(loaded.config)]
    order = ("error", "warning", "info")
    return sorted(found, key=lambda remark: order.index(remark.level))


def _plugins(loaded: Loaded, path: Path) -> Iterator[Remark]:
    """Settings decoded, objects built, hooks known; loaders and installers have what they need."""
    try:
        host = build_host(loaded, path)
    except OSError as error:
        yield Remark("error", str(error))
        return
    for fault in host.faults:
        yield Remark("error", str(fault))
    yield Remark("info", f"plugins: {', '.join(name for name in host.names if host.is_on(name))}")
    for loader in host.boot_loaders.values():
        if not loader.files():
            yield Remark("warning", f"boot loader {loader.name} has no files; provd fetch loaders gets them")
    for name in sorted(_profiles_in_use(loaded)):
        for told in profile_remarks(loaded.catalogue.profiles[name], host, Path(loaded.config.site_dir)):
            yield Remark("warning", f"profile {name}: {told}")
    for wrong in wrong_answers(loaded, host.installers, sorted(_profiles_in_use(loaded))):
        yield Remark("error", str(wrong))
    yield from _sources(loaded, host.install_sources.values())
    yield from menu_remarks(loaded, host.installers)
    yield from menu_password_remarks(loaded)
    yield from _power(loaded, host.power_drivers)
    yield from _secrets_of_plugins(loaded, path)
    for doubt in trigger_doubts(host.triggers):
        yield Remark("warning", doubt)
    host.close()


def menu_remarks(loaded: Loaded, installers: Mapping[str, Installer]) -> Iterator[Remark]:
    """Defaults of menus that do not start by themselves."""
    for name, menu in loaded.catalogue.menus.items():
        profile = loaded.catalogue.profiles.get(menu.default)
        installer = installers.get(profile.installer or profile.distro.installer) if profile else None
        if installer is not None and installer.installs:
            rule = f"menu {name}: its default {menu.default} installs, so the machine's own disk is started instead"
            yield Remark("warning", rule)


def menu_password_remarks(loaded: Loaded) -> Iterator[Remark]:
    """Passwords of menus that the service may not be able to read: it would show no menu."""
    for name, menu in loaded.catalogue.menus.items():
        own = [(f"menu {name}", menu.password)]
        for whose, reference in own + [(f"menu {name}: entry {one.name}", one.password) for one in menu.entries]:
            if reference is not None and (unread := _unread(reference)):
                yield Remark(unread[0], f"{whose}: password: {unread[1]}")


def _unread(reference: Mapping[str, Any]) -> tuple[str, str] | None:
    """Level and reason where a secret cannot be read here.

    The environment and the credentials of the service are not those of this command: only a file must be there.
    """
    try:
        SecretReader().resolve(reference)
    except SecretError as error:
        return ("warning", str(error)) if "file" in reference else ("info", f"{error} here")
    return None


def _sources(loaded: Loaded, sources: Iterable[InstallSource]) -> Iterator[Remark]:
    """Install sources that plugins can look at, each URL once."""
    used = [loaded.catalogue.profiles[name] for name in sorted(_profiles_in_use(loaded))]
    for url in dict.fromkeys(profile.source or profile.distro.tree for profile in used):
        scheme = url.partition(":")[0] if ":" in url else ""
        for source in sources:
            if scheme in source.schemes and (told := source.probe(url)):
                yield Remark("warning", f"install source {url}: {told}")


def _secrets_of_plugins(loaded: Loaded, path: Path) -> Iterator[Remark]:
    """Secrets that settings of plugins refer to, and that the service may not be able to read."""
    for key, reference in references(loaded.config.plugins, "plugins"):
        if unread := _unread(reference):
            yield Remark(unread[0], str(Problem(str(path), key, unread[1])))


def _power(loaded: Loaded, drivers: Mapping[str, PowerDriver]) -> Iterator[Remark]:
    """Power tables of declared systems, and the files of their secrets."""
    for name, system in sorted(loaded.catalogue.systems.items()):
        for rule in power_faults(system.power, drivers):
            yield Remark("error", str(Problem(system.file, "", f"system {name}: {rule}")))
        for key, reference in references(system.power, "power"):
            if "file" in reference and (unread := _unread(reference)):
                yield Remark(unread[0], str(Problem(system.file, "", f"system {name}: {key}: {unread[1]}")))


def _profiles_in_use(loaded: Loaded) -> set[str]:
    """Profiles of the site and those that declared systems name; the shipped ones are only an offer."""
    catalogue, site = loaded.catalogue, Path(loaded.config.site_dir)
    own = {name for name in catalogue.profiles if Path(catalogue.files[f"profile {name}"]).is_relative_to(site)}
    return own | {system.profile for system in catalogue.systems.values() if system.profile in catalogue.profiles}


def _catalogue(loaded: Loaded) -> Iterator[Remark]:
    config, catalogue = loaded.config, loaded.catalogue
    for problem in catalogue.problems:
        yield Remark("error", str(problem))
    for problem in check_systems(tuple(catalogue.systems.values()), catalogue.profiles, model_subnets(config)):
        yield Remark("error", str(problem))
    used = {catalogue.profiles[name].distro.name for name in _profiles_in_use(loaded)}
    offered = set()
    for problem in missing_payloads(catalogue.distros.values(), Path(config.data_dir), PAYLOADS):
        if problem.subject.removeprefix("distro ") in used:
            yield Remark("error", problem.rule)
        else:
            offered.add(problem.subject.removeprefix("distro "))
    if offered:
        yield Remark("info", f"not used by the site, boot files not there: {', '.join(sorted(offered))}")
    counts = f"{len(catalogue.distros)} distros, {len(catalogue.profiles)} profiles, {len(catalogue.systems)} systems"
    yield Remark("info", f"catalogue: {counts} in files")
    for profile in catalogue.profiles.values():
        if profile.boot.answers_bind != "lease":
            yield Remark("warning", f"profile {profile.name}: answers.bind is {profile.boot.answers_bind}, not lease")


def _ports(config: ServerConfig) -> Iterator[Remark]:
    """Ports a firewall must let through, and whether they can be bound here and now."""
    listen = config.listen
    for opening in openings(config):
        service, port, name = opening.service, opening.port, opening.protocol
        kind = socket.SOCK_STREAM if name == "tcp" else socket.SOCK_DGRAM
        where = f" on {', '.join(opening.interfaces)}" if opening.interfaces else ""
        yield Remark("info", f"{service}: port {port}/{name} must be reachable for machines{where}")
        addresses = [str(address) for address in listen.addresses] if service in {"TFTP", "HTTP"} else []
        for address in addresses or [""]:
            fault = bind_fault(kind, address, port)
            if fault:
                yield Remark("error" if fault[0] else "warning", f"{service} port {port}/{name}: {fault[1]}")
    for wrong, text in listener_remarks(config):
        yield Remark("error" if wrong else "warning", text)
    if not config.interfaces:
        yield Remark("warning", "no [[interface]] is configured: DHCP answers nobody")

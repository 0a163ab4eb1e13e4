"""Profiles: a distro plus choices, after inheritance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provd.model.distro import Distro
from provd.model.origin import Origin
from provd.model.repo import Repo


@dataclass(frozen=True, slots=True)
class BootPolicy:
    """What a machine may do when it boots from the network.

    Attributes:
        policy: ``once`` (until the finished callback, ``max_attempts`` times at most), ``until-finished`` (as often
            as it takes), ``always`` (again after every local boot), ``never``, or ``menu`` (somebody chooses).
        max_attempts: network boots that fetched everything without a finished callback before the machine is held.
        answers_bind: who may fetch answers: ``lease`` (the bound address), ``subnet`` or ``token-only``.
        token_ttl_s: seconds from the minting of an install token to its expiry.
        max_fetches: times one answer file may be fetched with one token.
        lease_s: lease time for this profile's machines, 0 for the subnet's.
        menu: name of the menu that policy ``menu`` shows; empty for the only one at the top.
    """

    policy: str = "once"
    max_attempts: int = 2
    answers_bind: str = "lease"
    token_ttl_s: int = 6 * 3600
    max_fetches: int = 16
    lease_s: int = 0
    menu: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile with its inheritance resolved; for one system, also with that system's overrides applied.

    Attributes:
        name: unique name.
        distro: the distro it installs.
        parents: names of the profiles it inherits from, nearest first.
        installer: name of the installer plugin's installer.
        source: URL of the install source, empty for the distro's tree.
        kernel_args: distro's, parents', own and the system's arguments, in that order.
        boot_loaders: names of boot loaders in the order they are tried; empty for every enabled one.
        loader: settings for single boot loaders, by loader name (``[loader.grub_efi]``).
        answers: what the installer is told (users, ssh_keys, packages, timezone, ...), merged key by key.
        vars: free values for templates.
        templates: document name to template name in the site's template folder, where the installer's own is replaced.
        options: DHCP options by name or number.
        boot: the boot policy.
        repos: further package repositories, in their order.
        menu: name of the menu it is shown in, or empty.
        owners: users or groups of users who may change it besides administrators.
        comment: free text of its own; a menu shows it.
        origins: key path of every value above to the place that decided it.
    """

    name: str
    distro: Distro
    parents: tuple[str, ...] = ()
    installer: str = ""
    source: str = ""
    kernel_args: tuple[str, ...] = ()
    boot_loaders: tuple[str, ...] = ()
    loader: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)
    vars: Mapping[str, object] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    boot: BootPolicy = field(default_factory=BootPolicy)
    repos: tuple[Repo, ...] = ()
    menu: str = ""
    owners: tuple[str, ...] = ()
    comment: str = ""
    origins: Mapping[str, Origin] = field(default_factory=dict)

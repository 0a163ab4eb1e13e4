"""Further examples in the help of commands that are made from operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "system.add": (
        "provd system add web2 --mac 52:54:00:12:34:57 --address 10.0.0.12 --answer timezone=Europe/Berlin",
        "provd system add --name web3 --profile debian-12-server --dry-run",
    ),
    "system.edit": (
        "provd system edit --name web1 --profile debian-12-server",
        "provd system edit web1 --var rack=r7 --in-place",
    ),
    "system.find": ("provd system find 'web*' --profile 'debian-*' -o ndjson",),
    "system.list": ("provd system list --limit 20", "provd system list -o ndjson"),
    "system.export": ("provd system export --profile web > systems.toml",),
    "profile.edit": ("provd profile edit web --answer timezone=UTC --in-place --dry-run",),
    "profile.list": ("provd profile list -o json",),
    "distro.list": ("provd distro list -o toml",),
    "explain": ("provd explain web1 --arch x64-uefi -o json",),
    "boots": ("provd boots web1",),
    "template.add": ("provd template add own.j2 ./own.j2",),
    "mirror.prefetch": (
        "provd mirror prefetch debian --suites bookworm --components main --archs amd64 --yes --wait",
        "provd mirror prefetch rocky --repos 9/BaseOS/x86_64/os",
        "provd mirror prefetch debian --paths dists/bookworm/InRelease",
    ),
    "change": ("provd change changes.json --dry-run",),
}

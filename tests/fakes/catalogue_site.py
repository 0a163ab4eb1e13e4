"""Files of a catalogue in a temporary folder, with one shipped distro and profile."""

from __future__ import annotations

from pathlib import Path

from provd.config.catalogue import Catalogue
from provd.config.layers import Layer

DEBIAN = """
family = "debian"
installer = "preseed"
kernel = "payload:debian-12/linux"
initrd = ["payload:debian-12/initrd.gz"]
kernel_args = ["quiet", "console=ttyS0"]
vars = {suite = "bookworm"}
"""


class Site:
    """Files of some layers in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layers = tuple(Layer(name, root / name) for name in ("shipped", "plugin_dirs", "site"))

    def write(self, path: str, text: str) -> str:
        target = self.root / f"{path}.toml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return str(target)

    def load(self) -> Catalogue:
        return Catalogue.load(self.layers)

    def told(self) -> list[str]:
        """Problems without the temporary folder's name."""
        return [str(problem).replace(f"{self.root}/", "") for problem in self.load().problems]


def shipped(root: Path) -> Site:
    """A site below ``root`` with the distro and profile ``debian-12``."""
    made = Site(root)
    made.write("shipped/distros/debian-12", DEBIAN)
    made.write("shipped/profiles/debian-12", 'distro = "debian-12"\n')
    return made


def machine(number: int, profile: str = "debian-12", **more: str) -> str:
    extra = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f'profile = "{profile}"\n{extra}[[interface]]\nmac = "52:54:00:00:00:{number:02x}"\n'

"""A site without any distro of its own, and media in the layouts of the real ones."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from provd.commands import command_line
from provd.config import toml
from provd.config.catalogue import Catalogue
from provd.config.layers import layers
from tests.media.layouts import Files, layouts

LAYOUTS = {name: dict(files) for name, _version, files in layouts()}
CONFIG = """\
data_dir = "{root}/data"
site_dir = "{root}/site"
user = ""
enabled = ["client_classes", "relay", "pxelinux", "grub_efi", "source_http", "source_iso", "source_mirror",
  "installer_preseed", "installer_kickstart", "installer_autoinstall", "installer_ignition", "installer_alpine",
  "installer_autoyast", "installer_agama",
  "installer_plain",
  "install_callbacks"]
[[interface]]
name = "eth0"
[[subnet]]
network = "10.0.0.0/24"
pool = "10.0.0.100-10.0.0.110"
"""


class Site:
    """A site without any distro of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "provd.toml").write_text(CONFIG.format(root=root))

    def provd(self, *words: str) -> Result:
        return CliRunner().invoke(command_line(), [*words, "--config", str(self.root / "provd.toml")])

    def distro(self, name: str) -> dict[str, object]:
        return toml.read(self.root / "site/distros" / f"{name}.toml")

    def problems(self) -> list[str]:
        """What the catalogue says of the site's objects."""
        return [str(one) for one in Catalogue.load(layers((), str(self.root / "site"))).problems]

    def everything(self) -> set[str]:
        places = (self.root / "data", self.root / "site")
        return {str(path.relative_to(self.root)) for place in places for path in place.rglob("*") if path.is_file()}


def tree(folder: Path, files: Files) -> Path:
    for name, octets in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
    return folder

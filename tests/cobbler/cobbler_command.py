"""Cobbler's own command, installed into a private folder, in a mount namespace with the files that it insists on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cobbler.cobbler_server import CobblerServer

PACKAGES = ("cobbler==3.3.10", "distro", "netaddr", "pyyaml", "schema")
"""The command and what it really imports; Cobbler's full list has a package that does not build here."""

MOUNTS = 'mount --bind "$1/etc" /etc && mount --bind "$1/lib" /var/lib && mount --bind "$1/log" /var/log && shift && exec "$@"'
RUN = "import sys; sys.argv[0] = 'cobbler'; from cobbler.cli import main; sys.exit(main())"


def install(packages: tuple[str, ...], folder: Path) -> Path:
    """Fetch packages by the ordinary client into a folder of their own, without what they depend on."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *packages]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


class CobblerCommand:
    """Runs the command.

    Args:
        packages: where it is installed.
        root: a folder with ``etc``, ``lib`` and ``log``, which stand in for those of the machine.
    """

    def __init__(self, packages: Path, root: Path) -> None:
        self._packages, self._root = packages, root
        for name in ("etc", "lib", "log"):
            (root / name / "cobbler").mkdir(parents=True)
        (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
        (root / "log" / "cobbler" / "cobbler.log").touch()

    @property
    def settings(self) -> str:
        """Settings for the server, so that it writes what the command reads."""
        return f'secret_file = "{self._root}/lib/cobbler/web.ss"\ntask_log = "{self._root}/log/cobbler/cobbler.log"\n'

    def use(self, server: CobblerServer) -> None:
        """Write the settings that the command reads: Cobbler's own with the ports of this server."""
        target = self._root / "etc" / "cobbler"
        shutil.copytree(self._packages / "etc" / "cobbler", target, dirs_exist_ok=True)
        text = (target / "settings.yaml").read_text()
        for name, value in {"server": "127.0.0.1", "http_port": server.port, "xmlrpc_port": server.port}.items():
            text, count = re.subn(rf"^{name}: .*$", f"{name}: {value}", text, flags=re.MULTILINE)
            assert count == 1, name
        (target / "settings.yaml").write_text(text)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it."""
        inside = [sys.executable, "-c", RUN, *arguments]
        command = ["unshare", "-m", "sh", "-c", MOUNTS, "sh", str(self._root), *inside]
        environment = {"PYTHONPATH": str(self._packages), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)

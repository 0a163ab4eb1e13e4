"""Wheels built and installed as a person would: real builds, real pip, an environment that holds nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEP_S = 400


def command(*argv: str | Path, cwd: Path) -> str:
    """Run a command that must succeed; its standard output."""
    # Neither the checkout nor this environment may be visible from the other one.
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PROVD_CONFIG", "PROVD_SOCKET"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=STEP_S,
    )
    assert done.returncode == 0, f"{' '.join(map(str, argv))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_wheel(project: Path, out: Path) -> Path:
    """The wheel of a project, built with the tools of this environment."""
    command(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, project, cwd=out)
    (wheel,) = out.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: where it is.
        away: an empty directory to run in.
    """

    folder: Path
    away: Path

    @classmethod
    def empty(cls, folder: Path) -> Environment:
        """A new one with nothing but pip."""
        away = folder / "elsewhere"
        away.mkdir(parents=True)
        command(sys.executable, "-m", "venv", folder / "venv", cwd=away)
        return cls(folder / "venv", away)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def install(self, *what: str | Path) -> None:
        """Install with pip, dependencies and all."""
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        command(self.python, "-m", "pip", "install", *quiet, *what, cwd=self.away)

    def provd(self, *arguments: str | Path) -> str:
        """Run the installed script."""
        return command(self.folder / "bin" / "provd", *arguments, cwd=self.away)

    def run(self, program: str) -> str:
        """Run a Python program."""
        return command(self.python, "-c", textwrap.dedent(program), cwd=self.away).strip()


PLUGIN = """\
from provd.plugin.api import Content, FileRequest, Plugin, Settings, hookimpl


class Greeting(Settings, frozen=True):
    text: str = "hello"


class Greets:
    def __init__(self, settings: Greeting) -> None:
        self.text = settings.text

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | None:
        return Content.text(self.text) if request.path == "NAME" else None


PLUGIN = Plugin(name="NAME", settings=Greeting, build=Greets)
"""

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-provd"
version = "1.2"

[project.entry-points."provd.plugins"]
acme = "acme_provd.greeting:PLUGIN"

[project.entry-points."provd.catalogue"]
acme = "acme_provd.objects"

[tool.hatch.build.targets.wheel]
packages = ["acme_provd"]
"""


def third_party(folder: Path) -> Path:
    """Sources of a package that brings a plugin, a distro and a profile."""
    package = folder / "acme_provd"
    for kind in ("distros", "profiles"):
        (package / "objects" / kind).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (package / "__init__.py").write_text("")
    (package / "greeting.py").write_text(PLUGIN.replace("NAME", "acme"))
    (package / "objects" / "distros" / "acme-1.toml").write_text('family = "debian"\ninstaller = "preseed"\n')
    (package / "objects" / "profiles" / "acme-1.toml").write_text('distro = "acme-1"\n')
    return folder

"""Compile the path that answers DHCP with mypyc, for this interpreter: ``python -m provd.lab.compile``.

Needs mypy (``pip install provd[compiled]``), a C compiler and Python's headers (on Debian ``gcc`` and ``python3-dev``).
The result stands beside the sources, in a folder named for their state; ``provd run`` takes it when they still fit.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from provd.compiled import COMPLETE, MODULES, folder

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_BUILD: Final = """\
import sys
from mypyc.build import mypycify
from setuptools import setup

options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
extensions = mypycify([*options, *sys.argv[1:]], opt_level="3", debug_level="0")
setup(name="provd-compiled", packages=[], ext_modules=extensions, script_args=["-q", "build_ext", "--inplace"])
"""


class CompileError(Exception):
    """One sentence on what is missing or went wrong."""


def missing() -> str:
    """What is needed and not there, as one sentence; empty where nothing is."""
    if importlib.util.find_spec("mypyc") is None or importlib.util.find_spec("setuptools") is None:
        return "mypy and setuptools are missing: pip install provd[compiled]"
    if shutil.which(os.environ.get("CC", "gcc")) is None:
        return "there is no C compiler: apt-get install gcc"
    if not Path(sysconfig.get_paths()["include"], "Python.h").exists():
        return "this Python's headers are missing: apt-get install python3-dev"
    return ""


def compile_modules() -> Path:
    """Compile what is not compiled yet; returns the folder.

    Raises:
        CompileError: something is missing, or the compiler refused.
    """
    target = folder()
    if (target / COMPLETE).exists():
        return target
    if problem := missing():
        raise CompileError(problem)
    with tempfile.TemporaryDirectory(prefix="provd-compile-") as scratch:
        tree = Path(scratch)
        shutil.copytree(_PACKAGE, tree / "provd", ignore=shutil.ignore_patterns("_compiled", "__pycache__"))
        sources = [f"{name.replace('.', '/')}.py" for name in MODULES]
        done = subprocess.run(
            [sys.executable, "-c", _BUILD, *sources], cwd=tree, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise CompileError(f"mypyc failed: {said[-1] if said else 'it said nothing'}")
        _install(tree, target)
    return target


def _install(tree: Path, target: Path) -> None:
    """Move the modules to their place in one step, and remove those of other states."""
    target.parent.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=target.parent))
    fresh.chmod(0o755)
    for made in [*tree.glob("*.so"), *(tree / "provd").glob("*/*.so")]:
        place = fresh / made.relative_to(tree)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made, place)
    (fresh / COMPLETE).touch()
    for old in target.parent.iterdir():
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)
    fresh.rename(target)


def main(argv: Sequence[str] | None = None) -> int:
    """Compile; 0 where compiled modules of these sources are there afterwards."""
    parser = argparse.ArgumentParser(prog="python -m provd.lab.compile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--if-possible", action="store_true", help="say what is missing, and end with 0 all the same")
    options = parser.parse_args(argv)
    started = time.monotonic()
    try:
        place = compile_modules()
    except CompileError as error:
        print(f"==> the DHCP path is not compiled ({error}); it runs from its sources", flush=True)
        return 0 if options.if_possible else 1
    print(f"==> the DHCP path is compiled in {place} ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Load generators in C, built where they are used."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def compiled(folder: Path, *sources: Path) -> Path:
    """Compile the files of one program, which gets the first one's name; returns it.

    Raises:
        SystemExit: there is no C compiler, or it failed.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit(
            "load generators are compiled when they are used, and there is no gcc: apt-get install gcc libc6-dev"
        )
    program = folder / sources[0].stem
    argv = [compiler, "-O2", "-D_GNU_SOURCE", "-o", str(program), *map(str, sources)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{program.name} cannot be compiled: {done.stderr.strip()}")
    return program

"""Load generators in C, built where they are used."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def compiled(source: str, folder: Path) -> Path:
    """Compile a file of this folder; returns the program.

    Raises:
        SystemExit: there is no C compiler, or it failed.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit(
            "load generators are compiled when they are used, and there is no gcc: apt-get install gcc libc6-dev"
        )
    program = folder / Path(source).stem
    argv = [compiler, "-O2", "-D_GNU_SOURCE", "-o", str(program), str(Path(__file__).with_name(source))]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{source} cannot be compiled: {done.stderr.strip()}")
    return program

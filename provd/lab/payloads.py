"""What machines boot and install in the laboratory, prepared once and shared by all runs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from provd.image.build import build_image
from provd.image.deployer.build import build_deployer
from provd.image.progress import Progress, part
from provd.payload.fetch import fetch

IMAGE = "debian-12"


def lab_cache() -> Path:
    """``$PROVD_DEMO_DIR``, or ``.lab`` in the current directory."""
    return Path(os.environ.get("PROVD_DEMO_DIR") or ".lab").resolve()


def shared_data(cache: Path) -> Path:
    """The data directory that preparations go to."""
    return cache / "data"


def prepare_loaders(cache: Path, progress: Progress) -> None:
    """Boot loaders, fetched from signed packages.

    Raises:
        PayloadError: see `provd.payload.fetch.fetch`.
    """
    fetch("loaders", shared_data(cache), progress)


def prepare_installation(cache: Path, progress: Progress) -> None:
    """Boot loaders, deployer and disk image; quick when they are there.

    Raises:
        PayloadError: a loader could not be fetched.
        ImageError: deployer or image could not be built.
    """
    data = shared_data(cache)
    prepare_loaders(cache, part(progress, 0.0, 0.1))
    build_deployer(data / "payload" / "deployer", part(progress, 0.1, 0.25))
    build_image(IMAGE, data / "image", part(progress, 0.25, 1.0))


def copy_data(cache: Path, target: Path) -> None:
    """A data directory of its own for one run: hard links to the shared files, and no store yet."""
    target.mkdir(parents=True)
    for name in ("payload", "image"):
        source = shared_data(cache) / name
        if source.is_dir():
            # Half-made builds begin with a dot.
            shutil.copytree(source, target / name, copy_function=os.link, ignore=shutil.ignore_patterns(".*"))

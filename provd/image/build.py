"""Make an image of our own from packages: root file system, bootable disk, chunks; kept under its recipe's hash."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from provd.image.bootable import DiskIds, assemble, remove_tree
from provd.image.chunks import ImageFacts, write_chunks
from provd.image.errors import ImageError
from provd.image.library import image_directory, kept, replace_directory
from provd.image.manifest import ImageManifest
from provd.image.packages import host_sources
from provd.image.progress import Progress, part, silent
from provd.image.recipe import AptSource, find_recipe
from provd.image.requirements import require
from provd.image.rootfs import make_rootfs, run_as_root

_TOOLS = ("apt-get", "dpkg", "mcopy", "mke2fs", "mkfs.fat", "mmd", "mmdebstrap", "zstd")


def build_image(
    name: str,
    cache: Path,
    progress: Progress = silent,
    *,
    sources: tuple[AptSource, ...] | None = None,
    refresh: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ImageManifest:
    """Build, or find the one built before from the same recipe, archives and template.

    Args:
        name: one of `recipe.RECIPES`.
        cache: directory of all images (see `library`).
        progress: told what is being done.
        sources: package archives, also written into the image; None means those of this host's apt.
        refresh: build even if it is there already, to take in newer packages.
        now: the clock, for the manifest's date.

    Raises:
        ImageError: unknown name, a tool is missing, or a step failed; one sentence.
    """
    recipe = find_recipe(name)
    sources = host_sources(recipe.suite) if sources is None else sources
    key = recipe.key(sources)
    directory = image_directory(cache, name)
    if not refresh and (manifest := kept(directory, key)) is not None:
        progress(f"{name} is there already", 1.0)
        return manifest
    require(*_TOOLS)
    cache.mkdir(parents=True, exist_ok=True)
    ids = DiskIds.derive(key)
    work = Path(tempfile.mkdtemp(prefix=f".build-{name}-", dir=cache))
    # mmdebstrap in a user name space works as another user in here.
    work.chmod(0o777 if run_as_root() else 0o711)
    try:
        make_rootfs(recipe, sources, work / "root", ids, cache / f"{name}.log", part(progress, 0.0, 0.65))
        progress(f"{name}: writing the disk image", 0.65)
        assemble(work / "root", work / "disk.raw", ids, recipe.free_mib, run_as_root())
        facts = ImageFacts(name, now().isoformat(timespec="seconds"), key, ("bios", "uefi"))
        manifest = write_chunks(work / "disk.raw", work / "chunks", facts, part(progress, 0.75, 1.0))
        replace_directory(work / "chunks", directory)
    except OSError as error:
        msg = f"building {name}: {error}"
        raise ImageError(msg) from error
    finally:
        remove_tree(work / "root", run_as_root())
        shutil.rmtree(work, ignore_errors=True)
    return manifest

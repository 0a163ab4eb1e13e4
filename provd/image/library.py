"""The images that are there: one directory each below the cache, named after the image."""

from __future__ import annotations

from pathlib import Path

from provd.image.errors import ImageError
from provd.image.manifest import MANIFEST_NAME, ImageManifest, check_name, read_manifest


def image_directory(cache: Path, name: str) -> Path:
    """Where the manifest and chunks of an image are: what the deployer's IMAGE_URL must serve."""
    return cache / check_name(name)


def kept(directory: Path, recipe: str) -> ImageManifest | None:
    """The image in ``directory`` if it was made from this recipe and is whole."""
    try:
        manifest = read_manifest(directory)
    except ImageError:
        return None
    if manifest.recipe != recipe or missing_chunks(directory, manifest):
        return None
    return manifest


def missing_chunks(directory: Path, manifest: ImageManifest) -> tuple[str, ...]:
    """Chunk files the manifest names and the directory lacks."""
    return tuple(name for name in manifest.stored_files if not (directory / name).is_file())


def find_image(cache: Path, name: str) -> tuple[Path, ImageManifest]:
    """Directory and manifest of an image.

    Raises:
        ImageError: not there or not whole; the sentence says how to get it.
    """
    directory = image_directory(cache, name)
    if not (directory / MANIFEST_NAME).is_file():
        msg = f"image {name!r} is not in {cache}: provd image build {name}, or provd image import FILE --name {name}"
        raise ImageError(msg)
    manifest = read_manifest(directory)
    if missing := missing_chunks(directory, manifest):
        msg = f"image {name!r} in {cache} lacks {len(missing)} chunk files, the first is {missing[0]}: build it again"
        raise ImageError(msg)
    return directory, manifest


def list_images(cache: Path) -> list[ImageManifest]:
    """All images with a valid manifest, by name."""
    found = []
    for path in sorted(cache.glob(f"[!.]*/{MANIFEST_NAME}")):
        try:
            found.append(read_manifest(path.parent))
        except ImageError:
            continue
    return found


def stored_size(cache: Path, manifest: ImageManifest) -> int:
    """Octets that the image takes on this disk."""
    directory = image_directory(cache, manifest.name)
    return sum((directory / name).stat().st_size for name in manifest.stored_files)


def replace_directory(new: Path, directory: Path) -> None:
    """Put ``new`` where ``directory`` is; whoever reads finds the one or the other."""
    new.chmod(0o755)
    if directory.exists():
        directory.rename(new.with_name("old"))
    new.rename(directory)

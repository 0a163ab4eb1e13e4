"""Take a vendor's disk image into the store of chunks: unpack, convert, look whether it boots, chunk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from provd.image.chunks import ImageFacts, write_chunks
from provd.image.errors import ImageError
from provd.image.firmware import detect
from provd.image.library import image_directory, kept, replace_directory
from provd.image.manifest import ImageManifest, check_name
from provd.image.packages import run
from provd.image.probe import is_compressed, probe
from provd.image.progress import Progress, part, silent
from provd.image.requirements import require, tool

_UNPACK = {"xz": ["xz", "-T0", "-dc"], "zstd": ["zstd", "-q", "-dc"], "gzip": ["gzip", "-dc"]}
_SUFFIX = re.compile(r"\.(xz|zst|gz|img|raw|qcow2|vmdk|vdi|vhdx?|disk)$")
_PERCENT = re.compile(rb"\((\d+(?:\.\d+)?)/100%\)")
_BLOCK = 1024 * 1024


def import_image(
    path: Path,
    cache: Path,
    progress: Progress = silent,
    *,
    name: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ImageManifest:
    """Convert a raw, qcow2, VMDK, VDI or VHDX disk, also compressed with xz, zstd or gzip, once.

    Args:
        path: the vendor's file; it is only read.
        cache: directory of all images (see `library`).
        progress: told what is being done.
        name: of the image; empty: the file's, without its endings.
        now: the clock, for the manifest's date.

    Raises:
        ImageError: a tool is missing, or the file is not an image that can boot; one sentence.
    """
    kind = probe(path)
    name = check_name(name or default_name(path))
    require("mdir", "qemu-img", "zstd", *({"xz"} & {kind}))
    digest = _hash(path, part(progress, 0.0, 0.05))
    directory = image_directory(cache, name)
    if (manifest := kept(directory, digest)) is not None:
        progress(f"{name} is there already", 1.0)
        return manifest
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".import-{name}-", dir=cache) as folder:
            work = Path(folder)
            raw = _to_raw(path, kind, work, part(progress, 0.05, 0.5))
            facts = ImageFacts(name, now().isoformat(timespec="seconds"), digest, detect(raw))
            manifest = write_chunks(raw, work / "chunks", facts, part(progress, 0.5, 1.0))
            replace_directory(work / "chunks", directory)
    except OSError as error:
        msg = f"importing {path}: {error}"
        raise ImageError(msg) from error
    return manifest


def default_name(path: Path) -> str:
    """``debian-12-generic-amd64.qcow2.xz`` becomes ``debian-12-generic-amd64``."""
    name = path.name
    while (shorter := _SUFFIX.sub("", name)) not in {name, ""}:
        name = shorter
    return name


def _hash(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    size = max(path.stat().st_size, 1)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            progress(f"reading {path.name}", file.tell() / size)
    return digest.hexdigest()


def _to_raw(path: Path, kind: str, work: Path, progress: Progress) -> Path:
    source = path
    while is_compressed(kind):
        progress(f"unpacking {path.name}", 0.0)
        target = work / ("unpacked" if source == path else "unpacked-again")
        _unpack(source, kind, target)
        source, kind = target, probe_unpacked(target, path)
        if target.name == "unpacked-again" and is_compressed(kind):
            msg = f"{path}: is compressed more than twice"
            raise ImageError(msg)
    if kind == "raw":
        _check_sectors(source, path)
        return source
    raw = work / "disk.raw"
    _check_container(source, kind, path)
    _convert(source, kind, raw, path, progress)
    if source is not path:
        source.unlink()
    return raw


def probe_unpacked(target: Path, path: Path) -> str:
    """`probe` for what came out of a compressed file, with that file's name in the sentence."""
    try:
        return probe(target)
    except ImageError as error:
        msg = str(error).replace(str(target), f"{path}, unpacked", 1)
        raise ImageError(msg) from error


def _unpack(source: Path, kind: str, target: Path) -> None:
    program, *options = _UNPACK[kind]
    with target.open("wb") as out:
        argv = [shutil.which(program) or tool(program), *options, str(source)]
        done = subprocess.run(argv, stdout=out, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        msg = f"{source.name}: damaged or cut short ({text[-1] if text else program})"
        raise ImageError(msg)


def _check_sectors(raw: Path, path: Path) -> None:
    if raw.stat().st_size % 512:
        msg = f"{path}: not a disk image: its size is not a multiple of 512 octets"
        raise ImageError(msg)


def _check_container(source: Path, kind: str, path: Path) -> None:
    """Refuse what would make the conversion read other files, or give something nobody can boot."""
    text = run([tool("qemu-img"), "info", "-U", "--output=json", "-f", kind, str(source)], f"{path}: damaged {kind}")
    info = json.loads(text)
    backing = info.get("backing-filename") or info.get("full-backing-filename")
    if backing:
        msg = f"{path}: needs the backing file {backing}: flatten it with qemu-img convert where both are"
        raise ImageError(msg)
    specific = info.get("format-specific", {}).get("data", {})
    if specific.get("data-file"):
        msg = f"{path}: keeps its data in another file, {specific['data-file']}: flatten it with qemu-img convert"
        raise ImageError(msg)
    if info.get("encrypted"):
        msg = f"{path}: is encrypted: decrypt it with qemu-img convert first"
        raise ImageError(msg)


def _convert(source: Path, kind: str, raw: Path, path: Path, progress: Progress) -> None:
    argv = [tool("qemu-img"), "convert", "-p", "-f", kind, "-O", "raw", str(source), str(raw)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        assert process.stderr is not None  # noqa: S101  it is a pipe
        # qemu-img rewrites one line; a read returns whatever is there.
        while octets := os.read(process.stdout.fileno(), 256):
            if found := _PERCENT.findall(octets):
                progress(f"converting {path.name}", float(found[-1]) / 100)
        errors = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        msg = f"{path}: {(errors.splitlines() or ['conversion failed'])[-1]}"
        raise ImageError(msg)

"""Containment (security rows C20 and T23): what is opened lies below the directory, whatever moves meanwhile."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from provd.model.content import Content, FileBody, NotFound
from provd.plugin.beneath import LinkError, file_beneath, open_body

SECRET = b"secret"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path, octets in {
        "data/dir/file": b"public",
        "data/file": b"top",
        "data-private/file": SECRET,
        "outside/file": SECRET,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(octets)
    return tmp_path


def read(body: object) -> bytes:
    assert isinstance(body, FileBody)
    opened = open_body(body)
    try:
        return os.pread(opened.descriptor, 100, body.offset)
    finally:
        os.close(opened.descriptor)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def found(root: Path, relative: str) -> Content:
    content = file_beneath(root, relative)
    assert isinstance(content, Content), content
    return content


def test_C20_what_was_found_is_what_is_opened(tree: Path) -> None:
    assert read(found(tree / "data", "dir/file").body) == b"public"
    assert read(found(tree / "data", "file").body) == b"top"


def test_C20_a_directory_that_becomes_a_link_after_the_answer_leads_nowhere(tree: Path) -> None:
    content = found(tree / "data", "dir/file")
    (tree / "data" / "dir").rename(tree / "data" / "moved")
    (tree / "data" / "dir").symlink_to(tree / "outside")
    with pytest.raises(LinkError):
        read(content.body)


def test_C20_a_file_that_becomes_a_link_after_the_answer_is_not_read(tree: Path) -> None:
    content = found(tree / "data", "file")
    (tree / "data" / "file").unlink()
    (tree / "data" / "file").symlink_to(tree / "outside" / "file")
    with pytest.raises(LinkError):
        read(content.body)


def test_C20_a_file_that_becomes_a_pipe_does_not_stop_the_server(tree: Path) -> None:
    content = found(tree / "data", "file")
    (tree / "data" / "file").unlink()
    os.mkfifo(tree / "data" / "file")
    with pytest.raises(OSError, match="no regular file"):
        read(content.body)


@pytest.mark.parametrize("path", ["data-private/file", "outside/file", "data/../outside/file", "data", "data/dir"])
def test_C20_a_body_outside_of_its_directory_is_refused(tree: Path, path: str) -> None:
    with pytest.raises(OSError, match=r"does not lie in|no file below|no regular file"):
        read(FileBody(tree / path, beneath=tree / "data"))


def test_the_directory_itself_may_be_reached_through_a_link(tree: Path) -> None:
    (tree / "linked").symlink_to(tree / "data")
    assert read(found(tree / "linked", "dir/file").body) == b"public"


def test_a_file_that_the_operator_named_may_be_a_link(tree: Path) -> None:
    (tree / "kernel").symlink_to(tree / "data" / "file")
    assert read(FileBody(tree / "kernel")) == b"top"


def test_C20_a_component_swapped_again_and_again_never_leaks(tree: Path) -> None:
    """Another process replaces the directory by a link and back while files are asked for."""
    data, done = tree / "data", threading.Event()
    (data / "link").symlink_to(tree / "outside")

    def swap() -> None:
        while not done.is_set():
            (data / "dir").rename(data / "real")
            (data / "link").rename(data / "dir")
            (data / "dir").rename(data / "link")
            (data / "real").rename(data / "dir")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen: set[bytes] = set()
    try:
        for _ in range(3000):
            content = file_beneath(data, "dir/file")
            if isinstance(content, NotFound):
                continue
            try:
                seen.add(read(content.body))
            except OSError:
                continue
    finally:
        done.set()
        swapper.join()
    # Which of the two states the reader meets is the scheduler's; the secret is in neither answer.
    assert seen <= {b"public"}
    content = file_beneath(data, "dir/file")
    assert not isinstance(content, NotFound)
    assert read(content.body) == b"public"


def test_C20_nothing_stays_open(tree: Path) -> None:
    (tree / "data" / "link").symlink_to("file")
    before = open_files()
    for path in ("dir/file", "dir", "none/file", "link", "link/file", "file/x", "dir/" + "x" * 300):
        file_beneath(tree / "data", path)
    assert open_files() == before

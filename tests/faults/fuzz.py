"""Coverage-guided fuzzing of the DHCP service and the TFTP server with atheris (libFuzzer).

    python -m tests.faults.fuzz dhcp -max_total_time=60 CORPUS_DIR
    python -m tests.faults.fuzz tftp -runs=100000 CORPUS_DIR

An input is one or more datagrams: two octets length, one octet that says by which way it comes in, the datagram. What
libFuzzer found worth keeping is in ``tests/faults/corpus``; an input that found a fault is added with the repair.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).with_name("corpus")
_MOST = 8


def datagrams(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Way and datagram of each part of an input; a length that says more than there is takes the rest."""
    at = 0
    for _ in range(_MOST):
        if at + 3 > len(octets):
            return
        size, way = int.from_bytes(octets[at : at + 2]), octets[at + 2]
        yield way, octets[at + 3 : at + 3 + size]
        at += 3 + size


def packed(*parts: tuple[int, bytes]) -> bytes:
    """An input of these ways and datagrams."""
    return b"".join(len(data).to_bytes(2) + bytes((way,)) + data for way, data in parts)


class FoundError(Exception):
    """What must not happen."""


def dhcp(folder: Path) -> Callable[[bytes], None]:
    """What takes an input of DHCP datagrams; the service's files lie in an empty folder."""
    from tests.faults.datagrams import Handled, serve
    from tests.faults.whole_service import ARRIVALS, WholeService

    service = WholeService(folder)
    store = service.services.store

    def one(octets: bytes) -> None:
        handled = Handled()
        for way, data in datagrams(octets):
            serve(service, data, ARRIVALS[way % len(ARRIVALS)], handled)
        store.sessions.prune(before=0, keep=100)
        if handled.faults or service.counters.errors:
            raise FoundError(handled.faults or "an error was counted and logged")

    return one


def tftp(_folder: Path) -> Callable[[bytes], None]:
    """What takes an input of TFTP datagrams; an even way is the request port, an odd one a transfer that runs."""
    from tests.faults.tftp_datagrams import TftpLoop

    def one(octets: bytes) -> None:
        loop = TftpLoop(1)
        for way, data in datagrams(octets):
            loop.hand_in(data)
            loop.world.clock.advance(way / 64)
        if loop.rest():
            raise FoundError("a transfer never ended")

    return one


TARGETS: Final = {"dhcp": dhcp, "tftp": tftp}


def seeds(target: str) -> list[bytes]:
    """Inputs to begin with: every packet of the corpus that mutations use, by every way."""
    if target == "tftp":
        from tests.faults.tftp_datagrams import corpus as tftp_corpus

        return [packed((0, data), (1, b"\0\4\0\0"), (1, b"\0\4\0\1")) for data in tftp_corpus()]
    from tests.faults.datagrams import corpus as dhcp_corpus

    return [packed((number, data)) for number, data in enumerate(dhcp_corpus())]


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough; ends with another status than 0 where a fault was found."""
    import atheris

    with atheris.instrument_imports(include=["provd.wire", "provd.core", "provd.service", "provd.net.tftp"]):
        one = TARGETS[sys.argv[1]](Path(tempfile.mkdtemp(prefix="provd-fuzz-")))
    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

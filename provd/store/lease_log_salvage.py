"""What can still be believed of a lease log behind the place where it can no longer be read in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provd.store.lease_log_format import (
    BLOCK,
    HEAD,
    block_length,
    block_number,
    entries_of,
    is_sound,
    removal,
    sequence_of,
)
from provd.store.sqlite_record import carve, seal


@dataclass(frozen=True, slots=True)
class Behind:
    """What was found.

    Attributes:
        entries: sound records and removals, in their order.
        number: of the round, 0 where no block says.
        newest: highest sequence number among the records.
        damaged: a block of this round was written here, or a record of it lies here.
    """

    entries: tuple[bytes, ...]
    number: int
    newest: int
    damaged: bool


def behind(rest: bytes, number: int, settled: int) -> Behind:
    """Look through octets that do not begin with a sound block.

    Args:
        rest: octets.
        number: round of the blocks before, 0 where there are none.
        settled: what is not above this number is of an earlier round.
    """
    entries: list[bytes] = []
    at, damaged = 0, False
    for start, end in _blocks(rest, number, settled):
        entries.extend(_records(rest[at:start], settled))
        number = number or block_number(rest[start:])
        entries.extend(record or removal(address) for address, record in entries_of(rest[start + HEAD : end]))
        at, damaged = end, True
    entries.extend(_records(rest[at:], settled))
    newest = max(map(sequence_of, entries), default=0)
    # Only here, where a block is due, does the head of a block that is not sound say something.
    begun = block_length(rest[:HEAD], number, settled) >= 0
    return Behind(tuple(entries), number, newest, damaged or begun or bool(entries))


def _records(octets: bytes, settled: int) -> Iterator[bytes]:
    return (seal(kind, sequence, body) for kind, sequence, body in carve(("leases",), octets, above=settled))


def _blocks(octets: bytes, number: int, settled: int) -> Iterator[tuple[int, int]]:
    """Begin and end of every sound block of this round."""
    after = 0
    for at in _places(octets):
        head = octets[at : at + HEAD]
        length = block_length(head, number, settled)
        if at >= after and length >= 0 and is_sound(head, octets[at + HEAD : at + HEAD + length]):
            after = at + HEAD + length
            yield at, after


def _places(octets: bytes) -> Iterator[int]:
    at = octets.find(BLOCK)
    while at >= 0:
        yield at
        at = octets.find(BLOCK, at + 1)

"""Mutated packets, made quickly: a few microseconds each, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

_OPTIONS_AT: Final = 240
_CODES: Final = bytes((12, 43, 50, 51, 52, 53, 54, 55, 57, 60, 61, 67, 77, 81, 82, 93, 94, 97, 118, 119, 121, 255, 0))
_LENGTHS: Final = bytes((0, 1, 2, 3, 4, 5, 8, 17, 64, 127, 128, 254, 255))


class Mutator:
    """Packets that were packets once.

    Args:
        corpus: what is mutated.
        seed: of everything.
        header: octets before which a mutation is the rarer case; the options of a DHCP message begin there.
    """

    def __init__(self, corpus: Sequence[bytes], seed: int, header: int = _OPTIONS_AT) -> None:
        self._corpus = tuple(corpus)
        self._pick = random.Random(seed)
        self._header = header
        self._ways = (
            self._octets, self._octets, self._octets, self._option, self._option, self._cut, self._splice,
            self._insert, self._repeat, self._noise,
        )  # fmt: skip

    def next(self) -> bytes:
        """The next packet: one to three mutations of one of the corpus."""
        draw = self._pick.random
        data = bytearray(self._corpus[int(draw() * len(self._corpus))])
        for _ in range(1 + int(draw() * 3)):
            self._ways[int(draw() * len(self._ways))](data)
        return bytes(data)

    def _at(self, data: bytearray) -> int:
        draw, size = self._pick.random, len(data)
        if size > self._header and draw() < 0.7:
            return self._header + int(draw() * (size - self._header))
        return int(draw() * size)

    def _octets(self, data: bytearray) -> None:
        draw = self._pick.random
        if data:
            for _ in range(1 + int(draw() * 6)):
                data[self._at(data)] = int(draw() * 256)

    def _option(self, data: bytearray) -> None:
        """A code and a length that mean something, wherever they fall."""
        draw, at = self._pick.random, self._at(data)
        data[at : at + 2] = bytes((_CODES[int(draw() * len(_CODES))], _LENGTHS[int(draw() * len(_LENGTHS))]))

    def _cut(self, data: bytearray) -> None:
        del data[self._at(data) :]

    def _splice(self, data: bytearray) -> None:
        other = self._corpus[int(self._pick.random() * len(self._corpus))]
        at = self._at(data)
        data[at:] = other[at:]

    def _insert(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._pick.randbytes(1 + int(self._pick.random() * 40))

    def _repeat(self, data: bytearray) -> None:
        at = self._at(data)
        data.extend(data[at : at + 300] * (1 + int(self._pick.random() * 4)))

    def _noise(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:] = self._pick.randbytes(int(self._pick.random() * 300))

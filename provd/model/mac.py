"""Hardware addresses as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATTERN = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}|[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True, order=True)
class Mac:
    """An Ethernet address (6 octets); prints in lower case with colons."""

    octets: bytes

    @classmethod
    def parse(cls, text: str) -> Mac:
        """Read ``52:54:00:aa:bb:cc``, the same with dashes, ``5254.00aa.bbcc`` or twelve hex digits.

        Raises:
            ValueError: one sentence with the text and the rule.
        """
        if not _PATTERN.fullmatch(text):
            raise ValueError(
                f"{text!r} is not a MAC address: six pairs of hex digits are expected, as in 52:54:00:aa:bb:cc"
            )
        return cls(bytes.fromhex(re.sub(r"[:.\-]", "", text)))

    def __str__(self) -> str:
        return self.octets.hex(":")

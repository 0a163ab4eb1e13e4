"""The one exception the wire floor raises."""

from __future__ import annotations


class WireError(ValueError):
    """Octets that do not follow their format, or a value that does not fit into it.

    The sentence names the field and, where octets were read, the offset in the datagram and the rule that was broken.

    Attributes:
        field: what was read or written, for example ``"options"`` or ``"option 121"``.
        problem: what is wrong with it, in a few words.
        offset: octets from the start of the datagram (or of the option value), or -1 where there is no position.
    """

    def __init__(self, field: str, problem: str, offset: int = -1) -> None:
        super().__init__(f"{field} at octet {offset}: {problem}" if offset >= 0 else f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.offset = offset

"""Who has got a letter already: what is tried again goes to the others only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from provd.plugin.api import GiveUpError

from .client import Reply
from .letter import Letter

_MOST = 1000
"""Letters that are remembered; beyond that somebody may get one twice."""


class Progress:
    """Last replies by letter and recipient, while a letter is on its way."""

    def __init__(self) -> None:
        self._heard: dict[str, dict[str, Reply]] = {}

    def rest_of(self, letter: Letter) -> Letter:
        """The letter for those about whom nothing is final."""
        heard = self._heard.get(letter.key, {})
        waiting = tuple(one for one in letter.recipients if one not in heard or heard[one].again)
        return replace(letter, recipients=waiting)

    def heard(self, letter: Letter, replies: Mapping[str, Reply]) -> None:
        """What the server said about recipients."""
        while len(self._heard) >= _MOST:
            del self._heard[next(iter(self._heard))]
        self._heard.setdefault(letter.key, {}).update(replies)

    def result(self, letter: Letter) -> str:
        """Who got it.

        Raises:
            ConnectionError: somebody may get it at a further attempt.
            GiveUpError: somebody never will.
        """
        heard = self._heard.get(letter.key, {})
        sent = [one for one, reply in heard.items() if reply.ok]
        failed = [f"{one} ({reply.text})" for one, reply in heard.items() if not reply.ok]
        told = f"sent to {', '.join(sent) or 'nobody'}"
        if failed:
            told += f"; refused: {', '.join(failed)}"
        if any(reply.again for reply in heard.values()):
            raise ConnectionError(told)
        self._heard.pop(letter.key, None)
        if failed:
            raise GiveUpError(told)
        return told

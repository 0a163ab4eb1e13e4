"""Talks with a board in a process of its own, by a program of this folder.

The libraries need that: pyghmi keeps sockets and sessions for a whole process, sushy cannot be imported where
zope.interface has looked at one of Python's own mappings, and neither can be interrupted. The request goes to standard
input, as arguments and environment of a process can be looked at; the answer is ``kind`` and ``text`` in JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from provd.plugin.api import Runtime

_MOST_TEXT = 300


class Answer(msgspec.Struct):
    """What a program says.

    Attributes:
        kind: ``done``, ``silent`` (the board does not answer), ``unreachable`` (for the reason in ``text``), ``login``
            (refused), ``mute`` (it opens a session and then does not answer to the user) or ``refused``.
        text: words, or the state.
    """

    kind: str
    text: str = ""


async def held(runtime: Runtime, program: str, board: str, asked: Mapping[str, object], longest_s: float) -> str:
    """Run the program; what the board said.

    Args:
        runtime: starts it.
        program: name of its file in this folder.
        board: how it is called in errors.
        asked: the request.
        longest_s: seconds after which it is ended.

    Raises:
        TimeoutError: it took longer.
        ConnectionError: the board cannot be reached.
        ValueError: it refused.
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name(program))]
    try:
        ended = await runtime.run_process(command, stdin=msgspec.json.encode(asked), timeout_s=longest_s)
    except TimeoutError as error:
        raise TimeoutError(f"{board} did not answer in {longest_s:g} s") from error
    try:
        answer = msgspec.json.decode(ended.stdout, type=Answer)
    except msgspec.DecodeError as error:
        raise ValueError(f"the session with {board} ended with status {ended.status}") from error
    text = "".join(one if one.isprintable() else " " for one in answer.text)[:_MOST_TEXT]
    if answer.kind == "done":
        return text
    if answer.kind in {"silent", "unreachable"}:
        raise ConnectionError(f"{board}: {text}" if answer.kind == "unreachable" else f"{board} does not answer")
    if answer.kind == "login":
        raise ValueError(f"{board} refuses the login of {asked['user']}, or what it may do")
    if answer.kind == "mute":
        raise ValueError(
            f"{board} does not answer to the user {asked['user']}: it has no such user, or refuses it here"
        )
    raise ValueError(f"{board} refused: {text}")

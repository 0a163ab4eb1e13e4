"""Reading many items lets machines have their turn: in pieces, and the answer is written by another thread."""

from __future__ import annotations

import threading
import xmlrpc.client
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred

from provd.api.cobbler.call import Bridge, Secret
from provd.api.cobbler.dispatch import Dispatcher
from provd.api.cobbler.reading import AT_ONCE
from provd.api.cobbler.tasks import Tasks
from provd.api.cobbler.writing import Drafts
from provd.model.system import InstallState, System
from provd.service.access import Access
from provd.service.operations import OperationError, OperationTable
from provd.service.system_views import system_view

MANY = 2 * AT_ONCE + 20


class Table:
    """Has systems and repos, and keeps how many were asked for at once."""

    def __init__(self) -> None:
        self.names = [f"n{number:04}" for number in range(MANY)]
        self.pieces: list[int] = []

    async def call(self, name: str, arguments: Mapping[str, Any], *, caller: object) -> object:
        del caller
        if name == "system.find":
            names = [one for one in self.names if one > arguments.get("cursor", "")]
            limit = arguments.get("limit") or len(names)
            self.pieces.append(min(limit, len(names)))
            return [system_view(System(one), InstallState(one)) for one in names[:limit]]
        if name == "menu.list":
            return [{"name": one} for one in self.names]
        if arguments["name"] not in self.names:
            raise OperationError(f"there is no menu {arguments['name']}", kind="not-found")
        return {"name": arguments["name"], "title": "", "parent": "", "entries": []}


class Asked:
    """A dispatcher over the table, with all that it did besides."""

    def __init__(self) -> None:
        self.table, self.pauses, self.threads = Table(), 0, 0
        self.meanwhile: Callable[[], object] = lambda: None

        async def pause() -> None:
            self.pauses += 1
            self.meanwhile()

        async def in_thread(work: Callable[[], Any]) -> Any:
            self.threads += 1
            found: list[Any] = []
            worker = threading.Thread(target=lambda: found.append(work()))
            worker.start()
            worker.join()
            return found[0]

        self.dispatcher = Dispatcher(
            Bridge(
                table=cast("OperationTable", self.table),
                access=cast("Access", None),
                secret=Secret(bytes(32)),
                anonymous=lambda _peer: True,
                tasks=Tasks(lambda: 0.0, None),
                drafts=Drafts(),
                facts=dict,
                in_thread=in_thread,
                pause=pause,
            )
        )

    def __call__(self, method: str, *arguments: Any) -> Any:
        raw = xmlrpc.client.dumps(arguments, method).encode()
        told: list[bytes] = []
        Deferred.fromCoroutine(self.dispatcher.handle(raw, "127.0.0.1")).addCallback(told.append)
        return xmlrpc.client.loads(told[0])[0][0]


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_systems_are_read_in_pieces_with_pauses_and_written_apart(asked: Asked) -> None:
    found = asked("get_systems")
    assert [one["name"] for one in found] == asked.table.names
    assert asked.table.pieces == [AT_ONCE, AT_ONCE, MANY - 2 * AT_ONCE]
    assert (asked.pauses, asked.threads) == (2, 1)


def test_a_search_pauses_too_and_a_short_answer_is_written_at_once(asked: Asked) -> None:
    assert asked("find_system", {"name": "n001*"}) == [f"n{number:04}" for number in range(10, 20)]
    assert (asked.pauses, asked.threads) == (2, 0)


def test_items_of_other_kinds_are_read_in_pieces(asked: Asked) -> None:
    assert [one["name"] for one in asked("get_menus")] == asked.table.names
    assert (asked.pauses, asked.threads) == (2, 1)


def test_a_number_of_systems_that_fills_the_last_piece_ends(asked: Asked) -> None:
    del asked.table.names[2 * AT_ONCE :]
    assert len(asked("get_systems")) == 2 * AT_ONCE
    assert asked.table.pieces == [AT_ONCE, AT_ONCE, 0]


@pytest.mark.parametrize("method", ["get_systems", "get_menus"])
def test_what_is_removed_while_others_have_their_turn_is_left_out(asked: Asked, method: str) -> None:
    asked.meanwhile = asked.table.names.pop
    names = list(asked.table.names)
    assert [one["name"] for one in asked(method)] == names[:-2]

"""What happened to boots and machines, page by page, nothing twice and nothing left out."""

from __future__ import annotations

from typing import Any

import pytest

from provd.model.event import Event
from provd.service.operations import OperationError, decode_arguments
from provd.service.operations_events import MOST, EventOperations
from provd.store.memory import MemoryStore


class Asked:
    """A store with events, and the operation."""

    def __init__(self, count: int) -> None:
        self.store = MemoryStore(lambda work: work())
        for _ in range(count):
            self.happen()

    def happen(self) -> None:
        number = self.store.sessions.last_event() + 1
        kind = "boot.started" if number % 2 else "install.finished"
        fields = {"root_password": "secret", "text": f"number {number}"}
        self.store.sessions.append(Event(kind, 100.0 + number, "s", f"web{number % 3}", fields=fields))

    def __call__(self, **arguments: object) -> Any:
        (operation,) = EventOperations(self.store.sessions).operations()
        assert operation.permission == "read"
        return operation.run(decode_arguments(operation, arguments))


def ids(told: Any) -> list[int]:
    return [event["id"] for event in told["events"]]


def test_the_newest_come_last() -> None:
    told = Asked(120)(limit=3)
    assert ids(told) == [118, 119, 120]
    assert told["last"] == 120
    assert ids(Asked(0)()) == []
    assert Asked(0)()["last"] == 0


def test_kinds_and_systems_choose() -> None:
    ask = Asked(12)
    assert ids(ask(kind="install.*", limit=2)) == [10, 12]
    assert ids(ask(kind="none.*, boot.st?rted", system="web0")) == [3, 9]
    assert ids(ask(kind="")) == []


def test_what_was_not_looked_at_is_told() -> None:
    ask = Asked(MOST)
    assert ask(kind="none.*")["since"] == 0
    ask.happen()
    assert ask(kind="none.*")["since"] == 1
    assert ask(after=5)["since"] == 5


def test_going_on_leaves_nothing_out_and_tells_nothing_twice() -> None:
    ask = Asked(2 * MOST + 50)
    seen: list[int] = []
    at = 0
    for _ in range(100):
        told = ask(after=at, kind="install.*", limit=300)
        seen += ids(told)
        if told["last"] == at:
            break
        at = told["last"]
    assert seen == list(range(2, 2 * MOST + 51, 2))
    ask.happen()
    ask.happen()
    assert ids(ask(after=at, kind="*")) == [2 * MOST + 51, 2 * MOST + 52]


def test_no_secret_is_told() -> None:
    (event,) = Asked(1)()["events"]
    assert "secret" not in str(event)
    assert event["text"].startswith("boot begins: ")


@pytest.mark.parametrize("wrong", [{"after": -1}, {"after": 2**70}, {"limit": 0}, {"limit": MOST + 1}, {"kind": 3}])
def test_wrong_arguments_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(OperationError) as caught:
        Asked(0)(**wrong)
    assert caught.value.field == next(iter(wrong))

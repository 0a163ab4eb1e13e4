"""What one machine would get from one catalogue, as plain lines: boot, options, arguments, answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provd.app.operations import explainer_of, preview_of
from provd.model.system import System
from provd.service.answers import AnswerError
from provd.service.explain import ExplainQuery
from provd.service.operations import OperationError, plain
from provd.testing.world import MemoryServer

_PC = ("bios", "x64-uefi")
"""Firmware that is imagined for a PC: the two that rooms are full of."""

Outcome = Mapping[str, str]


class Side:
    """One of the two catalogues that are compared.

    Args:
        server: a provd in memory with this catalogue.
        name: what to call it.
    """

    def __init__(self, server: MemoryServer, name: str) -> None:
        self.server, self.name = server, name
        services = server.services
        # The explainer looks systems up by name; here they come from either side, whatever the store says.
        self._systems: dict[str, System] = {}
        self._explainer = explainer_of(services, _Given(self._systems))
        self._preview = preview_of(services)
        self._answers = services.preview_answers()

    def outcome(self, system: System) -> Outcome:
        """Every value by its key; what cannot be made is a value too, so that a change of it shows."""
        self._systems.clear()
        self._systems[system.name] = system
        found: dict[str, str] = {}
        try:
            usual: Any = plain(self._explainer.explain(ExplainQuery(system=system.name)))
            for arch in _PC if usual["arch"] in _PC else (usual["arch"],):
                query = ExplainQuery(system=system.name, arch=arch)  # type: ignore[arg-type]
                told: Any = usual if arch == usual["arch"] else plain(self._explainer.explain(query))
                found |= dict(_boot(arch, told))
                if arch == usual["arch"]:
                    found |= dict(_values(told))
        except OperationError as error:
            return {"error": str(error)}
        if found.get("action") == "install":
            found |= dict(self._documents(system))
        return found

    def _documents(self, system: System) -> Iterator[tuple[str, str]]:
        try:
            plan = self._preview.plan_of(system)
            installer = self._answers.installer(plan)
        except (OperationError, AnswerError) as error:
            yield "answers", str(error)
            return
        for name, document in installer.documents.items():
            try:
                text, _once = self._answers.render(plan, installer, name, document)
            except AnswerError as error:
                text = f"cannot be made: {error}"
            yield f"answer file {name}", text


class _Given:
    """Systems that are given, for the explainer."""

    def __init__(self, systems: Mapping[str, System]) -> None:
        self._systems = systems

    def get(self, name: str) -> System | None:
        """The system of this name."""
        return self._systems.get(name)

    def of_mac(self, mac: bytes) -> System | None:
        """The system of this hardware address."""
        cards = ((one, card) for one in self._systems.values() for card in one.interfaces)
        return next((one for one, card in cards if card.mac.octets == mac), None)


def _boot(arch: str, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    loader = told["loader"]
    yield f"boot loader ({arch})", f"{loader.get('value', '')} {loader.get('file', '')}".strip()
    for missing in told["missing"]:
        yield f"missing ({arch})", str(missing)


def _values(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "action", str(told["action"])
    yield "reason", str(told["reason"])
    yield "profile", str(told.get("profile", ""))
    for key in ("distro", "installer", "source"):
        yield key, str(told.get(key, {}).get("value", ""))
    yield "kernel arguments", " ".join(str(one["value"]) for one in told.get("kernel_args", ()))
    for row in told["options"]:
        yield f"option {row['key']}", str(row["value"])
    for row in (*told.get("answers", ()), *told.get("variables", ())):
        yield str(row["key"]), str(row["value"])


def keys_of(before: Outcome, after: Outcome) -> Sequence[str]:
    """Keys in which two outcomes differ, in the order in which they stand."""
    return [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]

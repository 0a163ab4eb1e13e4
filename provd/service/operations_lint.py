"""``lint``: what the family's own judge says of the answers that machines would get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Protocol

from msgspec import Meta

from provd.model.boot import BootPlan, Location
from provd.model.mac import Mac
from provd.model.profile import Profile
from provd.model.system import Interface, System
from provd.plugin.contract import Operation
from provd.plugin.contract_install import Finding, Installer
from provd.service.answers import AnswerError, Answers, shape_fault
from provd.service.operations import Arguments, OperationError
from provd.service.system_lookup import NamedSystems, find_system
from provd.service.unread_answers import is_external, unread_answers

InThread = Callable[[Callable[[], Sequence[Finding]]], Awaitable[Sequence[Finding]]]


class LintQuery(Arguments, frozen=True):
    """Whose answers; with neither, those of every profile."""

    profile: Annotated[
        str, Meta(description="Profile, for an imagined machine; or a machine, where no profile has the name.")
    ] = ""
    system: Annotated[str, Meta(description="Machine: its profile with what it says itself.")] = ""


class Profiles(Protocol):
    """The catalogue of this moment."""

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """Profiles that can be installed, by name."""
        ...

    def resolve(self, system: System) -> Profile:
        """The system's profile with its overrides."""
        ...


_STAND_IN: Final = Location("http", "mirror.example", "/tree", 80)
"""Where packages are for the judge, where this provd serves none."""


def _source(profile: Profile) -> str:
    return profile.source or profile.distro.tree


@dataclass(frozen=True, slots=True)
class _Judged:
    name: str
    installer: str
    findings: Sequence[Finding]


class Linter:
    """The operation.

    Args:
        answers: renders without resolving secrets.
        plan_of: the plan of an installation of a system.
        catalogue: the catalogue of this moment.
        systems: the systems service.
        in_thread: runs a judge, which may take seconds, outside of the thread that answers machines.
    """

    def __init__(
        self,
        *,
        answers: Answers,
        plan_of: Callable[[System], BootPlan],
        catalogue: Callable[[], Profiles],
        systems: NamedSystems,
        in_thread: InThread,
    ) -> None:
        self._answers, self._plan_of, self._catalogue = answers, plan_of, catalogue
        self._systems, self._in_thread = systems, in_thread

    def operations(self) -> tuple[Operation, ...]:
        """``lint``."""
        return (
            Operation(
                "lint",
                "Judge the answers of a profile or a machine, or of every profile, with their family's own judge, "
                "by the running service or, where none answers, from the files of the configuration.",
                "read",
                LintQuery,
                self.lint,
                "provd lint debian-12-server",
                result="One row per remark: `profile`, `installer`, `document`, `line`, `level` (or `ok`), `text`.",
            ),
        )

    async def lint(self, arguments: LintQuery) -> object:
        """Rows, the worst first within each profile."""
        rows: list[dict[str, object]] = []
        for system in self._asked(arguments):
            judged = await self._judge(system)
            rows += _rows(judged)
        return rows

    def _asked(self, arguments: LintQuery) -> Iterator[System]:
        if arguments.system and arguments.profile:
            raise OperationError("either a profile or a system is expected", field="system", kind="usage")
        if arguments.system:
            yield find_system(self._systems, arguments.system)
            return
        known = self._catalogue().profiles
        if arguments.profile and arguments.profile not in known:
            machine = self._systems.get(arguments.profile)
            if machine is None:
                sentence = f"there is no profile and no machine {arguments.profile}"
                raise OperationError(sentence, field="profile", kind="not-found")
            yield machine
            return
        for name in [arguments.profile] if arguments.profile else sorted(known):
            yield System("example", name, (Interface("eth0", Mac(bytes((2, 0, 0, 0, 0, 0)))),))

    async def _judge(self, system: System) -> _Judged:
        plan = self._plan_of(system)
        name = plan.profile.name if plan.profile else system.profile
        try:
            installer = self._answers.installer(plan)
        except AnswerError as error:
            return _Judged(name, "", (Finding("error", "", str(error)),))
        if plan.profile is not None and is_external(installer, plan.profile):
            return _Judged(name, installer.name, ())
        profile = self._catalogue().resolve(system)
        if fault := shape_fault(installer, profile, system):
            return _Judged(name, installer.name, (Finding("error", "", fault),))
        remarks: list[Finding] = []
        if plan.location is None and plan.profile is not None and _source(plan.profile):
            remarks.append(Finding("warning", "", f"nobody serves {_source(plan.profile)} here; judged as if one did"))
            plan = replace(plan, location=_STAND_IN)
        texts, findings = self._rendered(plan, installer)
        # Secrets are masked in what is rendered; whether there is a way in only the real values of the profile tell.
        if not findings:
            findings += await self._in_thread(lambda: installer.lint(texts, profile))
            missing = installer.ready(profile)
            findings += [Finding("warning", "", missing)] if missing else []
            unread = unread_answers(profile, installer, self._answers.installers)
            findings += [Finding("warning", "", sentence) for sentence in unread]
        return _Judged(name, installer.name, [*findings, *remarks])

    def _rendered(self, plan: BootPlan, installer: Installer) -> tuple[dict[str, str], list[Finding]]:
        texts: dict[str, str] = {}
        findings: list[Finding] = []
        for title, document in installer.documents.items():
            try:
                texts[title], _once = self._answers.render(plan, installer, title, document)
            except AnswerError as error:
                findings.append(Finding("error", title, str(error)))
        return texts, findings


def _rows(judged: _Judged) -> list[dict[str, object]]:
    whose = {"profile": judged.name, "installer": judged.installer}
    found = sorted(judged.findings, key=lambda one: (one.level != "error", one.document, one.line))
    rows: list[dict[str, object]] = [
        {**whose, "document": one.document, "line": one.line or None, "level": one.level, "text": one.text}
        for one in found
    ]
    return rows or [{**whose, "document": "", "line": None, "level": "ok", "text": ""}]

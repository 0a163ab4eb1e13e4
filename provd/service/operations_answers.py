"""An answer file as it would be, without a boot: the operation behind a look at it. No secret is resolved for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec

from provd.model.boot import Action, BootPlan, Location
from provd.model.client import ClientFacts
from provd.model.mac import Mac
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import Interface, System
from provd.plugin.contract import Operation
from provd.plugin.contract_install import Installer
from provd.service.answers import AnswerError, Answers
from provd.service.masking import masked
from provd.service.operations import Arguments, OperationError
from provd.service.ports import AnswerHost, ResolvedProfiles
from provd.service.system_lookup import NamedSystems, find_system

_TOKEN: Final = "TOKEN"  # noqa: S105 - stands where the token of a real boot will stand
_MAIN: Final = ("ks.cfg", "preseed.cfg", "user-data")


class PreviewQuery(Arguments, frozen=True):
    """Whose file: a system's, or that of an imagined machine with a profile."""

    system: Annotated[str, msgspec.Meta(description="Machine.")] = ""
    profile: Annotated[str, msgspec.Meta(description="Profile of an imagined machine.")] = ""
    document: Annotated[str, msgspec.Meta(description="Which file; none: the installer's main one.")] = ""


class MaskedHost:
    """The plugin host with the secrets of variables hidden."""

    def __init__(self, host: AnswerHost) -> None:
        self._host = host
        self.callbacks = host.callbacks

    @property
    def installers(self) -> Mapping[str, Installer]:
        """Every installer."""
        return self._host.installers

    def answer_vars(self, system: System, profile: Profile) -> Mapping[str, tuple[str, object]]:
        """Variables of plugins."""
        theirs = self._host.answer_vars(system, profile)
        return {name: (plugin, masked(value, name)) for name, (plugin, value) in theirs.items()}


def unresolved(value: object) -> tuple[object, bool]:
    """In the place of the reader of secrets: hides them."""
    return masked(value, ""), False


class AnswerPreview:
    """The operation.

    Args:
        answers: renders with :class:`MaskedHost` and :func:`unresolved`.
        catalogue: the catalogue of this moment.
        systems: the systems service.
        location: where a plan's installer finds packages.
        subnet_of: the subnet of a system, or None.
        server_of: provd's address as machines of a subnet reach it (dotted quad).
        http_port: port of the HTTP listener.
        log_port: port of the syslog listener, 0 where it takes nothing.
    """

    def __init__(
        self,
        *,
        answers: Answers,
        catalogue: Callable[[], ResolvedProfiles],
        systems: NamedSystems,
        location: Callable[[BootPlan], Location | None],
        subnet_of: Callable[[System], Subnet | None],
        server_of: Callable[[Subnet | None], str],
        http_port: int,
        log_port: Callable[[], int] = lambda: 0,
    ) -> None:
        self._answers, self._catalogue, self._systems = answers, catalogue, systems
        self._location, self._subnet_of, self._server_of = location, subnet_of, server_of
        self._http_port, self._log_port = http_port, log_port

    def operations(self) -> tuple[Operation, ...]:
        """``answer.preview``."""
        summary = "Show an answer file as it would be, with secrets and the install token masked."
        return (
            Operation(
                "answer.preview",
                summary,
                "read",
                PreviewQuery,
                self.preview,
                "provd answer preview web1",
                "`document`, its `media_type` and its `text`.",
            ),
        )

    def preview(self, arguments: PreviewQuery) -> object:
        """Text of one document."""
        plan = self.plan_of(self._system(arguments))
        try:
            installer = self._answers.installer(plan)
            main = next((name for name in _MAIN if name in installer.documents), next(iter(installer.documents), ""))
            name = arguments.document or main
            document = installer.documents.get(name)
            if document is None:
                there = ", ".join(sorted(installer.documents))
                sentence = f"installer {installer.name} has no document {name!r}; it has: {there}"
                if not there:
                    sentence = f"installer {installer.name} has no answer files: it boots what it is given"
                raise OperationError(sentence, field="document", kind="not-found")
            text, _once = self._answers.render(plan, installer, name, document)
        except AnswerError as error:
            raise OperationError(str(error)) from error
        return {"document": name, "media_type": document.media_type, "text": text}

    def _system(self, arguments: PreviewQuery) -> System:
        if bool(arguments.system) == bool(arguments.profile):
            raise OperationError("either a system or a profile is expected", field="system", kind="usage")
        if arguments.system:
            return find_system(self._systems, arguments.system)
        card = Interface("eth0", Mac(bytes((2, 0, 0, 0, 0, 0))))
        return System("example", arguments.profile, (card,))

    def plan_of(self, system: System) -> BootPlan:
        """The plan of an installation, with secrets masked.

        Raises:
            OperationError: its profile is not there.
        """
        try:
            profile = self._catalogue().resolve(system)
        except LookupError as error:
            raise OperationError(str(error), field="profile", kind="not-found") from error
        shown: dict[str, Any] = {"vars": masked(profile.vars, ""), "answers": masked(profile.answers, "")}
        distro = replace(profile.distro, vars=masked(profile.distro.vars, ""))  # type: ignore[arg-type]
        mac = system.interfaces[0].mac if system.interfaces else Mac(bytes((2, 0, 0, 0, 0, 0)))
        plan = BootPlan(
            Action.INSTALL,
            "a preview",
            ClientFacts(mac=mac, uuid=system.uuid),
            system=system,
            profile=replace(profile, distro=distro, **shown),
            server=self._server_of(self._subnet_of(system)),
            http_port=self._http_port,
            log_port=self._log_port(),
            token=_TOKEN,
        )
        return replace(plan, location=self._location(plan))

"""What the services ask of the floors below and beside them, as protocols, so that tests pass fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from provd.model.boot import BootPlan
from provd.model.client import ClientFacts
from provd.model.content import Content, FileRequest, NotFound
from provd.model.event import Event
from provd.model.menu import Menu
from provd.model.profile import Profile
from provd.model.system import InstallState, System
from provd.model.token import InstallToken
from provd.plugin.contract import BootLoader, Change, InstallSource, Veto
from provd.plugin.contract_install import Callback, Installer
from provd.plugin.power import PowerDriver
from provd.store.interface import SystemWrite

Publish = Callable[[Event], None]
"""The event bus, seen from below."""


class BootHost(Protocol):
    """What boot decisions ask of the plugin host."""

    @property
    def boot_loaders(self) -> Mapping[str, BootLoader]: ...
    @property
    def installers(self) -> Mapping[str, Installer]: ...
    @property
    def install_sources(self) -> Mapping[str, InstallSource]: ...
    def boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None: ...
    def kernel_args(self, plan: BootPlan) -> Sequence[tuple[str, Sequence[str]]]: ...


class Profiles(Protocol):
    """The catalogue, as far as boots need it."""

    @property
    def generation(self) -> str: ...
    @property
    def menus(self) -> Mapping[str, Menu]: ...
    def profile_for(self, system: System) -> Profile | None: ...


class InstallStates(Protocol):
    """What earlier installs came to."""

    def get(self, system: str) -> InstallState: ...
    def put(self, system: str, state: InstallState) -> None: ...
    def sync(self, system: str) -> None: ...
    def remove(self, system: str) -> None: ...


class AnswerHost(Protocol):
    """What answers and callbacks ask of the plugin host."""

    @property
    def installers(self) -> Mapping[str, Installer]: ...
    @property
    def callbacks(self) -> Mapping[str, Callback]: ...
    def answer_vars(self, system: System, profile: Profile) -> Mapping[str, tuple[str, object]]: ...


class FileHost(Protocol):
    """What file requests ask of the plugin host."""

    @property
    def boot_loaders(self) -> Mapping[str, BootLoader]: ...
    def file(self, request: FileRequest) -> Content | NotFound | None: ...


class ChangeHost(Protocol):
    """What changes to systems ask of the plugin host."""

    def change(self, change: Change) -> Veto | None: ...


class TokenStore(Protocol):
    """Where install tokens are kept."""

    def find(self, token: str) -> InstallToken | None: ...
    def of_session(self, session: str) -> InstallToken | None: ...
    def save(self, token: InstallToken) -> None: ...


class SystemStore(Protocol):
    """Where operators' systems are kept."""

    def all(self) -> Iterable[System]: ...
    def get(self, name: str) -> System | None: ...
    def put(self, system: System, *, expected: str) -> System: ...
    def change(self, writes: Sequence[SystemWrite]) -> Sequence[System]: ...


class PluginNames(Protocol):
    """What enabled plugins bring and a system can name, each by its name."""

    @property
    def installers(self) -> Mapping[str, Installer]: ...
    @property
    def boot_loaders(self) -> Mapping[str, BootLoader]: ...
    @property
    def install_sources(self) -> Mapping[str, InstallSource]: ...
    @property
    def power_drivers(self) -> Mapping[str, PowerDriver]: ...


class CardOwners(Protocol):
    """The systems, by the hardware addresses of their cards."""

    def of_mac(self, mac: bytes) -> System | None: ...


class ResolvedProfiles(Protocol):
    """The catalogue of this moment, for those who are told what is wrong with it."""

    def resolve(self, system: System) -> Profile:
        """The system's profile with its overrides.

        Raises:
            LookupError: it has none; the sentence says why.
        """
        ...


class ExplainHost(Protocol):
    """What explaining asks of the plugin host."""

    @property
    def boot_loaders(self) -> Mapping[str, BootLoader]: ...
    @property
    def installers(self) -> Mapping[str, Installer]: ...
    def boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None: ...
    def kernel_args(self, plan: BootPlan) -> Sequence[tuple[str, Sequence[str]]]: ...
    def answer_vars(self, system: System, profile: Profile) -> Mapping[str, tuple[str, object]]: ...

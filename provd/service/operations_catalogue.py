"""Operations on distros and profiles: what can be installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from provd.model.distro import Distro
from provd.model.profile import Profile
from provd.model.system import System
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub_value
from provd.service.operations import Arguments, NoArguments, OperationError


class CatalogueView(Protocol):
    """The catalogue of this moment."""

    @property
    def distros(self) -> Mapping[str, Distro]:
        """Distros by name."""
        ...

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """Profiles by name."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """File by ``distro NAME``, ``profile NAME`` and ``system NAME``."""
        ...

    @property
    def problems(self) -> Sequence[object]:
        """What was left out; ``str()`` is a sentence."""
        ...

    @property
    def generation(self) -> str:
        """Hash of everything that was read."""
        ...

    def revision(self, kind: str, name: str) -> str:
        """Hash of the file of a distro or profile."""
        ...

    def resolve(self, system: System) -> Profile:
        """The system's profile with its overrides."""
        ...


class Named(Arguments, frozen=True):
    """One object by name."""

    name: str


def catalogue_operations(catalogue: Callable[[], CatalogueView]) -> tuple[Operation, ...]:
    """``distro.list``, ``distro.show``, ``profile.list`` and ``profile.show``.

    Args:
        catalogue: the catalogue of this moment.
    """
    ask = _Catalogue(catalogue)
    show = "Show one profile with everything it inherits and where that came from."
    return (
        Operation(
            "distro.list",
            "List distros.",
            "read",
            NoArguments,
            ask.distro_list,
            "provd distro list",
            result="One row per distro, by name.",
        ),
        Operation(
            "distro.show",
            "Show one distro.",
            "read",
            Named,
            ask.distro_show,
            "provd distro show debian-12",
            result="The distro, with its `revision`.",
        ),
        Operation(
            "profile.list",
            "List profiles.",
            "read",
            NoArguments,
            ask.profile_list,
            "provd profile list",
            result="One row per profile that can be installed, by name.",
        ),
        Operation(
            "profile.show",
            show,
            "read",
            Named,
            ask.profile_show,
            "provd profile show debian-12-server",
            result="The profile with everything it inherits, `origins` of its values, and its `revision`.",
        ),
    )


class _Catalogue:
    def __init__(self, catalogue: Callable[[], CatalogueView]) -> None:
        self._catalogue = catalogue

    def distro_list(self, _arguments: object) -> object:
        view = self._catalogue()
        return [_distro_row(view, distro) for _, distro in sorted(view.distros.items())]

    def distro_show(self, arguments: Named) -> object:
        view = self._catalogue()
        distro = view.distros.get(arguments.name)
        if distro is None:
            raise _unknown("distro", arguments.name, view.distros)
        return {
            **_distro_row(view, distro),
            "initrd": distro.initrd,
            "kernel": distro.kernel,
            "image": distro.image,
            "kernel_args": distro.kernel_args,
            "efi_loaders": distro.efi_loaders,
            "vars": scrub_value(distro.vars),
            "revision": view.revision("distro", distro.name),
        }

    def profile_list(self, _arguments: object) -> object:
        view = self._catalogue()
        return [_profile_row(view, profile) for _, profile in sorted(view.profiles.items())]

    def profile_show(self, arguments: Named) -> object:
        view = self._catalogue()
        profile = view.profiles.get(arguments.name)
        if profile is None:
            raise _unknown("profile", arguments.name, view.profiles)
        return {
            **_profile_row(view, profile),
            "parents": profile.parents,
            "kernel_args": profile.kernel_args,
            "boot_loaders": profile.boot_loaders,
            "loader": profile.loader,
            "answers": scrub_value(profile.answers),
            "vars": scrub_value(profile.vars),
            "templates": profile.templates,
            "options": scrub_value(profile.options),
            "boot": profile.boot,
            "revision": view.revision("profile", profile.name),
            "origins": {key: str(origin) for key, origin in sorted(profile.origins.items())},
        }


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> OperationError:
    there = ", ".join(sorted(known)) or "none"
    return OperationError(f"there is no {kind} {name!r}; there are: {there}", field="name", kind="not-found")


def _distro_row(view: CatalogueView, distro: Distro) -> dict[str, object]:
    return {
        "name": distro.name,
        "family": distro.family,
        "version": distro.version,
        "arch": distro.arch,
        "installer": distro.installer,
        "tree": distro.tree,
        "file": view.files.get(f"distro {distro.name}", ""),
    }


def _profile_row(view: CatalogueView, profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "distro": profile.distro.name,
        "installer": profile.installer or profile.distro.installer,
        "source": profile.source or profile.distro.tree,
        "file": view.files.get(f"profile {profile.name}", ""),
    }

"""nimbus: installs the distro family Nimbus from a kernel and an initial RAM disk that lie on this server.

    [plugins.nimbus]
    kernel = "/srv/nimbus/vmlinuz"
    initrd = "/srv/nimbus/initrd"

The installer reads ``provd.url=`` (its answer file ``sky.conf``) and posts to ``provd.post=`` when it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provd.plugin.api import (
    COMMON_ANSWERS,
    BootPlan,
    Document,
    Finding,
    Installer,
    Payload,
    Plugin,
    Profile,
    Settings,
    hookimpl,
    no_source,
)

SKIES = ("clear", "overcast", "storm")


class NimbusSettings(Settings, frozen=True):
    """Absolute paths of kernel and initial RAM disk."""

    kernel: str = ""
    initrd: str = ""


class Nimbus:
    """Registers the installer."""

    def __init__(self, settings: NimbusSettings) -> None:
        self._settings = settings

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [
            Installer(
                name="nimbus",
                families=("nimbus",),
                documents={"sky.conf": Document(lambda answer: answer.render("sky.conf"))},
                kernel_args=kernel_args,
                payload=self.payload,
                templates=Path(__file__).parent / "templates",
                defaults={**COMMON_ANSWERS, "sky": "clear"},
                lint=lint,
                ready=no_source,
            )
        ]

    def payload(self, _plan: BootPlan) -> Payload | None:
        """The installer's own kernel, where one is set."""
        return Payload(self._settings.kernel, (self._settings.initrd,)) if self._settings.kernel else None


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """Where the answer file is and where to report."""
    urls = (f"provd.url={plan.answer_url('sky.conf')}", f"provd.post={plan.callback_url('finished')}")
    return ("console=ttyS0", "provd.end=poweroff", *urls)


def lint(documents: Mapping[str, str], _profile: Profile) -> Sequence[Finding]:
    """The sky must be one there is."""
    values = dict(line.split("=", 1) for line in documents["sky.conf"].splitlines())
    if values.get("sky") in SKIES:
        return ()
    return (Finding("error", "sky.conf", f"sky is {values.get('sky')!r}: {', '.join(SKIES)}"),)


PLUGIN = Plugin(name="nimbus", settings=NimbusSettings, build=Nimbus)

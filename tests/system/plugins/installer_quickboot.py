"""quickboot: an "installer" that boots the laboratory's tiny system, which proves a network boot and switches off.

    [plugins.installer_quickboot]
    kernel = "/abs/vmlinuz"
    initrd = "/abs/initrd.gz"

The machine fetches the document ``hello``, whose text is the host name, and posts ``finished``; with the answer
``silent = true`` it does neither. From a source over NFS it mounts the directory of the file ``answers.nfs_file`` and
reads that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provd.plugin.api import Answer, BootPlan, Document, Installer, Payload, Plugin, Settings, hookimpl


class SettingsOfQuickboot(Settings, frozen=True):
    """Absolute paths of kernel and initial RAM disk."""

    kernel: str
    initrd: str


class Quickboot:
    """One installer."""

    def __init__(self, settings: SettingsOfQuickboot) -> None:
        self._payload = Payload(settings.kernel, (settings.initrd,))

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [
            Installer(
                name="quickboot",
                families=(),
                documents={"hello": Document(_hello)},
                kernel_args=_arguments,
                payload=lambda _plan: self._payload,
            )
        ]


def _hello(answer: Answer) -> str:
    return f"hello {answer.vars['hostname']}\n"


def _arguments(plan: BootPlan) -> Sequence[str]:
    if plan.profile and plan.profile.answers.get("silent"):
        return ("console=ttyS0", "provd.end=poweroff")
    urls = (f"provd.url={plan.answer_url('hello')}", f"provd.post={plan.callback_url('finished')}")
    return ("console=ttyS0", "provd.end=poweroff", *urls, *_nfs(plan))


def _nfs(plan: BootPlan) -> Sequence[str]:
    place = plan.location
    if place is None or place.scheme != "nfs" or plan.profile is None:
        return ()
    return (f"provd.nfs={place.host}:{place.path}/{plan.profile.answers['nfs_file']}",)


PLUGIN = Plugin(name="installer_quickboot", settings=SettingsOfQuickboot, build=Quickboot)

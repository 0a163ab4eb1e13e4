"""installer_image: writes a disk image, and cloud-init finishes it at its first boot.

The machine boots provd's deployer (a Debian kernel with a small RAM disk), which streams the image onto the disk, chunk
by chunk with its hash checked, adds a seed partition labelled CIDATA (NoCloud), reports and reboots. Any image with
cloud-init will do: ``provd image build debian-12`` makes one, ``provd image import FILE`` takes a vendor's.

Settings::

    [plugins.installer_image]
    image_dir = ""            # default: image/ in the data directory
    deployer_dir = ""         # default: payload/deployer/ in the data directory

A distro names its image (``image = "debian-12"``). Answers of a profile, with their defaults::

    [answers]
    image = ""                # empty: the distro's
    disk = ""                 # first fixed disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    verify = false            # read the whole disk back and compare
    on_failure = "reboot"     # or "poweroff", "wait"
    failure_wait_s = 300      # seconds before the reboot after a failure, at least 10
    reboot = "reboot"         # or "poweroff", after success
    network = "dhcp"          # or "static": the leased address is written down
    locale = "C.UTF-8"
    keyboard = "us"
    timezone = "Etc/UTC"
    ntp = ""
    proxy = ""
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    packages = []
    package_update = false
    post_install = []         # shell commands, run at the first boot

Documents: ``deploy.conf`` for the deployer; ``meta-data``, ``user-data`` and ``network-config`` for cloud-init, where
the last two have templates that a site may replace. Images are served below ``image/`` to everybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provd.plugin.api import (
    COMMON_ANSWERS,
    Answer,
    BootPlan,
    Content,
    Document,
    FileRequest,
    Finding,
    Installer,
    NotFound,
    Payload,
    Plugin,
    Profile,
    Settings,
    file_beneath,
    hookimpl,
    nobody_logs_in,
)

from .links import MARK, links

DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "image": "",
    "verify": False,
    "on_failure": "reboot",
    "failure_wait_s": 300,
    "network": "dhcp",
    "locale": "C.UTF-8",
}
PREFIX = "image/"
_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


class ImageSettings(Settings, frozen=True):
    """Keys of ``[plugins.installer_image]``; ``data_dir`` is filled in by provd."""

    image_dir: str = ""
    deployer_dir: str = ""
    data_dir: str = ""


class ImageInstaller:
    """Registers the installer ``image`` and serves images."""

    def __init__(self, settings: ImageSettings) -> None:
        self._images = Path(settings.image_dir or Path(settings.data_dir) / "image")
        self._deployer = Path(settings.deployer_dir or Path(settings.data_dir) / "payload" / "deployer")

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [
            Installer(
                name="image",
                families=(),
                documents={
                    "deploy.conf": Document(deploy_conf),
                    "meta-data": Document(meta_data),
                    "user-data": Document(lambda answer: answer.render("user-data")),
                    "network-config": Document(network_config),
                },
                kernel_args=kernel_args,
                payload=self.payload,
                templates=Path(__file__).parent / "templates",
                defaults=DEFAULTS,
                lint=lint,
                ready=self.ready,
            )
        ]

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if not request.path.startswith(PREFIX):
            return None
        if request.method not in {"GET", "HEAD"}:
            return NotFound("images can only be read", status=405)
        relative = request.path.removeprefix(PREFIX)
        if any(part.startswith(".") for part in relative.split("/")):
            return NotFound("an image that is being made is not served")
        return file_beneath(self._images, relative)

    def payload(self, _plan: BootPlan) -> Payload | None:
        """The deployer's kernel and RAM disk."""
        return Payload(str(self._deployer / "vmlinuz"), (str(self._deployer / "initrd.zst"),))

    def ready(self, profile: Profile) -> str:
        """What is missing before this profile can be installed."""
        image = image_of(profile)
        if not image:
            return f"profile {profile.name} has no image: set image in distro {profile.distro.name} or in answers"
        if not _IMAGE_NAME.fullmatch(image):
            return f"profile {profile.name}: image {image!r} is not a name"
        if not (self._images / image / "manifest").is_file():
            return f"image {image} is not there: provd image build {image}, or provd image import FILE --name {image}"
        if not (self._deployer / "version").is_file():
            return "the deployer is not there: provd image deployer"
        return ""


def image_of(profile: Profile) -> str:
    """Name of the image a profile installs."""
    return str(profile.answers.get("image") or profile.distro.image)


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """Where the answer is, and the card to use.

    ``quiet`` also keeps the kernel from printing its command line, and with it the token, on the consoles.
    """
    return [f"provd.answer={plan.answer_url('deploy.conf')}", f"provd.mac={plan.client.mac}", "panic=60", "quiet"]


def deploy_conf(answer: Answer) -> str:
    """The deployer's answer: one ``KEY=value`` per line, read literally."""
    profile = answer.plan.profile
    image = image_of(profile) if profile else ""
    if not _IMAGE_NAME.fullmatch(image):
        raise ValueError(f"image {image!r} is not a name")
    values = answer.vars
    lines = {
        "IMAGE_URL": answer.plan.url(f"{PREFIX}{image}"),
        "TARGET_DISK": values["disk"],
        "SEED_URL_META": answer.plan.answer_url("meta-data"),
        "SEED_URL_USER": answer.plan.answer_url("user-data"),
        "SEED_URL_NETWORK": answer.plan.answer_url("network-config"),
        "CALLBACK_URL": answer.plan.callback_url(),
        "REBOOT": _choice("reboot", values, {"reboot": "yes", "poweroff": "poweroff"}),
        "VERIFY": "disk" if values["verify"] else "",
        "ON_FAILURE": _choice("on_failure", values, {"reboot": "reboot", "poweroff": "poweroff", "wait": "wait"}),
        "FAILURE_WAIT_S": values["failure_wait_s"],
    }
    for key, value in lines.items():
        if any(character < " " for character in str(value)):
            raise ValueError(f"{key.lower()}: a value must be one line without control characters")
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def _choice(key: str, values: Mapping[str, object], known: Mapping[str, str]) -> str:
    value = str(values[key])
    if value not in known:
        raise ValueError(f"answers.{key} is {value!r}, must be one of {', '.join(known)}")
    return known[value]


def meta_data(answer: Answer) -> str:
    """NoCloud's identity of the machine; another install is another instance, so that everything runs anew."""
    system = answer.plan.system
    name = system.name if system else "machine"
    host = str(answer.vars["hostname"]).partition(".")[0]
    # As JSON, which YAML holds: a name of digits alone would be a number, and no name.
    instance = f"{name}-{answer.plan.session or 'once'}"
    return f"instance-id: {json.dumps(instance)}\nlocal-hostname: {json.dumps(host)}\n"


def network_config(answer: Answer) -> str:
    """The cards from the template, and the links of the system."""
    return answer.render("network-config").replace(MARK, links(answer.vars))


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on rendered documents: the form cloud-init asks for, and whether anybody can log in."""
    findings = []
    if not documents.get("user-data", "").startswith("#cloud-config\n"):
        findings.append(
            Finding("error", "user-data", "the first line must be #cloud-config, or cloud-init skips it", 1)
        )
    return [*findings, *nobody_logs_in(profile, "user-data")]


PLUGIN = Plugin(name="installer_image", settings=ImageSettings, build=ImageInstaller)

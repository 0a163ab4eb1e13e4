"""The menu at a machine, by each loader: what starts by itself, what is chosen, and what provd makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from passlib.hash import grub_pbkdf2_sha512, sha512_crypt

from provd.cli.preflight import menu_remarks
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.simulate.actions import Fetched, HttpSend, TftpGet
from provd.simulate.boot import FirmwareName, Transcript, simulate
from provd.testing.world import MAC, MACHINE, SAMPLE_FILES, World

COMMON = ["client_classes", "relay", "unknown_machines", "source_http", "installer_preseed", "installer_plain",
          "install_callbacks"]  # fmt: skip
OWN, IPXE = ["pxelinux", "grub_efi", *COMMON], ["ipxe", *COMMON]
MODULES = ("menu.c32", "libutil.c32")
DEB = (
    'family = "debian"\ninstaller = "preseed"\nkernel = "payload:sample/linux"\n'
    'initrd = ["payload:sample/initrd"]\ntree = "http://10.88.0.9/debian"\n[vars]\nsuite = "bookworm"\n'
)
BOOT = 'title = "Our machines"\n[[entry]]\nprofile = "rescue"\ntitle = "A rescue system"\n'
FILES = {
    **SAMPLE_FILES,
    **{f"data/payload/loaders/{name}": b"module" for name in MODULES},
    "data/payload/ipxe/undionly.kpxe": b"bios",
    "data/payload/ipxe/snponly.efi": b"efi",
    "site/distros/deb.toml": DEB,
    "site/distros/rescue.toml": 'installer = "plain"\nkernel = "payload:sample/linux"\n',
    "site/distros/efi.toml": 'installer = "plain"\n[[program]]\nfirmware = "uefi"\nkind = "efi"\n'
    'file = "payload:sample/linux"\n',
    "site/profiles/deb.toml": 'comment = "Install Debian"\ndistro = "deb"\nmenu = "boot"\n[boot]\nmax_attempts = 5\n',
    "site/profiles/rescue.toml": 'distro = "rescue"\n',
    "site/profiles/efi.toml": 'distro = "efi"\nmenu = "tools"\n',
    "site/profiles/below.toml": 'comment = "Below it"\ndistro = "rescue"\nmenu = "tools"\n',
    "site/profiles/web.toml": 'distro = "deb"\n[boot]\npolicy = "menu"\n',
    "site/menus/boot.toml": BOOT,
    "site/menus/tools.toml": 'title = "Tools"\nparent = "boot"\n',
}  # fmt: skip
PROTECTED = 'password = {file = "secret"}\n' + BOOT.replace('title = "Our machines"\n', "")
BOTH: tuple[FirmwareName, ...] = ("bios", "x64-uefi")


def world_of(root: Path, plugins: list[str] = OWN, more: str = "", **files: str) -> World:
    named = {f"site/{name.replace('__', '/')}.toml": text for name, text in files.items()}
    (root / "site/menus").mkdir(parents=True)
    secret = root / "site/menus/secret"
    secret.write_text("geheim\n")
    secret.chmod(0o600)
    return World(root, enabled=plugins, files={**FILES, **named}, more=more)


def menu_text(world: World, firmware: FirmwareName = "bios") -> str:
    """The configuration with the menu, as the machine reads it."""
    read: list[str] = []
    tftp, http = world.tftp, world.http

    def reading(found: Fetched) -> Fetched:
        read.append(found.body.decode("latin-1"))
        return found

    world.tftp = lambda action: reading(tftp(action))  # type: ignore[method-assign]
    world.http = lambda action: reading(http(action))  # type: ignore[method-assign]
    world.boot(firmware)
    return next(text for text in read if "own disk" in text)


def chosen(world: World, entry: str, firmware: FirmwareName = "bios") -> Transcript:
    return world.boot(firmware, replace(MACHINE, choice=entry))


loaders = pytest.mark.parametrize("plugins", [OWN, IPXE], ids=["own", "ipxe"])
firmwares = pytest.mark.parametrize("firmware", BOTH)


@loaders
@firmwares
def test_nobody_chooses_and_the_own_disk_boots(tmp_path: Path, plugins: list[str], firmware: FirmwareName) -> None:
    world = world_of(tmp_path, plugins)
    world.add()
    assert world.boot(firmware).outcome == "local"
    session = world.store.sessions.sessions(limit=1)[0]
    assert (session.action, session.outcome, session.choice) == ("menu", "menu", "")
    assert world.store.installs.get("web1").attempts == 0


@loaders
@firmwares
def test_an_installation_is_chosen_and_done_once(tmp_path: Path, plugins: list[str], firmware: FirmwareName) -> None:
    world = world_of(tmp_path, plugins)
    world.add()
    assert chosen(world, "deb", firmware).outcome == "installed"
    session = world.store.sessions.sessions(limit=1)[0]
    assert (session.action, session.profile, session.choice, session.outcome) == ("install", "deb", "deb", "finished")
    events = {event.kind: event.fields for event in world.store.sessions.events(session.id)}
    assert events["menu.chosen"]["entry"] == "deb"
    assert world.store.installs.get("web1").state == "installed"
    again = chosen(world, "deb", firmware)
    assert again.outcome == "local", "an installed machine installs again only when its operator says so"
    world.services.systems.set_netboot("web1", wanted=True)
    assert chosen(world, "deb", firmware).outcome == "installed"


@loaders
@firmwares
@pytest.mark.parametrize("entry", ["rescue", "below"])
def test_what_installs_nothing_is_started_whenever_it_is_chosen(
    tmp_path: Path, plugins: list[str], firmware: FirmwareName, entry: str
) -> None:
    world = world_of(tmp_path, plugins)
    world.add()
    assert [chosen(world, entry, firmware).outcome for _ in range(3)] == ["started"] * 3
    assert world.store.installs.get("web1").state == "new"
    assert world.boot(firmware).outcome == "local"


def test_what_is_always_installed_is_installed_whenever_it_is_chosen(tmp_path: Path) -> None:
    always = str(FILES["site/profiles/deb.toml"]) + 'policy = "always"\n'
    world = world_of(tmp_path, profiles__deb=always)
    world.add()
    assert chosen(world, "deb").outcome == "installed"
    assert world.boot("bios").outcome == "local"
    assert chosen(world, "deb").outcome == "installed"
    assert chosen(world, "deb").outcome == "installed"
    world.services.systems.set_netboot("web1", wanted=False)
    assert chosen(world, "deb").outcome == "local"


def test_the_loop_breaker_counts_what_was_chosen(tmp_path: Path) -> None:
    world = world_of(tmp_path, profiles__deb='distro = "deb"\nmenu = "boot"\n[boot]\nmax_attempts = 1\n')
    world.add()
    simulate(world, replace(MACHINE, choice="deb"), "bios", reports=())
    world.turn()
    transcript = chosen(world, "deb")
    assert transcript.outcome == "local"
    assert transcript.started is not None
    assert "1 network boot fetched everything" in " ".join(transcript.started.said)


def test_a_choice_waits_for_its_place_in_the_queue(tmp_path: Path) -> None:
    world = world_of(tmp_path, more="[queue]\nper_subnet = 1\n")
    world.add()
    world.add("busy", "deb", Mac.parse("52:54:00:88:00:12"))
    simulate(world, replace(MACHINE, mac=bytes.fromhex("525400880012")), "bios", reports=("started",))
    world.turn()
    assert [chosen(world, "deb", firmware).outcome for firmware in BOTH] == ["waiting", "waiting"]


@firmwares
def test_a_default_that_installs_nothing_starts_by_itself(tmp_path: Path, firmware: FirmwareName) -> None:
    world = world_of(tmp_path, menus__boot='default = "rescue"\n[[entry]]\nprofile = "rescue"\n')
    world.add()
    assert world.boot(firmware).outcome == "started"


@loaders
@firmwares
def test_a_default_whose_name_begins_with_a_digit_is_no_number(
    tmp_path: Path, plugins: list[str], firmware: FirmwareName
) -> None:
    """GRUB 2.06 takes ``1-rescue`` for the entry after the first: here one that installs (its ``get_entry_number``)."""
    entries = "".join(f'[[entry]]\nprofile = "{name}"\n' for name in ("deb", "1-rescue"))
    of = 'distro = "rescue"\n'
    world = world_of(tmp_path, plugins, menus__boot=f'default = "1-rescue"\n{entries}', **{"profiles__1-rescue": of})
    world.add()
    assert world.boot(firmware).outcome == "started"


@loaders
@firmwares
def test_a_default_that_installs_is_not_one(tmp_path: Path, plugins: list[str], firmware: FirmwareName) -> None:
    world = world_of(tmp_path, plugins, menus__boot='default = "deb"\n')
    world.add()
    assert world.boot(firmware).outcome == "local"


def test_only_what_the_firmware_can_boot_is_shown(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.add()
    assert "choice/efi" not in menu_text(world)
    assert "choice/efi" in menu_text(world, "x64-uefi")


def test_nothing_is_chosen_that_the_machine_was_not_shown(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.add()
    world.boot()
    address = world.store.sessions.sessions(limit=1)[0].address
    for name in ("web", "efi", "nothing"):
        refused = world.tftp(TftpGet("10.88.0.1", f"pxelinux.cfg/choice/{name}", source=address))
        assert not refused.ok, name
    assert world.tftp(TftpGet("10.88.0.1", "pxelinux.cfg/choice/deb", source=address)).ok
    other = world.tftp(TftpGet("10.88.0.1", "pxelinux.cfg/choice/rescue", source=address))
    assert "was shown no menu with rescue" in other.error


def test_a_machine_that_is_shown_no_menu_chooses_nothing(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.add(profile="rescue")
    assert world.boot().outcome == "started"
    address = world.store.sessions.sessions(limit=1)[0].address
    assert not world.tftp(TftpGet("10.88.0.1", "pxelinux.cfg/choice/deb", source=address)).ok


def test_pxelinux_has_the_passwords_as_crypt_hashes_alone(tmp_path: Path) -> None:
    world = world_of(tmp_path, menus__boot=PROTECTED)
    world.add()
    text = menu_text(world)
    (master,) = re.findall(r"^MENU MASTER PASSWD (\S+)$", text, re.MULTILINE)
    assert sha512_crypt.verify("geheim", master)
    assert text.count("MENU PASSWD") == 1, "what installs takes it, the rescue systems do not"
    assert f"MENU LABEL Install Debian\n  MENU PASSWD {master}" in text
    assert "PROMPT 0\nNOESCAPE 1\nALLOWOPTIONS 0" in text
    assert "IMPLICIT" not in text, "pxelinux 6.04 loads no menu.c32 then"
    assert "geheim" not in text
    assert menu_text(world) == text, "the same hashes for as long as provd runs"


def test_grub_has_the_passwords_as_pbkdf2_hashes_alone(tmp_path: Path) -> None:
    own = 'protect = "none"\n[[entry]]\nprofile = "deb"\npassword = {file = "secret"}\n'
    world = world_of(tmp_path, menus__boot=own)
    world.add()
    text = menu_text(world, "x64-uefi")
    (hashed,) = re.findall(r"^password_pbkdf2 deb (\S+)$", text, re.MULTILINE)
    assert grub_pbkdf2_sha512.verify("geheim", hashed)
    assert 'set superusers="admin"' in text
    assert "--id 'deb' --users 'deb' {" in text
    assert text.count("--unrestricted") == 4, "own disk, the menu below, and its two entries"
    assert "geheim" not in text


def test_where_entries_alone_have_passwords_nobody_gets_past_the_menu(tmp_path: Path) -> None:
    """Leaving menu.c32 for its prompt takes the master password, so there is one, and nobody knows it."""
    own = 'protect = "none"\n[[entry]]\nprofile = "deb"\npassword = {file = "secret"}\n'
    world = world_of(tmp_path, menus__boot=own)
    world.add()
    text = menu_text(world)
    (master,) = re.findall(r"^MENU MASTER PASSWD (\S+)$", text, re.MULTILINE)
    assert not sha512_crypt.verify("geheim", master)
    (entry,) = re.findall(r"^  MENU PASSWD (\S+)$", text, re.MULTILINE)
    assert sha512_crypt.verify("geheim", entry)
    assert menu_text(world) == text


def test_a_master_password_of_grub_opens_what_installs(tmp_path: Path) -> None:
    world = world_of(tmp_path, menus__boot=PROTECTED)
    world.add()
    text = menu_text(world, "x64-uefi")
    (hashed,) = re.findall(r"^password_pbkdf2 admin (\S+)$", text, re.MULTILINE)
    assert grub_pbkdf2_sha512.verify("geheim", hashed)
    assert "--id 'deb' {" in text, "without users it is the superuser's"


def test_ipxe_leaves_out_what_takes_a_password(tmp_path: Path) -> None:
    world = world_of(tmp_path, IPXE, menus__boot=PROTECTED)
    world.add()
    text = menu_text(world)
    assert "item deb" not in text
    assert "choice/deb" not in text
    assert "1 more cannot be chosen here" in text
    assert "item rescue A rescue system" in text
    assert "$6$" not in text


def test_a_title_of_ipxe_has_no_comment(tmp_path: Path) -> None:
    """iPXE leaves out a word that begins with a hash, and all after it."""
    world = world_of(tmp_path, IPXE, menus__boot=BOOT.replace("A rescue system", "Rack #3: a rescue system"))
    world.add()
    assert "item rescue Rack 3: a rescue system\n" in menu_text(world)


def test_without_the_module_a_prompt_stands_in_and_leaves_out_what_takes_a_password(tmp_path: Path) -> None:
    world = world_of(tmp_path, menus__boot=PROTECTED)
    (tmp_path / "data/payload/loaders/menu.c32").unlink()
    world.add()
    text = menu_text(world)
    assert "UI " not in text
    assert "PROMPT 1\nIMPLICIT 0\nALLOWOPTIONS 0" in text
    assert "NOESCAPE" not in text, "pxelinux 6.04 shows no prompt then"
    assert "deb" not in text
    assert "1 more cannot be chosen here" in text
    assert chosen(world, "below").outcome == "started"
    assert world.boot().outcome == "local"


def test_a_password_that_cannot_be_had_shows_no_menu(tmp_path: Path) -> None:
    world = world_of(tmp_path, menus__boot=PROTECTED)
    (tmp_path / "site/menus/secret").unlink()
    world.add()
    transcript = world.boot()
    assert transcript.started is not None
    assert "the password of menu boot cannot be had: secret file" in " ".join(transcript.started.said)


def test_without_a_menu_the_machine_is_held(tmp_path: Path) -> None:
    world = world_of(tmp_path, menus__other='title = "Another"\n')
    world.add()
    transcript = world.boot()
    assert transcript.started is not None
    assert "there are 2 menus at the top (boot, other); boot.menu says which" in " ".join(transcript.started.said)


def test_a_profile_names_its_menu(tmp_path: Path) -> None:
    named = 'distro = "deb"\n[boot]\npolicy = "menu"\nmenu = "boot"\n'
    world = world_of(tmp_path, menus__other='title = "Another"\n', profiles__web=named)
    world.add()
    assert "MENU TITLE Our machines" in menu_text(world)


def test_a_machine_without_a_profile_is_shown_the_menu_by_the_loader_it_names(tmp_path: Path) -> None:
    world = world_of(tmp_path, ["ipxe", *OWN])
    card = Interface("eth0", MAC)
    world.services.systems.add(System("web1", "", (card,), policy="menu", boot_loaders=("pxelinux",)))
    world.turn()
    assert menu_text(world).startswith("UI menu.c32\n")
    assert chosen(world, "deb").outcome == "installed"


UNKNOWN = '[plugins.unknown_machines]\npolicy = "menu"\nenrol_name = "found-{mac}"\n'


def test_an_unknown_machine_chooses_what_installs_nothing(tmp_path: Path) -> None:
    world = world_of(tmp_path, more=UNKNOWN)
    assert "choice/deb" not in menu_text(world), "without a password nobody installs a machine that nobody named"
    assert chosen(world, "rescue").outcome == "started"
    assert list(world.services.systems.all()) == []


@firmwares
def test_an_unknown_machine_that_installs_becomes_a_system(tmp_path: Path, firmware: FirmwareName) -> None:
    world = world_of(tmp_path, more=UNKNOWN, menus__boot=PROTECTED)
    assert world.boot(firmware).outcome == "local"
    assert chosen(world, "deb", firmware).outcome == "installed"
    (system,) = world.services.systems.all()
    assert system.name == f"found-{str(MAC).replace(':', '-')}"
    assert system.profile == "deb"
    assert world.boot(firmware).outcome == "local"


def test_after_a_restart_of_provd_the_choice_still_counts(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.add()
    http, tftp = world.http, world.tftp

    def forget() -> None:
        for boot in world.services.sessions.boots():
            boot.plan = None

    def http_then(action: HttpSend) -> Fetched:
        forget()
        return http(action)

    def tftp_then(action: TftpGet) -> Fetched:
        forget()
        return tftp(action)

    world.http, world.tftp = http_then, tftp_then  # type: ignore[method-assign]
    assert chosen(world, "deb").outcome == "installed"
    assert world.store.sessions.sessions(limit=1)[0].profile == "deb"


def test_the_check_tells_of_a_default_that_installs(tmp_path: Path) -> None:
    world = world_of(tmp_path, menus__boot='default = "deb"\n')
    told = [remark.text for remark in menu_remarks(world.loaded, world.services.host.installers)]
    assert told == ["menu boot: its default deb installs, so the machine's own disk is started instead"]


@pytest.mark.parametrize(("plugins", "firmware"), [(OWN, "bios"), (OWN, "x64-uefi"), (IPXE, "bios")])
def test_what_the_menu_has_not_cannot_be_chosen(tmp_path: Path, plugins: list[str], firmware: FirmwareName) -> None:
    world = world_of(tmp_path, plugins)
    world.add("web1", "web")
    boot = world.boot(firmware, replace(MACHINE, choice="nosuch"))
    assert boot.outcome == "failed", boot.text()
    assert "the choice names the" in boot.text()
    assert "'nosuch', which is not there" in boot.text()

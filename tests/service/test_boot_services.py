"""The way of one boot through sessions, director, tokens, answers and callbacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provd.model.arch import EFI_X64
from provd.model.boot import Action, BootFile, Location
from provd.model.content import Content, FileBody, FileRequest, NotFound
from provd.model.distro import Distro
from provd.model.profile import BootPolicy
from provd.plugin.contract import InstallSource
from provd.service.boot_files import BootFiles, PayloadMissingError
from tests.fakes.boot_world import ADDRESS, FIRMWARE, BootWorld

CONFIG = "fake.cfg/default"


@pytest.fixture
def world(tmp_path: Path) -> BootWorld:
    return BootWorld(tmp_path)


def token_of(config: str) -> str:
    """The token in a rendered command line."""
    return config.split("answer/")[1].split("/")[0]


def test_row_9_a_machine_that_nobody_assigned_gets_no_boot_file(world: BootWorld) -> None:
    world.system = None
    boot = world.discover()
    assert boot.plan is not None
    assert boot.plan.action is Action.NONE
    assert world.director.boot_file(boot, FIRMWARE) is None


def test_P11_a_machine_that_runs_ipxe_is_never_handed_ipxe(world: BootWorld) -> None:
    loaders = world.host.boot_loaders
    chain = replace(loaders["fakelinux"], name="chain", select=lambda _client, _plan: BootFile("undionly.kpxe"))
    world.host.more_loaders = {"chain": chain}
    boot, again = world.discover(), replace(FIRMWARE, user_classes=("iPXE",))
    assert world.director.boot_file(boot, FIRMWARE) == BootFile("undionly.kpxe")
    assert world.director.boot_file(boot, again) == BootFile("fakelinux.0")


def test_a_firmware_that_no_loader_can_serve_gets_no_boot_file(world: BootWorld) -> None:
    boot = world.discover()
    assert world.director.boot_file(boot, replace(FIRMWARE, arch=EFI_X64)) is None


def test_row_19_arguments_come_from_profile_installer_and_plugins_in_that_order(world: BootWorld) -> None:
    boot = world.discover()
    assert world.director.boot_file(boot, FIRMWARE) is not None
    words = world.text(CONFIG).split()
    assert words[0] == "install"
    assert words[2] == "quiet"
    assert words[3].startswith("url=http://10.0.0.1/answer/")
    assert words[4] == "console=ttyS0"


def test_row_17_the_kernel_is_served_from_the_distro_under_the_path_of_the_plan(world: BootWorld) -> None:
    boot = world.discover()
    assert boot.plan is not None
    answer = world.get(boot.plan.kernel)
    assert isinstance(answer, Content)
    assert answer.body == FileBody(world.payload_dir / "linux")
    assert answer.length == 50
    assert isinstance(world.get("boot/debian-12/00000000/linux"), NotFound)


def test_the_token_is_minted_once_and_stays_on_every_fetch_of_the_configuration(world: BootWorld) -> None:
    boot = world.discover()
    first, second = world.text(CONFIG), world.text(CONFIG)
    assert first == second
    assert boot.session.bound == ADDRESS
    assert len(world.token_store.tokens) == 1


def test_C25_a_configuration_with_a_token_goes_only_to_the_bound_address(world: BootWorld) -> None:
    boot = world.discover()
    world.text(CONFIG)
    world.sessions.lease(boot, "10.0.0.99")  # somebody else now holds an address that leads to this boot
    refused = world.get(CONFIG, peer="10.0.0.99")
    assert refused == NotFound("the configuration is bound to another address than 10.0.0.99", status=403)


def test_C25_an_answer_is_for_the_bound_address_alone(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    assert "host=web1 address=10.0.0.10" in world.text(f"answer/{token}/answers.cfg")
    refused = world.get(f"answer/{token}/answers.cfg", peer="10.0.0.66")
    assert isinstance(refused, NotFound)
    assert refused.status == 404


@pytest.mark.parametrize(
    ("bind", "peer", "served"),
    [
        ("lease", "10.0.0.66", False),
        ("subnet", "10.0.0.66", True),
        ("subnet", "192.0.2.1", False),
        ("token-only", "192.0.2.1", True),
    ],
)
def test_answers_bind_of_the_profile(world: BootWorld, bind: str, peer: str, served: bool) -> None:
    world.profiles.profile = replace(world.profile, boot=BootPolicy(answers_bind=bind))
    world.discover()
    token = token_of(world.text(CONFIG))
    assert isinstance(world.get(f"answer/{token}/answers.cfg", peer=peer), Content) is served


def test_a_repeat_gets_identical_bytes_and_a_HEAD_is_not_a_fetch(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    path = f"answer/{token}/answers.cfg"
    first = world.text(path)
    world.profiles.profile = replace(world.profile, answers={"secret": "changed meanwhile"})
    world.text(path, method="HEAD")
    assert world.text(path) == first
    assert world.token_store.tokens[token].fetches == {"answers.cfg": 2}


def test_C25_a_value_marked_once_is_withheld_on_the_second_fetch_with_a_clear_error(world: BootWorld) -> None:
    world.secret_is_once = True
    world.discover()
    token = token_of(world.text(CONFIG))
    path = f"answer/{token}/answers.cfg"
    world.text(path, method="HEAD")
    world.text(path)
    refused = world.get(path)
    assert refused == NotFound("answers.cfg holds values marked once = true and was served already", status=410)


def test_C25_a_value_marked_once_is_not_given_to_a_client_that_need_not_say_that_it_has_it(world: BootWorld) -> None:
    world.secret_is_once = True
    world.discover()
    path = f"answer/{token_of(world.text(CONFIG))}/answers.cfg"
    refused = world.get(path, protocol="tftp")
    assert refused == NotFound("answers.cfg holds values marked once = true, which are given by HTTP alone", status=403)
    world.text(path)
    assert isinstance(world.get(path), NotFound)


def test_max_fetches_of_the_profile(world: BootWorld) -> None:
    world.profiles.profile = replace(world.profile, boot=BootPolicy(max_fetches=2))
    world.discover()
    path = f"answer/{token_of(world.text(CONFIG))}/answers.cfg"
    assert [isinstance(world.get(path), Content) for _ in range(3)] == [True, True, False]


def test_C25_expiry_and_the_finished_callback_end_the_token(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    path = f"answer/{token}/answers.cfg"
    assert isinstance(world.post("finished", token=token), Content)
    assert isinstance(world.get(path), NotFound)
    assert isinstance(world.post("progress", token=token), NotFound)
    assert isinstance(world.post("firstboot", token=token), Content)
    world.now += 7 * 3600
    assert isinstance(world.post("firstboot", token=token), NotFound)


def test_a_newer_session_ends_the_token(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    world.now += 601
    world.discover()
    assert isinstance(world.get(f"answer/{token}/answers.cfg"), NotFound)


def test_a_transfer_of_an_earlier_boot_that_ends_late_does_not_bring_that_boot_back(world: BootWorld) -> None:
    """After a restart it would be the newest of its machine, and the one that installs would be refused."""
    first = world.discover()
    late = world.files.open(FileRequest("tftp", CONFIG, ADDRESS, "10.0.0.1"))
    assert isinstance(late, Content)
    assert late.on_sent is not None
    world.now += 601
    second = world.discover()
    token = token_of(world.text(CONFIG))
    world.now += 1
    late.on_sent(late.length)
    assert world.session_log.sessions[first.session.id].outcome == "superseded"
    world.restart()
    assert isinstance(world.get(f"answer/{token}/answers.cfg"), Content)
    newest = world.sessions.of_mac(second.session.mac)
    assert newest is not None
    assert newest.session.id == second.session.id


def test_row_30_after_the_finished_callback_the_next_boot_is_local_and_the_first_boot_still_reports(
    world: BootWorld,
) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    world.post("started", token=token)
    world.post("finished", token=token)
    second = world.discover()
    assert second.plan is not None
    assert second.plan.action is Action.LOCAL
    assert world.text(CONFIG).startswith("local")
    assert isinstance(world.post("firstboot", token=token), Content)
    assert world.events[-1].kind == "install.firstboot"
    assert world.events[-1].session != second.session.id


@pytest.mark.parametrize("policy", ["once", "always"])
def test_an_installer_hears_success_once_the_outcome_is_on_the_disk(world: BootWorld, policy: str) -> None:
    """Else a restart in that moment would install the machine a second time."""
    assert world.system is not None
    world.system = replace(world.system, policy=policy)
    world.discover()
    token = token_of(world.text(CONFIG))
    world.states.full = True
    refused = world.post("finished", token=token)
    assert isinstance(refused, NotFound)
    assert refused.status == 500
    assert world.states.get("web1").state == "installed"
    world.states.full = False
    assert isinstance(world.post("finished", token=token), Content)
    second = world.discover()
    assert second.plan is not None
    assert second.plan.action is Action.LOCAL


def test_row_31_a_machine_that_never_reports_is_held_at_its_third_boot(world: BootWorld) -> None:
    actions = []
    for _ in range(3):
        boot = world.discover()
        assert boot.plan is not None
        actions.append(boot.plan.action)
        world.text(CONFIG)
        for path in (boot.plan.kernel, *boot.plan.initrd):
            if path and world.sessions.fetched(boot, path):
                world.sessions.reach(boot, "initrd")
                world.fetched_all(boot)
    assert actions == [Action.INSTALL, Action.INSTALL, Action.HOLD]
    assert "boot.held" in world.kinds()
    assert world.states.get("web1").state == "held"


def test_an_install_goes_on_over_a_restart_of_provd(world: BootWorld) -> None:
    world.discover()
    config = world.text(CONFIG)
    path = f"answer/{token_of(config)}/answers.cfg"
    kernel = config.split()[1]
    world.restart()
    assert world.text(path).startswith("host=web1")
    assert isinstance(world.get(kernel), Content)
    assert world.text(CONFIG) == config
    assert isinstance(world.post("finished", token=token_of(config)), Content)


def test_the_first_boot_reports_even_after_a_restart_and_a_newer_session(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    world.post("finished", token=token)
    world.discover()
    world.restart()
    assert isinstance(world.post("firstboot", token=token), Content)


def test_a_machine_whose_payload_is_missing_is_held_with_the_reason(world: BootWorld) -> None:
    (world.payload_dir / "linux").unlink()
    boot = world.discover()
    assert boot.plan is not None
    assert boot.plan.action is Action.HOLD
    assert "linux of debian-12 is missing: provd fetch" in boot.plan.reason
    (world.payload_dir / "linux").write_bytes(b"back")
    world.text(CONFIG)
    assert world.discover().plan.action is Action.INSTALL  # type: ignore[union-attr]


def test_an_installer_that_is_not_ready_holds_the_machine(world: BootWorld) -> None:
    world.host.not_ready = "image debian-12 is not built: provd image build debian-12"
    boot = world.discover()
    assert boot.plan is not None
    assert (boot.plan.action, boot.plan.reason) == (Action.HOLD, world.host.not_ready)


def test_a_machine_that_is_adopted_while_it_waits_gets_a_plan_at_its_next_DISCOVER(world: BootWorld) -> None:
    system, world.system = world.system, None
    first = world.discover()
    world.system = system
    second = world.discover()
    assert first.session.id != second.session.id
    assert second.plan is not None
    assert second.plan.action is Action.INSTALL


def test_a_reload_changes_the_next_session_never_a_running_one(world: BootWorld) -> None:
    world.discover()
    before = world.text(CONFIG)
    world.profiles.profile = replace(world.profile, kernel_args=("changed",))
    world.profiles.generation = "g2"
    world.discover()
    assert world.text(CONFIG) == before


@pytest.mark.parametrize("name", ["nosuch", "../finished", ""])
def test_an_unknown_callback_is_not_found(world: BootWorld, name: str) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    assert isinstance(world.post(name, token=token), NotFound)


def test_a_callback_is_posted_and_its_body_is_limited(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    assert world.get(f"callback/{token}/progress") == NotFound(
        "callback progress was asked for by GET: a callback is posted", status=405
    )
    long = world.get(f"callback/{token}/progress", method="POST", body=b"x" * 1025)
    assert isinstance(long, NotFound)
    assert long.status == 413


def test_C18_no_event_holds_a_token(world: BootWorld) -> None:
    world.discover()
    token = token_of(world.text(CONFIG))
    world.text(f"answer/{token}/answers.cfg")
    world.get(f"answer/{token}/answers.cfg", peer="10.0.0.66")
    world.post("finished", token=token)
    assert token not in repr(world.events)
    assert token not in repr(world.sessions.of_address(ADDRESS))


def test_a_plugin_that_raises_costs_nobody_the_reply(world: BootWorld) -> None:
    def broken(_profile: object) -> str:
        raise RuntimeError("broken plugin")

    installers = world.host.installers
    world.host.__class__ = type("Broken", (type(world.host),), {
        "installers": property(lambda _self: {"fake": replace(installers["fake"], ready=broken)}),
    })  # fmt: skip
    boot = world.discover()
    assert boot.plan is not None
    assert boot.plan.action is Action.HOLD
    assert "installer fake failed" in boot.plan.reason


def test_a_profile_whose_install_source_nobody_resolves_is_held_with_the_reason(world: BootWorld) -> None:
    world.profiles.profile = replace(world.profile, source="mirror:rocky/9")
    boot = world.discover()
    assert boot.plan is not None
    assert boot.plan.action is Action.HOLD
    assert boot.plan.reason == (
        "no enabled plugin resolves the install source 'mirror:rocky/9' of profile web; is its mirror configured?"
    )


def test_a_plan_of_a_plugin_is_completed_and_installs_no_unknown_machine(world: BootWorld) -> None:
    world.host.wish = Action.INSTALL
    boot = world.discover()
    assert boot.plan is not None
    assert boot.plan.action is Action.INSTALL
    assert boot.plan.kernel.endswith("/linux")
    world.system = None
    stranger = world.discover()
    assert stranger.plan is not None
    assert (stranger.plan.action, stranger.plan.reason) == (Action.HOLD, "only a known system is installed")


def test_a_source_that_the_installer_cannot_read_from_is_held_with_the_reason(world: BootWorld) -> None:
    installers = world.host.installers

    def refuses(place: Location) -> str:
        return f"it cannot install over {place.scheme}" if place.scheme == "nfs" else ""

    place = Location("nfs", "10.0.0.9", "/srv/x")
    world.host.install_sources = {"nfs": InstallSource("nfs", ("nfs",), lambda _url, _plan: place)}
    world.profiles.profile = replace(world.profile, source="nfs:x")
    world.host.__class__ = type("Picky", (type(world.host),), {
        "installers": property(lambda _self: {"fake": replace(installers["fake"], refuses=refuses)}),
    })  # fmt: skip
    boot = world.discover()
    assert boot.plan is not None
    assert boot.plan.action is Action.HOLD
    assert boot.plan.reason == "profile web and its source 'nfs:x': it cannot install over nfs"


@pytest.mark.parametrize(
    ("reference", "remedy"),
    [
        ("payload:tool/tool.img", "provd fetch or provd import gets it where they know it, else it must be put there"),
        ("payload:deployer/vmlinuz", "provd image build gets it"),
        ("/srv/none/vmlinuz", "it must be put there"),
    ],
)
def test_a_boot_file_that_is_missing_says_what_brings_it(tmp_path: Path, reference: str, remedy: str) -> None:
    files = BootFiles(tmp_path)
    payload = files.of_distro(Distro(name="tool", family="tool", version="", kernel=reference))
    with pytest.raises(PayloadMissingError, match=f"of tool is missing: {remedy}$"):
        files.publish("tool", payload)

"""Answers of a wrong form are told by key and rule, the same for every family."""

from __future__ import annotations

import pytest

from provd.core.answer_shapes import answer_fault
from tests.core.test_answer_values import key

KEY = key("ssh-ed25519")
REPOSITORIES = [
    {"name": "Own tools", "url": "http://u:p%40@h/$basearch?a=b", "trust": True, "key": "http://h/key"},
    {"name": "x_1.2-3", "url": "https://h/ubuntu", "suite": "noble", "components": ["main", "extra"]},
    {"name": "disc", "url": "/media/cdrom/apks"},
]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"packages": "htop"}, "answers.packages must be a list of texts"),
        ({"packages": ["a", 3]}, "answers.packages[1] must be a text"),
        ({"post_install": "reboot"}, "answers.post_install must be a list of texts"),
        ({"timezone": 3}, "answers.timezone must be a text"),
        ({"reboot": "halt"}, "answers.reboot must be reboot or poweroff"),
        ({"disk": "name=sd* size>=100GB"}, "answers.disk: 'size>=100GB' is no size, as size>=100G or size<=2T"),
        ({"disk": "size>100G"}, "answers.disk: 'size>100G' is no size"),
        ({"disk": "size>= 100G"}, "answers.disk: 'size>=' is no size"),
        ({"ntp": "0.pool.example 1.pool.example"}, "answers.ntp must be one word"),
        ({"locale": "de_DE.UTF-8 en"}, "answers.locale must be one word"),
        ({"package_update": "no"}, "answers.package_update must be true or false"),
        ({"tasks": "standard"}, "answers.tasks must be a list of texts"),
        ({"tasks": ["standard\nd-i a/b string c"]}, "answers.tasks[0] must be one line without control characters"),
        ({"security_host": "a\nb"}, "answers.security_host must be one line without control characters"),
        ({"users": "ops"}, "answers.users must be a list of tables"),
        ({"users": ["ops"]}, "answers.users[0] must be a table with name, password_hash, ssh_keys, groups"),
        ({"users": [{"name": "ops"}, {"name": "Root User"}]}, "answers.users[1].name is 'Root User': letters, digits"),
        ({"users": [{"groups": ["a"]}]}, "answers.users[0].name is None"),
        ({"users": [{"name": "root"}]}, "answers.users[0].name is root, whose answers are root_password_hash and root_ssh"),
        ({"users": [{"name": "a\nb"}]}, "answers.users[0].name is 'a\\nb'"),
        ({"users": [{"name": "ops", "ssh_keys": "ssh-ed25519 A"}]}, "answers.users[0].ssh_keys must be a list of texts"),
        ({"users": [{"name": "ops", "ssh_keys": ["a\nb"]}]}, "answers.users[0].ssh_keys[0] must be one line"),
        ({"users": [{"name": "ops", "full_name": "A"}]}, "answers.users[0].full_name is not known; did you mean gecos?"),
        ({"users": [{"name": "ops", "gecoss": "A"}]}, "answers.users[0].gecoss is not known; did you mean gecos?"),
        ({"users": [{"name": "ops", "password": "A"}]}, "answers.users[0].password is not known; did you mean password_hash?"),
        ({"users": [{"name": "ops", "zz": 1}]}, "answers.users[0].zz is not known; a user has name, gecos, groups, sudo"),
        ({"users": [{"name": "ops", "sudo": "yes"}]}, "answers.users[0].sudo must be true or false"),
        ({"users": [{"name": "ops", "groups": "adm"}]}, "answers.users[0].groups must be a list of texts"),
        ({"users": [{"name": "ops", "groups": ["a b"]}]}, "answers.users[0].groups[0] is no name of a group"),
        ({"users": [{"name": "ops", "gecos": "a:b"}]}, "answers.users[0].gecos must not hold a colon"),
        ({"users": [{"name": "ops", "shell": "bash"}]}, "answers.users[0].shell must be the absolute path"),
        ({"users": [{"name": "a"}, {"name": "a"}]}, "answers.users[1].name is 'a', which is a user above already"),
        ({"users": [{"name": "ops", "password_hash": "x"}]}, "answers.users[0].password_hash is no hash of crypt(5)"),
        ({"root_password_hash": "x"}, "answers.root_password_hash is no hash of crypt(5)"),
        ({"root_ssh_keys": ["ssh-rsa AAAA"]}, "answers.root_ssh_keys[0] is a key of the type ssh-rsa"),
        ({"timezone": "Europe/Berln"}, "answers.timezone is no time zone"),
        ({"keyboard": "a;b"}, "answers.keyboard is no keyboard layout"),
        ({"proxy": "proxy:3128"}, "answers.proxy is no URL of a proxy"),
        ({"repositories": "http://x"}, "answers.repositories must be a list of tables"),
        ({"repositories": ["http://x"]}, "answers.repositories[0] must be a table with name, url"),
        ({"repositories": [{"name": "a"}]}, "answers.repositories[0].url is no URL of a repository"),
        ({"repositories": [{"name": "a", "url": "http://h/x main"}]}, "answers.repositories[0].url is no URL of a rep"),
        ({"repositories": [{"name": "../a", "url": "http://h/"}]}, "answers.repositories[0].name becomes a file's name"),
        ({"repositories": [{"name": "a/b", "url": "http://h/"}]}, "answers.repositories[0].name becomes a file's name"),
        ({"repositories": [{"url": "http://h/"}]}, "answers.repositories[0].name becomes a file's name"),
        (
            {"repositories": [{"name": "a", "url": "http://h/", "component": ["x"]}]},
            "answers.repositories[0].component is not known; did you mean components?",
        ),
        (
            {"repositories": [{"name": "a", "url": "http://h/", "components": ["x y"]}]},
            "answers.repositories[0].components[0] must be one word",
        ),
        ({"packages": ["%end"]}, "answers.packages[0] is no name of a package"),
        ({"installed_kernel_args": "a\nb"}, "answers.installed_kernel_args must be one line"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named(answers: dict[str, object], sentence: str) -> None:
    assert answer_fault(answers).startswith(sentence)


def test_what_every_family_reads_has_no_fault() -> None:
    assert answer_fault({}) == ""
    users = [{"name": "ops", "gecos": "A", "ssh_keys": [f"{KEY}\n"], "password_hash": "***"}, {"name": "web-1.x$"}]
    assert (
        answer_fault(
            {
                "users": users,
                "repositories": REPOSITORIES,
                "packages": ("htop",),
                "timezone": "Etc/UTC",
                "post_install": [],
            }
        )
        == ""
    )

"""The operation ``answer.preview``: which documents there are, and that what is only booted has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.service.operations import OperationError
from provd.service.operations_answers import AnswerPreview, PreviewQuery
from provd.testing.world import World


@pytest.mark.parametrize(
    ("profile", "document", "sentence"),
    [
        ("memtest86plus", "", "installer plain has no answer files: it boots what it is given"),
        ("debian-12-server", "x", "installer preseed has no document 'x'; it has: late.sh, preseed.cfg, report.sh"),
    ],
)
def test_a_document_that_is_not_there_is_one_sentence(
    tmp_path: Path, profile: str, document: str, sentence: str
) -> None:
    world = World(tmp_path, enabled=["pxelinux", "source_mirror", "installer_preseed", "installer_plain"], files={})
    services = world.services
    preview = AnswerPreview(
        answers=services.preview_answers(),
        catalogue=lambda: services.current.catalogue,
        systems=services.systems,
        location=services.contents.location,
        subnet_of=lambda _system: None,
        server_of=services.whereabouts.server_of,
        http_port=80,
    )
    with pytest.raises(OperationError) as refused:
        preview.preview(PreviewQuery(profile=profile, document=document))
    assert str(refused.value) == sentence

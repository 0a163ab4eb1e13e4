"""Every lease that was ever written can be read back, whatever a client put into it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from provd.model.lease import Lease
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread

moments = st.one_of(st.just(float("inf")), st.floats(0, 1e12))
hostile = st.one_of(
    st.text(max_size=300), st.sampled_from(["'; DROP TABLE lease; --", "\0", "{{ 7 * 7 }}", "\U0010ffff"])
)
leases = st.builds(
    Lease,
    address=st.integers(1, 0xFFFFFFFF),
    subnet=hostile,
    mac=st.binary(max_size=16),
    client_id=st.binary(max_size=255),
    state=st.sampled_from(["bound", "released", "expired", "declined"]),
    starts_at=moments,
    expires_at=moments,
    hostname=hostile,
    system=hostile,
    relay=hostile,
    context=st.dictionaries(hostile, hostile, max_size=3),
)


def opened(path: Path, owner: OwnerThread) -> SqliteStore:
    return SqliteStore(path, deliver=owner.deliver, wall=lambda: 1_800_000_000.0)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(leases, min_size=1, max_size=8, unique_by=lambda lease: lease.address))
def test_c16_whatever_was_committed_is_there_after_a_restart(rows: list[Lease]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        owner = OwnerThread()
        path = Path(folder) / "data" / "provd.db"
        store = opened(path, owner)
        owner.wait(lambda done: store.leases.commit(rows, [], done))
        store.close()
        store = opened(path, owner)
        found = {lease.address: lease for lease in store.leases.load()}
        damage = store.damage
        store.close()
    assert found == {lease.address: lease for lease in rows}
    assert damage == ()

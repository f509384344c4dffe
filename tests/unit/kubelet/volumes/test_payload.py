"""Which files a projected volume gets, with which modes and owners."""

import base64

import pytest

from proa.kubelet.volumes.atomic_writer import File
from proa.kubelet.volumes.payload import PayloadSources, volume_payload
from tests.unit.kubelet.objects import pod

SECRET = {"kind": "Secret", "data": {"a": base64.b64encode(b"1").decode()}}
VOLUME = {"name": "v", "projected": {"defaultMode": 0o444, "sources": [{"secret": {"name": "s"}}, {"podCertificate": {}}]}}


@pytest.mark.parametrize(
    ("owner", "has_group", "mode"),
    [(None, False, 0o444), (1234, False, 0o600), (None, True, 0o600), (1234, True, 0o600)],
)
def test_what_was_issued_is_for_the_user_alone_where_there_is_one(owner: int | None, has_group: bool, mode: int) -> None:
    issued = {1: {"key.pem": b"K", "chain.pem": b"C"}}
    sources = PayloadSources(lambda kind, name: SECRET, issued, {}, owner, has_group)
    assert volume_payload(pod(), VOLUME, sources) == {
        "a": File(b"1", 0o444), "key.pem": File(b"K", mode, owner), "chain.pem": File(b"C", mode, owner),
    }  # fmt: skip

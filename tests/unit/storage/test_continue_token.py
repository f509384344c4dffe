"""Continue tokens come back as they were made, and nothing else is taken for one."""

from base64 import urlsafe_b64encode

import pytest

from proa.storage.continue_token import NEWEST, ContinueToken, decode, inconsistent


@pytest.mark.parametrize("token", [ContinueToken(2, "default/a"), ContinueToken(10**12, "ä"), ContinueToken(NEWEST, "x" * 300)])
def test_a_token_comes_back(token: ContinueToken) -> None:
    assert decode(token.encode()) == token


def test_the_inconsistent_token_keeps_the_key_alone() -> None:
    assert decode(inconsistent(ContinueToken(7, "default/a").encode())) == ContinueToken(NEWEST, "default/a")


@pytest.mark.parametrize(
    "document",
    [
        b"", b"{}", b"[]", b"1", b'{"v":"meta.k8s.io/v2","rv":2,"start":"a"}', b'{"v":"meta.k8s.io/v1","rv":"2","start":"a"}',
        b'{"v":"meta.k8s.io/v1","rv":true,"start":"a"}', b'{"v":"meta.k8s.io/v1","rv":0,"start":"a"}',
        b'{"v":"meta.k8s.io/v1","rv":-2,"start":"a"}', b'{"v":"meta.k8s.io/v1","rv":2,"start":""}', b'{"v":"meta.k8s.io/v1","rv":2}',
        b'{"v":"meta.k8s.io/v1","rv":2,"start":5}',
    ],
)  # fmt: skip
def test_other_documents_are_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="continue key is not valid"):
        decode(urlsafe_b64encode(document).decode())

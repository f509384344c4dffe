"""Certificates, the Unix socket, the union of all, and acting as someone else."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from proa.api.errors import Unauthorized
from proa.apiserver.authn.build import build_authentication
from proa.apiserver.authn.client_certificate import ClientCertificateAuthenticator, read_identity
from proa.apiserver.authn.unix_socket import ROOT
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import ANONYMOUS
from proa.lib import pki
from proa.lib.clock import SystemClock, VirtualClock
from proa.lib.http.message import Request


def certificate(name: str, *organizations: str) -> bytes:
    pem, _ = pki.create_authority("ca").issue(name, organizations, client=True, days=1)
    return ssl.PEM_cert_to_DER_cert(pem.decode())


def request(certificate: bytes | None = None, peer: str = "", **headers: str) -> Request:
    return Request("GET", "/", {}, {name.replace("_", "-"): value for name, value in headers.items()}, peer=peer, certificate=certificate)


def test_a_certificate_names_user_and_groups() -> None:
    user = asyncio.run(ClientCertificateAuthenticator(SystemClock()).authenticate(request(certificate("jane", "dev", "ops"))))
    assert user is not None
    assert (user.name, sorted(user.groups), list(user.extra)) == (
        "jane",
        ["dev", "ops", "system:authenticated"],
        ["authentication.kubernetes.io/credential-id"],
    )


def with_uids(*uids: str) -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, "jane")]
    attributes += [x509.NameAttribute(x509.ObjectIdentifier("1.3.6.1.4.1.57683.2"), uid) for uid in uids]
    name = x509.Name(attributes)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(("uids", "expected"), [((), ""), (("7",), "7"), (("7", "8"), None)])
def test_a_certificate_may_state_a_uid_once(uids: tuple[str, ...], expected: str | None) -> None:
    asked = ClientCertificateAuthenticator(SystemClock()).authenticate(request(with_uids(*uids)))
    if expected is None:
        with pytest.raises(Unauthorized):
            asyncio.run(asked)
        return
    user = asyncio.run(asked)
    assert user is not None
    assert user.uid == expected


def test_a_connection_does_not_outlive_its_certificate() -> None:
    der = certificate("jane")
    end = datetime.fromtimestamp(read_identity(der).not_after).astimezone()
    for moment, refused in ((end - timedelta(minutes=1), False), (end + timedelta(minutes=1), True)):
        authenticator = ClientCertificateAuthenticator(VirtualClock(moment))
        if refused:
            with pytest.raises(Unauthorized):
                asyncio.run(authenticator.authenticate(request(der)))
        else:
            assert asyncio.run(authenticator.authenticate(request(der))) is not None


JANE = certificate("jane", "dev")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (request(), (ANONYMOUS.name, ANONYMOUS.groups)),
        (request(authorization="Basic abc"), (ANONYMOUS.name, ANONYMOUS.groups)),
        (request(JANE), ("jane", ("dev", "system:authenticated"))),
        (request(JANE, authorization="Bearer wrong"), ("jane", ("dev", "system:authenticated"))),
        (request(authorization="Bearer wrong"), None),
        (request(peer="unix"), (ROOT.name, (*ROOT.groups, "system:authenticated"))),
        (request(peer="unix", authorization="Bearer wrong"), None),
        (
            request(peer="unix", x_remote_user="system:kube-scheduler", x_remote_group="a, b"),
            ("system:kube-scheduler", ("a", "b", "system:authenticated")),
        ),
        (request(peer="10.0.0.1:1", x_remote_user="system:admin", x_remote_group="system:masters"), (ANONYMOUS.name, ANONYMOUS.groups)),
    ],
)
def test_who_a_request_is_from(tmp_path: Path, asked: Request, expected: tuple[str, tuple[str, ...]] | None) -> None:
    pki.load_or_create_private_key(tmp_path / "sa.key")
    config = ApiServerConfig(tmp_path, (), None, tmp_path, tmp_path, tmp_path, tmp_path / "sa.key")
    authenticator = build_authentication(config, FakeReader()).authenticator
    if expected is None:
        with pytest.raises(Unauthorized):
            asyncio.run(authenticator.authenticate(asked))
        return
    user = asyncio.run(authenticator.authenticate(asked))
    assert user is not None
    assert (user.name, user.groups) == expected

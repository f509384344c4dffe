"""The authority issues what a TLS stack accepts, keeps itself, and leaves nothing readable."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proa.lib import pki


def test_an_authority_is_made_once_and_kept(tmp_path: Path) -> None:
    first = pki.CertificateAuthority.load_or_create(tmp_path / "pki", "ca")
    assert pki.CertificateAuthority.load_or_create(tmp_path / "pki", "ca") == first
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "pki").iterdir()}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600}


def test_an_issued_certificate_says_who_where_and_what_for() -> None:
    authority = pki.create_authority("ca")
    pem, _ = authority.issue("kube-apiserver", ["a", "b"], ["kubernetes.default"], ["10.96.0.1", "::1"], server=True, days=2)
    issued = x509.load_pem_x509_certificate(pem)
    issued.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = issued.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert sorted(str(each.value) for each in issued.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)) == ["a", "b"]
    assert [str(each.value) for each in names] == ["kubernetes.default", "10.96.0.1", "::1"]
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert issued.not_valid_after_utc - issued.not_valid_before_utc == timedelta(days=2) + pki.CLOCK_SKEW


def test_a_certificate_needs_renewal_in_the_last_fifth_of_its_life() -> None:
    pem, _ = pki.create_authority("ca").issue("x", client=True, days=100)
    start = x509.load_pem_x509_certificate(pem).not_valid_before_utc
    assert [pki.needs_renewal(pem, start + timedelta(days=days)) for days in (0, 79, 81, 101)] == [False, False, True, True]


def test_a_replaced_file_keeps_its_mode_and_leaves_no_temporary(tmp_path: Path) -> None:
    pki.write_file(tmp_path / "key", b"one")
    pki.write_file(tmp_path / "key", b"two")
    found = {path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert found == {"key": (b"two", 0o600)}


def test_both_sides_of_a_tls_connection_accept_what_was_issued(tmp_path: Path) -> None:
    authority = pki.CertificateAuthority.load_or_create(tmp_path, "ca")
    contexts = {}
    for role in ("server", "client"):
        certificate, key = authority.issue(role, ip_addresses=["127.0.0.1"], server=role == "server", client=role == "client")
        pki.write_file(tmp_path / f"{role}.pem", certificate + key)
        contexts[role] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if role == "server" else ssl.PROTOCOL_TLS_CLIENT)
        contexts[role].load_verify_locations(tmp_path / "ca.crt")
        contexts[role].load_cert_chain(tmp_path / f"{role}.pem")
    contexts["server"].verify_mode = ssl.CERT_REQUIRED

    async def talk() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=contexts["server"])
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=contexts["client"])
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

    assert asyncio.run(talk()) == b"hello\n"

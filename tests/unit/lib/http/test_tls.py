"""TLS of the server: client certificates are optional, reach the handler as DER, and must be of the known authority."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.tls import server_context
from proa.lib.pki import CertificateAuthority, create_authority


async def handler(request: Request) -> AnyResponse:
    return Response(200, {}, request.certificate or b"none")


def write_pair(directory: Path, name: str, authority: CertificateAuthority, *, server: bool) -> tuple[Path, Path, bytes]:
    certificate, key = authority.issue(name, ip_addresses=["127.0.0.1"] if server else [], server=server, client=not server)
    paths = directory / f"{name}.crt", directory / f"{name}.key"
    paths[0].write_bytes(certificate)
    paths[1].write_bytes(key)
    return *paths, ssl.PEM_cert_to_DER_cert(certificate.decode())


async def ask(directory: Path, client: tuple[Path, Path] | None) -> tuple[bytes, str | None]:
    authority = create_authority("ca")
    (directory / "ca.crt").write_bytes(authority.certificate)
    certificate, key, _ = write_pair(directory, "server", authority, server=True)
    server = HttpServer(handler)
    port = await server.listen("127.0.0.1", 0, server_context(certificate, key, (directory / "client-ca.crt")))
    context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    if client is not None:
        context.load_cert_chain(*client)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        answer = b""
        # With TLS 1.3 the client learns of the refusal only when it reads: an alert, a reset, or nothing.
        with suppress(ssl.SSLError, ConnectionError):
            answer = await reader.read()
        tls = writer.get_extra_info("ssl_object")
        writer.close()
        return answer.partition(b"\r\n\r\n")[2], tls.selected_alpn_protocol()
    finally:
        await server.stop(0.2)


def test_a_client_certificate_reaches_the_handler(tmp_path: Path) -> None:
    clients = create_authority("clients")
    (tmp_path / "client-ca.crt").write_bytes(clients.certificate)
    certificate, key, der = write_pair(tmp_path, "alice", clients, server=False)
    assert asyncio.run(ask(tmp_path, (certificate, key))) == (der, "http/1.1")
    assert asyncio.run(ask(tmp_path, None)) == (b"none", "http/1.1")


def test_a_certificate_of_a_stranger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "client-ca.crt").write_bytes(create_authority("clients").certificate)
    certificate, key, _ = write_pair(tmp_path, "mallory", create_authority("strangers"), server=False)
    assert asyncio.run(ask(tmp_path, (certificate, key)))[0] == b""

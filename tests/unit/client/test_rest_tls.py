"""HTTPS: the server is verified, and we show who we are."""

import asyncio
import ssl
from pathlib import Path

import pytest

from proa.api.kinds import PODS
from proa.client.rest import RestClient
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.tls import server_context
from proa.lib.pki import create_authority


def test_a_client_certificate_reaches_the_server_and_strangers_are_refused(tmp_path: Path) -> None:
    authority, stranger = create_authority("ca"), create_authority("other")
    certificate, key = authority.issue("server", ip_addresses=("127.0.0.1",), server=True)
    (tmp_path / "crt").write_bytes(certificate)
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "ca").write_bytes(authority.certificate)
    own_certificate, own_key = authority.issue("jane", client=True)
    seen: list[bytes | None] = []

    async def handle(request: Request) -> AnyResponse:
        seen.append(request.certificate)
        return Response(200, {}, b"{}")

    async def main() -> None:
        server = HttpServer(handle)
        port = await server.listen("127.0.0.1", 0, server_context(tmp_path / "crt", tmp_path / "key", tmp_path / "ca"))
        url = f"https://127.0.0.1:{port}"
        known = RestClient(url, ca=authority.certificate, certificate=own_certificate, private_key=own_key)
        await known.get(PODS, "p", "n")
        await known.close()
        careless = RestClient(url, verify=False)
        await careless.get(PODS, "p", "n")
        await careless.close()
        mistaken = RestClient(url, ca=stranger.certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            await mistaken.get(PODS, "p", "n")
        await mistaken.close()
        await server.stop(0)

    asyncio.run(main())
    assert [each is not None and each == ssl.PEM_cert_to_DER_cert(own_certificate.decode()) for each in seen] == [True, False]

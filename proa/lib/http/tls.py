"""The server side of TLS: 1.2 or newer, HTTP/1.1 by ALPN, and client certificates that are optional but, if given, must verify."""

import ssl
from pathlib import Path


def server_context(certificate: Path, private_key: Path, *client_authorities: Path | None) -> ssl.SSLContext:
    """A context for a listener. With authorities, a client may authenticate; a certificate of any other fails the handshake.

    A server in Go takes any certificate and answers 401 to an unknown one; Python's ssl has no way to ask for a certificate and judge it
    later, as its two modes that ask both verify, and neither takes a callback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, private_key)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    for authority in filter(None, client_authorities):
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context

"""The client side of TLS: which authorities vouch for a server, who we are, and the deliberate choice not to verify."""

import contextlib
import os
import ssl
import tempfile


def client_context(
    *,
    ca: bytes | None = None,
    certificate: bytes | None = None,
    private_key: bytes | None = None,
    verify: bool = True,
    verify_hostname: bool = True,
) -> ssl.SSLContext:
    """PEM bytes; without `ca` the system's authorities count. `verify=False` trusts any server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.check_hostname = verify and verify_hostname
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    elif ca is not None:
        context.load_verify_locations(cadata=ca.decode())
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if certificate is not None and private_key is not None:
        _load_identity(context, certificate, private_key)
    return context


def _load_identity(context: ssl.SSLContext, certificate: bytes, private_key: bytes) -> None:
    """The ssl module reads identities only from files: an anonymous one in memory, so that no key reaches a disk."""
    descriptor, path = _secret_file()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate.rstrip() + b"\n" + private_key)
            file.flush()
            context.load_cert_chain(path)
    finally:
        if not path.startswith("/proc/"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _secret_file() -> tuple[int, str]:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("identity")
        return descriptor, f"/proc/self/fd/{descriptor}"
    return tempfile.mkstemp()

"""One HTTP/1.1 GET as probes and lifecycle hooks make it: no certificate is checked, redirects within the same host are followed.

A client library would keep connections and cookies between requests; a probe must meet the server as it is now.
"""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from proa.lib.dataclass import dataclass

BODY_LIMIT = 10 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_MAXIMUM_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`other_host`: the answer is a redirect to another host, which is not followed."""

    status: int
    body: bytes
    other_host: str = ""


async def http_get(url: str, headers: Mapping[str, str], host_header: str = "") -> HttpAnswer:
    """Raises OSError, or ConnectionError for what is not HTTP. The caller sets a time limit."""
    for _ in range(_MAXIMUM_REDIRECTS):
        status, answer_headers, body = await _exchange(url, headers, host_header)
        location = answer_headers.get("location")
        if status not in _REDIRECTS or not location:
            return HttpAnswer(status, body)
        following = urljoin(url, location)
        if urlsplit(following).hostname != urlsplit(url).hostname:
            return HttpAnswer(status, body, urlsplit(following).netloc)
        url = following
    raise ConnectionError(f'Get "{url}": stopped after {_MAXIMUM_REDIRECTS} redirects')


async def _exchange(url: str, headers: Mapping[str, str], host_header: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    context = _unverified() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if context else 80), ssl=context)
    try:
        writer.write(_request(parts.path or "/", parts.query, host_header or parts.netloc, headers))
        status, answered = await _head(reader, url)
        return status, answered, await _body(reader, answered)
    finally:
        writer.close()


def _request(path: str, query: str, host: str, headers: Mapping[str, str]) -> bytes:
    target = f"{path}?{query}" if query else path
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _head(reader: asyncio.StreamReader, url: str) -> tuple[int, dict[str, str]]:
    line = (await reader.readline()).decode("latin-1").split(None, 2)
    if not line:
        raise ConnectionError(f'Get "{url}": EOF')
    if len(line) < 2 or not line[0].startswith("HTTP/") or not line[1].isdigit():
        raise ConnectionError(
            f'Get "{url}": net/http: HTTP/1.x transport connection broken: malformed HTTP response "{" ".join(line)[:64]}"'
        )
    headers: dict[str, str] = {}
    while (raw := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = raw.partition(":")
        headers[name.lower()] = value.strip()
    return int(line[1]), headers


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    """At most BODY_LIMIT; enough for a message, and nobody reads more of it."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader)
    length = headers.get("content-length", "")
    limit = min(int(length), BODY_LIMIT) if length.isdigit() else BODY_LIMIT
    body = b""
    while len(body) < limit and (data := await reader.read(limit - len(body))):
        body += data
    return body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < BODY_LIMIT:
        size = int((await reader.readline()).split(b";")[0].strip() or b"0", 16)
        if size == 0:
            break
        body += await reader.readexactly(size)
        await reader.readline()
    return body[:BODY_LIMIT]


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

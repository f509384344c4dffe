"""The bytes in front of an answer's body, and the parts of a request's target: small pure functions, measured to be cheap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

from proa.lib.http.message import LongBody, Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
PIECE = 256 * 1024


def head(status: int, headers: Mapping[str, str], repeated: Sequence[tuple[str, str]], framing: str) -> bytes:
    """Status line and headers; `framing` is what delimits the body, as finished header lines. A value can't begin another line."""
    text = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} Unknown\r\n"
    lines = 1
    for name, value in headers.items():
        text += f"{name}: {value}\r\n"
        lines += 1
    for name, value in repeated:
        text += f"{name}: {value}\r\n"
        lines += 1
    if text.count("\n") != lines or text.count("\r") != lines or "\0" in text:
        one_line = {_one_line(name): _one_line(value) for name, value in headers.items()}
        return head(status, one_line, [(_one_line(name), _one_line(value)) for name, value in repeated], framing)
    return (text + framing).encode("latin-1", "replace")


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ").replace("\0", " ")


def split_target(target: bytes) -> tuple[str, str, str, dict[str, list[str]]]:
    """(path, raw path, raw query, query) of a request target in origin or absolute form. Raises ValueError for anything else."""
    text = target.decode("latin-1")
    if not text.startswith("/"):
        text = _origin_form(text)
    raw_path, _, raw_query = text.partition("?")
    path = unquote(raw_path) if "%" in raw_path else raw_path
    return path, raw_path, raw_query, parse_qs(raw_query, keep_blank_values=True) if raw_query else {}


def _origin_form(text: str) -> str:
    if text == "*":
        return text
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise ValueError(f"unknown form of request target: {text[:100]!r}")
    _, slash, path = rest.partition("/")
    return slash + path if slash else "/"


def pieces(body: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes regrouped into pieces of about 256 KB: neither many small writes nor one that stalls the loop."""
    pending: list[bytes] = []
    size = 0
    for part in body:
        if len(part) > 2 * PIECE:
            if pending:
                yield b"".join(pending)
                pending, size = [], 0
            for start in range(0, len(part), PIECE):
                yield part[start : start + PIECE]
            continue
        pending.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"".join(pending)
            pending, size = [], 0
    if pending:
        yield b"".join(pending)


def sized(body: bytes | Iterable[bytes]) -> tuple[Iterable[bytes], int]:
    """The body's parts, and how long they are together."""
    if isinstance(body, LongBody):
        return body, body.size
    parts = [body] if isinstance(body, bytes) else list(body)
    return parts, sum(map(len, parts))


def last_answer(response: Response) -> bytes:
    """A whole answer after which the connection is closed."""
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    framing = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head(response.status, response.headers, response.repeated_headers, framing) + body

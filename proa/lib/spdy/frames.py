"""The frames of SPDY/3.1 as bytes: pure encoding, and a parser that is fed what arrives.

Source: SPDY Protocol, draft 3.1, section 2. A data frame may be 16 MB long; the parser hands its payload out as it comes, so that
nothing waits in memory for the frame's end.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from enum import IntEnum, IntFlag

from proa.lib.dataclass import dataclass
from proa.lib.spdy.dictionary import DICTIONARY

VERSION = 3
MAX_DATA = (1 << 24) - 1
HEADER_LIMIT = 256 * 1024
"""Bytes of a control frame, and of its headers when unpacked: an honest peer needs some hundred."""
Headers = dict[str, str]


class SpdyError(ConnectionError):
    """The peer has broken the protocol: the session can't go on."""


class FrameType(IntEnum):
    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class Flag(IntFlag):
    NONE = 0
    FIN = 1
    UNIDIRECTIONAL = 2


class ResetStatus(IntEnum):
    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    CANCEL = 5
    STREAM_IN_USE = 8
    STREAM_ALREADY_CLOSED = 9


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of a data frame; `fin` comes with the last piece only."""

    stream: int
    payload: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class SynStream:
    stream: int
    headers: Headers
    fin: bool = False
    unidirectional: bool = False


@dataclass(frozen=True, slots=True)
class SynReply:
    stream: int
    headers: Headers
    fin: bool = False


@dataclass(frozen=True, slots=True)
class MoreHeaders:
    stream: int
    headers: Headers
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Settings:
    """(id, value) pairs."""

    values: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Ping:
    id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    last_stream: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    stream: int
    delta: int


ControlFrame = SynStream | SynReply | MoreHeaders | Reset | Settings | Ping | GoAway | WindowUpdate
Frame = Data | ControlFrame


def encode_data(stream: int, payload: bytes, *, fin: bool = False) -> bytes:
    return struct.pack(">II", stream, (int(fin) << 24) | len(payload)) + payload


class FrameEncoder:
    """Encodes control frames; must be called in the order of sending, as the compressor of headers has a memory."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(zlib.Z_BEST_SPEED, zdict=DICTIONARY)

    def encode(self, frame: ControlFrame) -> bytes:
        match frame:
            case SynStream():
                flags = Flag.FIN * frame.fin | Flag.UNIDIRECTIONAL * frame.unidirectional
                return _control(FrameType.SYN_STREAM, flags, struct.pack(">IIH", frame.stream, 0, 0) + self._block(frame.headers))
            case SynReply():
                return _control(FrameType.SYN_REPLY, int(frame.fin), struct.pack(">I", frame.stream) + self._block(frame.headers))
            case MoreHeaders():
                return _control(FrameType.HEADERS, int(frame.fin), struct.pack(">I", frame.stream) + self._block(frame.headers))
            case Reset():
                return _control(FrameType.RST_STREAM, 0, struct.pack(">II", frame.stream, frame.status))
            case Settings():
                pairs = b"".join(struct.pack(">II", key, value) for key, value in frame.values)
                return _control(FrameType.SETTINGS, 0, struct.pack(">I", len(frame.values)) + pairs)
            case Ping():
                return _control(FrameType.PING, 0, struct.pack(">I", frame.id))
            case GoAway():
                return _control(FrameType.GOAWAY, 0, struct.pack(">II", frame.last_stream, frame.status))
            case WindowUpdate():
                return _control(FrameType.WINDOW_UPDATE, 0, struct.pack(">II", frame.stream, frame.delta))

    def _block(self, headers: Mapping[str, str]) -> bytes:
        plain = header_block(headers)
        return self._compressor.compress(plain) + self._compressor.flush(zlib.Z_SYNC_FLUSH)


def header_block(headers: Mapping[str, str]) -> bytes:
    """Names must be lower-case: peers refuse others."""
    parts = [struct.pack(">I", len(headers))]
    for name, value in headers.items():
        for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
            parts += (struct.pack(">I", len(text)), text)
    return b"".join(parts)


def parse_header_block(block: bytes) -> Headers:
    """Several values of one name are joined by ", "."""
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        piece = block[position : position + count]
        if len(piece) != count:
            raise SpdyError("a header block ends too early")
        position += count
        return piece

    headers: Headers = {}
    for _ in range(int.from_bytes(take(4), "big")):
        name = take(int.from_bytes(take(4), "big")).decode("latin-1")
        value = take(int.from_bytes(take(4), "big")).decode("latin-1")
        headers[name] = value.replace("\0", ", ")
    return headers


def _control(kind: FrameType, flags: int, body: bytes) -> bytes:
    return struct.pack(">HHI", 0x8000 | VERSION, kind, (flags << 24) | len(body)) + body


class FrameParser:
    """Bytes in, frames out. Raises SpdyError for what is not SPDY/3."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._decompressor = zlib.decompressobj(zdict=DICTIONARY)
        self._data: tuple[int, int, bool] | None = None
        """Stream, bytes still to come and FIN of the data frame that is being received."""

    def feed(self, data: bytes) -> Iterator[Frame]:
        self._buffer += data
        while True:
            frame = self._data_piece() if self._data is not None else self._next()
            if frame is None:
                return
            yield frame

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 8:
            return None
        first, second = struct.unpack_from(">II", buffer)
        length = second & 0xFFFFFF
        if not first & 0x80000000:
            del buffer[:8]
            self._data = first & 0x7FFFFFFF, length, bool(second >> 24 & Flag.FIN)
            return self._data_piece()
        if first >> 16 & 0x7FFF != VERSION:
            raise SpdyError(f"SPDY version {first >> 16 & 0x7FFF} is not spoken here")
        if length > HEADER_LIMIT:
            raise SpdyError(f"a control frame of {length} bytes is too large")
        if len(buffer) < 8 + length:
            return None
        body = bytes(buffer[8 : 8 + length])
        del buffer[: 8 + length]
        return self._control(first & 0xFFFF, second >> 24, body)

    def _data_piece(self) -> Data | None:
        stream, missing, fin = self._data  # type: ignore[misc]
        if not self._buffer and missing:
            return None
        payload = bytes(self._buffer[:missing])
        del self._buffer[:missing]
        missing -= len(payload)
        self._data = (stream, missing, fin) if missing else None
        return Data(stream, payload, fin and not missing)

    def _control(self, kind: int, flags: int, body: bytes) -> ControlFrame:
        """Types that nobody knows come out as empty settings: the protocol asks to pass over them."""
        fin = bool(flags & Flag.FIN)
        try:
            match kind:
                case FrameType.SYN_STREAM:
                    return SynStream(_id(body), self._headers(body[10:]), fin, bool(flags & Flag.UNIDIRECTIONAL))
                case FrameType.SYN_REPLY:
                    return SynReply(_id(body), self._headers(body[4:]), fin)
                case FrameType.HEADERS:
                    return MoreHeaders(_id(body), self._headers(body[4:]), fin)
                case FrameType.RST_STREAM:
                    return Reset(_id(body), struct.unpack_from(">I", body, 4)[0])
                case FrameType.SETTINGS:
                    return _settings(body)
                case FrameType.PING:
                    return Ping(struct.unpack(">I", body)[0])
                case FrameType.GOAWAY:
                    return GoAway(*struct.unpack(">II", body))
                case FrameType.WINDOW_UPDATE:
                    return WindowUpdate(_id(body), struct.unpack_from(">I", body, 4)[0] & 0x7FFFFFFF)
        except struct.error:
            raise SpdyError(f"a control frame of type {kind} has a wrong length") from None
        return Settings(())

    def _headers(self, block: bytes) -> Headers:
        try:
            plain = self._decompressor.decompress(block, HEADER_LIMIT)
        except zlib.error as error:
            raise SpdyError(f"headers can't be decompressed: {error}") from None
        if self._decompressor.unconsumed_tail:
            raise SpdyError("headers are too large")
        return parse_header_block(plain)


def _id(body: bytes) -> int:
    stream: int = struct.unpack_from(">I", body)[0] & 0x7FFFFFFF
    return stream


def _settings(body: bytes) -> Settings:
    count = struct.unpack_from(">I", body)[0]
    if len(body) != 4 + 8 * count:
        raise SpdyError("SETTINGS has a wrong length")
    pairs = struct.iter_unpack(">II", body[4:])
    return Settings(tuple((key & 0xFFFFFF, value) for key, value in pairs))

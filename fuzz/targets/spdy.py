"""SPDY: frames are the same however the bytes were cut, and a session ends with its connection, whatever the peer has said."""

from fuzz.loop import Said, in_pieces, run
from proa.lib.spdy.frames import Data, Frame, FrameParser, SpdyError
from proa.lib.spdy.session import SpdySession


def one(data: bytes) -> None:
    assert _frames([data[1:]]) == _frames(in_pieces(data))
    run(_session(in_pieces(data)))


def _frames(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    """(frames, with the pieces of each data frame put together; whether the protocol was broken)"""
    parser, found = FrameParser(), list[Frame]()
    try:
        for piece in pieces:
            for frame in parser.feed(piece):
                last = found[-1] if found else None
                if isinstance(frame, Data) and isinstance(last, Data) and not last.fin and last.stream == frame.stream:
                    found[-1] = Data(frame.stream, last.payload + frame.payload, frame.fin)
                else:
                    found.append(frame)
    except SpdyError:
        return found, True
    return found, False


async def _session(pieces: list[bytes]) -> None:
    async with SpdySession(Said(pieces), server=True) as session:
        await session.wait_ended()
        while (stream := await session.accept()) is not None:
            try:
                await stream.write(b"x")
                while await stream.read():
                    pass
            except ConnectionError:
                continue

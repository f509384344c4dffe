"""Frames byte by byte: what is sent is what the protocol says, and what arrives is understood in whatever pieces it comes."""

import zlib

import pytest

from proa.lib.spdy.dictionary import DICTIONARY
from proa.lib.spdy.frames import (
    HEADER_LIMIT,
    Data,
    Frame,
    FrameEncoder,
    FrameParser,
    GoAway,
    MoreHeaders,
    Ping,
    Reset,
    Settings,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
    encode_data,
)

PLAIN = [
    (Ping(1), "80030006 00000004 00000001"),
    (Reset(5, 3), "80030003 00000008 00000005 00000003"),
    (GoAway(7, 0), "80030007 00000008 00000007 00000000"),
    (WindowUpdate(3, 65536), "80030009 00000008 00000003 00010000"),
    (Settings(((4, 100),)), "80030004 0000000c 00000001 00000004 00000064"),
]


def everything(chunks: list[bytes]) -> list[Frame]:
    parser = FrameParser()
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


def test_the_dictionary_is_the_one_that_all_peers_have() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


@pytest.mark.parametrize(("frame", "wire"), PLAIN)
def test_frames_without_headers(frame: Ping | Reset | GoAway | WindowUpdate | Settings, wire: str) -> None:
    encoded = FrameEncoder().encode(frame)
    assert encoded == bytes.fromhex(wire)
    assert everything([encoded]) == [frame]


@pytest.mark.parametrize(
    ("encoded", "wire"),
    [
        (encode_data(1, b"abc"), "00000001 00000003 616263"),
        (encode_data(3, b"", fin=True), "00000003 01000000"),
        (encode_data(0x7FFFFFFF, b"z", fin=True), "7fffffff 01000001 7a"),
    ],
)
def test_data_frames(encoded: bytes, wire: str) -> None:
    assert encoded == bytes.fromhex(wire)


def test_a_new_stream_on_the_wire() -> None:
    """The header block is what any zlib with the dictionary unpacks: a count, then lengths and texts in turn."""
    wire = FrameEncoder().encode(SynStream(1, {"StreamType": "error"}, fin=True))
    assert wire[:8].hex() == f"80030001 01{len(wire) - 8:06x}".replace(" ", "")
    assert wire[8:18].hex() == "00000001000000000000"
    block = zlib.decompressobj(zdict=DICTIONARY).decompress(wire[18:])
    assert block == b"\0\0\0\x01" + b"\0\0\0\x0astreamtype" + b"\0\0\0\x05error"


def test_headers_of_one_session_share_a_compressor() -> None:
    frames: list[SynStream | SynReply | MoreHeaders] = [
        SynStream(1, {"streamtype": "error", "port": "80"}),
        SynReply(1, {}),
        SynStream(3, {"streamtype": "data", "port": "80"}, fin=True),
        MoreHeaders(3, {"late": "yes"}, fin=True),
    ]
    encoder = FrameEncoder()
    encoded = [encoder.encode(frame) for frame in frames]
    assert everything(encoded) == frames
    assert len(encoded[2]) < len(encoded[0])


def test_any_split_of_the_bytes_gives_the_same() -> None:
    encoder = FrameEncoder()
    wire = encoder.encode(SynStream(1, {"a": "b"})) + encode_data(1, b"hello", fin=True) + encoder.encode(Ping(2))
    for size in (1, 2, 3, 5, 7, len(wire)):
        frames = everything([wire[start : start + size] for start in range(0, len(wire), size)])
        data = [frame for frame in frames if isinstance(frame, Data)]
        assert b"".join(piece.payload for piece in data) == b"hello"
        assert [piece.fin for piece in data] == [False] * (len(data) - 1) + [True]
        assert [frame for frame in frames if not isinstance(frame, Data)] == [SynStream(1, {"a": "b"}), Ping(2)]


def test_a_large_data_frame_comes_out_as_it_arrives() -> None:
    wire = encode_data(1, b"x" * 100_000, fin=True)
    parser = FrameParser()
    assert list(parser.feed(wire[:1008])) == [Data(1, b"x" * 1000)]
    assert list(parser.feed(wire[1008:])) == [Data(1, b"x" * 99_000, fin=True)]


def test_several_values_of_a_name_are_joined() -> None:
    wire = FrameEncoder().encode(SynStream(1, {"a": "b\0c"}))
    assert everything([wire]) == [SynStream(1, {"a": "b, c"})]


BOMB = FrameEncoder().encode(SynStream(1, {"a": "x" * (HEADER_LIMIT + 1)}))
BROKEN = {
    "another version": bytes.fromhex("80020006 00000004 00000001"),
    "a control frame beyond the limit": bytes.fromhex("80030001 00ffffff"),
    "a PING too short": bytes.fromhex("80030006 00000002 0000"),
    "headers that are not compressed": bytes.fromhex("80030002 00000008 00000001 deadbeef"),
    "headers that unpack to too much": BOMB,
    "SETTINGS whose count lies": bytes.fromhex("80030004 00000004 00000009"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_spdy_is_refused(name: str) -> None:
    with pytest.raises(SpdyError):
        everything([BROKEN[name]])


def test_unknown_control_frames_are_passed_over() -> None:
    assert everything([bytes.fromhex("80030063 00000003 010203"), FrameEncoder().encode(Ping(9))]) == [Settings(()), Ping(9)]

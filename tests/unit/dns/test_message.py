"""Bytes on the wire, checked against packets written by hand."""

import struct

import pytest

from proa.dns.message import (
    AAAA,
    FORMAT_ERROR,
    NOT_IMPLEMENTED,
    SRV,
    A,
    Answer,
    MalformedMessage,
    Record,
    encode_answer,
    encode_name,
    parse_query,
    read_name,
)
from tests.unit.dns import plan


def packet(
    name: str = "Web.default", kind: int = A, flags: int = 0x0100, questions: int = 1, extra: bytes = b"", additional: int = 0
) -> bytes:
    header = struct.pack(">6H", 0x1234, flags, questions, 0, 0, additional)
    return header + encode_name(name) + struct.pack(">2H", kind, 1) + extra


def test_a_query_is_read_with_its_case_kept_in_the_question() -> None:
    query = parse_query(packet())
    assert (query.id, query.recursion_desired, query.name, query.type, query.klass, query.udp_size, query.edns) == (
        0x1234, True, "web.default", A, 1, 512, False,
    )  # fmt: skip
    assert query.question == b"\x03Web\x07default\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(("offered", "taken"), [(4096, 1232), (100, 512), (900, 900)])
def test_edns_sizes_stay_in_bounds(offered: int, taken: int) -> None:
    query = parse_query(packet(extra=struct.pack(">BHHIH", 0, 41, offered, 0, 0), additional=1))
    assert (query.edns, query.udp_size) == (True, taken)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", FORMAT_ERROR),
        (packet(flags=0x8000), FORMAT_ERROR),
        (packet(flags=0x2800), NOT_IMPLEMENTED),
        (packet(questions=2), FORMAT_ERROR),
        (packet()[:-1], FORMAT_ERROR),
        (struct.pack(">6H", 1, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", FORMAT_ERROR),
        (struct.pack(">6H", 1, 0, 1, 0, 0, 0) + b"\x80a", FORMAT_ERROR),
        (struct.pack(">6H", 1, 0, 1, 0, 0, 0) + b"\x3fabc", FORMAT_ERROR),
    ],
)
def test_what_is_no_query_is_refused(data: bytes, code: int) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_query(data)
    assert caught.value.code == code


def test_an_answer_as_bytes() -> None:
    query = plan.query("web.default")
    records = [Record("web.default", A, "10.96.0.20", 30), Record("x", AAAA, "fd00::1", 5), Record("x", SRV, (0, 100, 80, "t"), 5)]
    assert encode_answer(query, Answer(records=records)) == (
        b"\0\7\x85\x80\0\1\0\3\0\0\0\0" + query.question
        + b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\x0a\x60\0\x14"
        + b"\1x\0\0\x1c\0\1\0\0\0\5\0\x10" + bytes.fromhex("fd000000000000000000000000000001")
        + b"\1x\0\0\x21\0\1\0\0\0\5\0\x09\0\0\0\x64\0\x50\1t\0"
    )  # fmt: skip


def test_what_does_not_fit_is_left_out_and_says_so() -> None:
    query = plan.query("web.default")
    many = Answer(records=[Record("web.default", A, f"10.0.0.{i}", 30) for i in range(100)])
    short = encode_answer(query, many, limit=512)
    assert short == b"\0\7\x87\x80\0\1\0\0\0\0\0\0" + query.question
    assert len(encode_answer(query, many)) > 512


def test_compressed_names_are_followed() -> None:
    assert read_name(b"\1a\0\1b\xc0\0", 3) == ("b.a", 7)

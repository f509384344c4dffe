"""A batch's plan is what the same writes would do one by one."""

import asyncio

import pytest

from proa.storage.backends.write_batch import Head, Row, Write, plan_batch

HEADS = {"/a": Head(5, 3)}


def plan(*writes: tuple[str, bytes | None, int]) -> tuple[list[int | str], list[Row], dict[str, Head | None]]:
    loop = asyncio.new_event_loop()
    planned = plan_batch([Write(*write, loop.create_future()) for write in writes], HEADS, 10)
    loop.close()
    outcomes = [outcome if isinstance(outcome, int) else type(outcome).__name__ for outcome in planned.outcomes]
    return outcomes, planned.rows, planned.heads


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        ([("/b", b"1", 0)], ([11], [Row(11, "/b", 11, 0, b"1")], {"/b": Head(11, 11)})),
        ([("/a", b"1", 0)], (["KeyExists"], [], {})),
        ([("/a", b"1", 5)], ([11], [Row(11, "/a", 3, 5, b"1")], {"/a": Head(11, 3)})),
        ([("/a", b"1", 4)], (["RevisionConflict"], [], {})),
        ([("/b", None, 1)], (["RevisionConflict"], [], {})),
        ([("/a", None, 5)], ([11], [Row(11, "/a", 3, 5, None)], {"/a": None})),
        (
            [("/a", None, 5), ("/a", b"lost", 5), ("/a", b"1", 0), ("/b", b"2", 0), ("/b", b"3", 0)],
            (
                [11, "RevisionConflict", 12, 13, "KeyExists"],
                [Row(11, "/a", 3, 5, None), Row(12, "/a", 12, 0, b"1"), Row(13, "/b", 13, 0, b"2")],
                {"/a": Head(12, 12), "/b": Head(13, 13)},
            ),
        ),
    ],
)
def test_each_write_is_checked_against_what_those_before_it_leave(writes: list[tuple[str, bytes | None, int]], expected: object) -> None:
    assert plan(*writes) == expected

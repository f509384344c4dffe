"""What is remembered, and what is too long for that."""

from proa.lib.remembered import remembered


def test_short_texts_are_worked_out_once_and_long_ones_each_time() -> None:
    asked: list[object] = []

    @remembered(2, longest=3)
    def length(text: object) -> int:
        asked.append(text)
        return len(str(text))

    assert [length(each) for each in ("abc", "abc", "abcd", "abcd", 12345, 12345)] == [3, 3, 4, 4, 5, 5]
    assert asked == ["abc", "abcd", "abcd", 12345]
    length("x")
    length("abc")
    assert asked[4:] == ["x", "abc"]

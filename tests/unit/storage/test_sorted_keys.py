"""Keys in order, against a plain sorted list."""

import random

import pytest

from proa.storage import sorted_keys
from proa.storage.sorted_keys import SortedKeys, prefix_end


def expected(keys: set[str], prefix: str, after: str) -> list[str]:
    return sorted(key for key in keys if key.startswith(prefix) and key > after)


@pytest.mark.parametrize("block", [2, 7, 512])
def test_ranges_are_those_of_a_sorted_list_after_any_changes(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_keys, "BLOCK", block)
    chance = random.Random(block)
    model: set[str] = {f"ns{n}/a" for n in range(5)}
    keys = SortedKeys(model)
    for _ in range(600):
        key = f"ns{chance.randrange(6)}/{chance.choice('abc')}{chance.randrange(20)}"
        if key in model:
            model.remove(key)
            keys.remove(key)
        else:
            model.add(key)
            keys.add(key)
        prefix = chance.choice(["", "ns", "ns1/", "ns5/b", "ns5/c19", "z", "a"])
        after = chance.choice(["", "a", "ns1/", "ns1/b7", "ns3/zzz", "z", key])
        assert keys.between(prefix, after) == expected(model, prefix, after), (prefix, after)
    for key in sorted(model):
        keys.remove(key)
    assert keys.between() == []


def test_a_prefix_ends_before_the_first_key_without_it() -> None:
    assert "pods/\U0010ffff" < prefix_end("pods/") == "pods0"

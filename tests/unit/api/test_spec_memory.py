"""Which specs count as the same one, and that the memory stays small."""

import pytest

from proa.api.spec_memory import CAPACITY, LONGEST, SpecMemory, spec_key, spec_of

TOKEN = "kube-api-access-{}"


def pod_spec(suffix: str, image: str = "web:1") -> dict[str, object]:
    name = TOKEN.format(suffix)
    return {"containers": [{"image": image, "volumeMounts": [{"name": name}]}], "volumes": [{"name": name}]}


def test_only_the_drawn_name_of_the_token_volume_is_left_out() -> None:
    key, name = spec_key(pod_spec("abcde"))
    assert name == b"kube-api-access-abcde"
    assert spec_key(pod_spec("zzzz9")) == (key, b"kube-api-access-zzzz9")
    assert spec_key(pod_spec("abcde", "web:2"))[0] != key


@pytest.mark.parametrize("suffix", ["abcd", "abcdef", "ABCDE", "ab-de"])
def test_other_names_are_part_of_the_key(suffix: str) -> None:
    key, name = spec_key(pod_spec(suffix))
    assert (name, TOKEN.format(suffix).encode() in key) == (b"", True)


def test_a_spec_that_has_the_stand_in_as_text_is_another_one() -> None:
    assert spec_key({"a": "kube-api-access-abcde"})[0] != spec_key({"a": "\0"})[0]


def test_a_mount_of_another_volume_is_not_taken_for_the_token() -> None:
    mixed = {"mounts": [TOKEN.format("abcde")], "volumes": [TOKEN.format("zzzzz")]}
    same = {"mounts": [TOKEN.format("abcde")], "volumes": [TOKEN.format("abcde")]}
    assert spec_key(mixed)[0] != spec_key(same)[0]


@pytest.mark.parametrize("spec", [None, [], "text", {1: "a number as key"}, {"huge": 1 << 70}, {"long": "x" * LONGEST}])
def test_what_is_no_json_or_too_long_has_no_key(spec: object) -> None:
    assert spec_key(spec) == (b"", b"")


def test_a_spec_comes_back_with_its_name_and_as_an_object_of_its_own() -> None:
    spec = pod_spec("abcde")
    key, _ = spec_key(spec)
    assert spec_of(key, b"kube-api-access-zzzz9") == pod_spec("zzzz9")
    assert spec_of(key, b"kube-api-access-abcde") is not spec


def test_what_was_used_longest_ago_is_forgotten() -> None:
    memory: SpecMemory[int, str] = SpecMemory()
    for number in range(CAPACITY):
        memory.put(number, "value")
    assert memory.get(0) == "value"
    memory.put(CAPACITY, "one more")
    assert [memory.get(number) for number in (0, 1, CAPACITY)] == ["value", None, "one more"]

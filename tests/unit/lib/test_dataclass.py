"""Our `dataclass` gives what the standard library's gives, for every way in which proa uses it."""

import dataclasses
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from proa.lib.dataclass import dataclass

OPTIONS: list[dict[str, Any]] = [
    {},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "order": True},
    {"slots": True, "eq": False},
    {"slots": True, "kw_only": True},
]


class Body:
    name: str
    number: int = 3
    hidden: str = field(default="", repr=False, compare=False)
    members: tuple[str, ...] = field(default_factory=tuple)
    unhashed: tuple[str, ...] = field(default=(), hash=False)


class Alone:
    only: str = "one"


class Empty:
    pass


class Own:
    name: str = ""

    def __repr__(self) -> str:
        return "mine"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7


def both(body: type, options: dict[str, Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The class made by the original and by us."""

    def copy() -> type:
        return type(body.__name__, (), {name: value for name, value in vars(body).items() if name not in ("__dict__", "__weakref__")})

    return dataclasses.dataclass(**options)(copy()), dataclass(**options)(copy())


def seen(made: Callable[..., Any], values: list[dict[str, Any]]) -> list[Any]:
    """All that can be told from outside: texts, equality of each pair, equal hashes of each pair or that there are none."""
    objects = [made(**each) for each in values]
    equal = [[a == b for b in objects] for a in objects]
    try:
        hashes: Any = [[hash(a) == hash(b) for b in objects] for a in objects]
    except TypeError:
        hashes = None
    return [[repr(each).replace("both.<locals>.", "") for each in objects], equal, hashes, [each == "other" for each in objects]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    ("body", "values"),
    [
        (Body, [{"name": "a"}, {"name": "a", "hidden": "x"}, {"name": "a", "unhashed": ("y",)}, {"name": "b", "members": ("z",)}]),
        (Alone, [{}, {"only": "one"}, {"only": "two"}]),
        (Empty, [{}, {}]),
        (Own, [{"name": "a"}, {"name": "b"}]),
    ],
)
def test_a_class_is_as_the_original_makes_it(body: type, values: list[dict[str, Any]], options: dict[str, Any]) -> None:
    original, ours = both(body, options)
    assert seen(ours, values) == seen(original, values)
    assert [each.name for each in dataclasses.fields(ours)] == [each.name for each in dataclasses.fields(original)]  # type: ignore[arg-type]


def test_a_subclass_has_the_fields_of_its_base_and_is_not_equal_to_it() -> None:
    @dataclass(frozen=True, slots=True)
    class Base:
        name: str

    @dataclass(frozen=True, slots=True)
    class Derived(Base):
        number: int = 0

    assert Derived("a", 1) == Derived("a", 1)
    assert Derived("a", 1) != Derived("a", 2)
    assert Base("a") != Derived("a")
    assert dataclasses.replace(Derived("a", 1), number=2) == Derived("a", 2)
    assert repr(Derived("a")).endswith("Derived(name='a', number=0)")

"""Health paths in their upstream words."""

import pytest

from proa.apiserver.health import Health
from proa.lib.http.message import Request


def ask(query: dict[str, list[str]], check: str = "", *, broken: str = "") -> tuple[int, str] | None:
    health = Health("readyz", {"ping": lambda: "", "store": lambda: broken})
    response = health.answer(Request("GET", "/readyz", query, {}), check)
    return None if response is None else (response.status, bytes(response.body).decode())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "check", "broken", "expected"),
    [
        ({}, "", "", (200, "ok")),
        ({"verbose": [""]}, "", "", (200, "[+]ping ok\n[+]store ok\nreadyz check passed\n")),
        ({}, "", "lost", (500, "[+]ping ok\n[-]store failed: reason withheld\nreadyz check failed\n")),
        ({"exclude": ["store"], "verbose": [""]}, "", "lost", (200, "[+]ping ok\n[+]store excluded: ok\nreadyz check passed\n")),
        ({}, "ping", "", (200, "ok")),
        ({}, "store", "lost", (500, "internal server error: lost\n")),
        ({}, "other", "", None),
    ],
)
def test_health(query: dict[str, list[str]], check: str, broken: str, expected: tuple[int, str] | None) -> None:
    assert ask(query, check, broken=broken) == expected

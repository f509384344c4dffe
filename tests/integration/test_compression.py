"""Which answers travel as gzip."""

import gzip
from typing import Any

import orjson
import pytest

from proa.lib.http.message import StreamResponse
from tests.integration.conftest import Api, Run

MAPS = "/api/v1/namespaces/default/configmaps"


async def fill(api: Api, size: int) -> None:
    await api("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v" * size}})


@pytest.mark.parametrize(
    ("size", "accepted", "packed"),
    [
        (130 * 1024, "gzip", True),
        (130 * 1024, "br, gzip , deflate", True),
        (130 * 1024, "gzip;q=1", False),
        (130 * 1024, "", False),
        (120 * 1024, "gzip", False),
        (1_048_500, "gzip", True),
    ],
)
@pytest.mark.parametrize("target", [MAPS, f"{MAPS}/a"])
def test_large_answers(run: Run, target: str, size: int, accepted: str, packed: bool) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, size)
        plain = await api("GET", target)
        answer = await api("GET", target, accept_encoding=accepted)
        assert (answer.headers.get("content-encoding"), answer.headers.get("vary")) == (
            ("gzip", "Accept-Encoding") if packed else (None, None)
        )
        raw: Any = gzip.decompress(answer.raw) if packed else answer.raw
        assert orjson.loads(raw) == plain.body
        assert len(answer.raw) < 50_000 or not packed

    run(scenario)


def test_streams_are_left_alone(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await fill(api, 200_000)
        response = await api.send("GET", f"{MAPS}?watch=1", accept_encoding="gzip")
        assert isinstance(response, StreamResponse)
        assert "content-encoding" not in response.headers

    run(scenario)

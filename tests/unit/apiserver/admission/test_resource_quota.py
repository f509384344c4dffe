"""Quotas at admission: what fits, what is told where it does not, and that two requests never share the last place."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from proa.api import meta
from proa.api.errors import ApiError, Conflict
from proa.api.meta import Object
from proa.apiserver.admission.resource_quota.admission import ResourceQuota
from proa.apiserver.admission.resource_quota.charge import Demand, QuotaRefusal, charge, demand_of
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import Attributes
from proa.lib.clock import VirtualClock

Make = Callable[..., Attributes]
PODS, SERVICES = ("", "pods"), ("", "services")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def quota(hard: dict[str, str], used: dict[str, str] | None = None, name: str = "q", **spec: Any) -> Object:
    status = {"hard": hard, "used": used if used is not None else dict.fromkeys(hard, "0")}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"hard": hard, **spec}, "status": status}


def pod(cpu: str = "", **limits: str) -> Object:
    resources: Object = {"requests": {"cpu": cpu}} if cpu else {}
    return {
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "c", "resources": resources | ({"limits": limits} if limits else {})}]},
    }


def service(kind: str, ports: int = 1, version: str = "") -> Object:
    metadata = {"name": "s", **({"resourceVersion": version} if version else {})}
    return {"metadata": metadata, "spec": {"type": kind, "ports": [{"port": index} for index in range(ports)]}}


POD_LEVEL = {"metadata": {}, "spec": {**pod()["spec"], "resources": {"requests": {"cpu": "1"}}}}


def created(kind: tuple[str, str], obj: Object) -> Demand:
    demand = demand_of(kind, "CREATE", "", obj, None, NOW)
    assert demand is not None
    return demand


@pytest.mark.parametrize(
    ("quotas", "demand", "expected"),
    [
        ([quota({"pods": "2"}, {"pods": "1"})], created(PODS, pod()), {"q": {"pods": "2"}}),
        ([quota({"pods": "2"}, {"pods": "2"})], created(PODS, pod()),
         "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"),
        ([quota({"services": "2"}, {"services": "2"})], created(PODS, pod()), {}),
        (
            [quota({"pods": "1", "requests.cpu": "1", "secrets": "0"}, {"pods": "1", "requests.cpu": "900m", "secrets": "0"})],
            created(PODS, pod("200m")),
            "exceeded quota: q, requested: pods=1,requests.cpu=200m, used: pods=1,requests.cpu=900m, limited: pods=1,requests.cpu=1",
        ),
        ([quota({"cpu": "1", "limits.memory": "1Gi"})], created(PODS, pod()),
         "failed quota: q: must specify cpu for: c; limits.memory for: c"),
        ([quota({"cpu": "1"})], created(PODS, POD_LEVEL), {"q": {"cpu": "1"}}),
        ([quota({"pods": "1", "cpu": "1"}, {"pods": "0"})], created(PODS, pod("1")),
         "status unknown for quota: q, resources: cpu,pods"),
        ([quota({"pods": "1"}, {"pods": "1"}, scopes=["Terminating"])], created(PODS, pod()), {}),
        (
            [quota({"pods": "9"}, name="a"), quota({"pods": "0"}, name="b")], created(PODS, pod()),
            "exceeded quota: b, requested: pods=1, used: pods=0, limited: pods=0",
        ),
        ([quota({"services.nodeports": "2"})], created(SERVICES, service("NodePort", 3)),
         "exceeded quota: q, requested: services.nodeports=3, used: services.nodeports=0, limited: services.nodeports=2"),
    ],
)  # fmt: skip
def test_charges(quotas: list[Object], demand: Demand, expected: Any) -> None:
    try:
        charged: Any = {name: {key: str(value) for key, value in used.items()} for name, used in charge(quotas, demand).items()}
    except QuotaRefusal as refusal:
        charged = str(refusal)
    assert charged == expected


@pytest.mark.parametrize(
    ("kind", "operation", "subresource", "obj", "old", "expected"),
    [
        (PODS, "UPDATE", "", pod("2"), pod("1"), None),
        (PODS, "CREATE", "eviction", {}, None, None),
        (("", "secrets"), "UPDATE", "", {}, {}, None),
        (SERVICES, "UPDATE", "", service("NodePort", 2), service("ClusterIP", 2, "1"), {"services.nodeports": "2"}),
        (SERVICES, "UPDATE", "", service("ClusterIP", 2), service("NodePort", 2, "1"), {}),
        (
            PODS, "UPDATE", "resize", pod("1500m"), {**pod("1"), "metadata": {"resourceVersion": "1"}},
            {"cpu": "500m", "requests.cpu": "500m"},
        ),
    ],
)  # fmt: skip
def test_what_a_request_adds(
    kind: tuple[str, str], operation: str, subresource: str, obj: Object, old: Object | None, expected: dict[str, str] | None
) -> None:
    demand = demand_of(kind, operation, subresource, obj, old, NOW)
    assert (None if demand is None else {name: str(amount) for name, amount in demand.more.items()}) == expected


class StatusWriter:
    """Stores quota statuses as the API would, after a pause in which others could slip in; the first write may meet a conflict."""

    def __init__(self, reader: FakeReader, conflicts: int = 0, error: ApiError | None = None) -> None:
        self._reader, self._conflicts, self._error = reader, conflicts, error
        self.writes = 0

    async def request(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Object:
        await asyncio.sleep(0)
        if self._error is not None:
            raise self._error
        if self._conflicts:
            self._conflicts -= 1
            raise Conflict.of("", "resourcequotas", "q", "the object has been modified")
        self.writes += 1
        return self._reader.put("", "resourcequotas", body)


def run(attributes: Make, writer_of: Callable[[FakeReader], StatusWriter], count: int, **more: Any) -> tuple[list[str], Any, int]:
    """(refusals, the quota's use afterwards, number of writes) of so many pods at once."""
    reader = FakeReader()
    writer = writer_of(reader)
    plugin = ResourceQuota(reader, writer, VirtualClock())
    reader.put("", "resourcequotas", quota({"pods": "3"}))

    async def one(index: int) -> str:
        obj = {**pod(), "metadata": {"name": f"p{index}"}}
        try:
            await plugin.validate(attributes("CREATE", "pods", obj, namespace="shop", **more))
        except ApiError as error:
            return error.message
        return ""

    async def main() -> list[str]:
        answers = await asyncio.gather(*(one(index) for index in range(count)))
        await plugin.close()
        return [answer for answer in answers if answer]

    refusals = asyncio.run(main())
    return refusals, reader.list("", "resourcequotas")[0]["status"]["used"], writer.writes


def test_many_at_once_share_what_there_is(attributes: Make) -> None:
    refusals, used, writes = run(attributes, StatusWriter, 5)
    told = 'pods "{}" is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3'
    assert (refusals, used, writes) == ([told.format("p3"), told.format("p4")], {"pods": "3"}, 1)


def test_a_conflict_is_tried_again_from_the_newest_state(attributes: Make) -> None:
    assert run(attributes, lambda reader: StatusWriter(reader, conflicts=2), 2) == ([], {"pods": "2"}, 1)


def test_a_dry_run_is_checked_and_charges_nothing(attributes: Make) -> None:
    assert run(attributes, StatusWriter, 5, dry_run=True) == ([], {"pods": "0"}, 0)


def test_a_failed_write_fails_the_request(attributes: Make) -> None:
    error = ApiError("no store", code=500)
    assert run(attributes, lambda reader: StatusWriter(reader, error=error), 1) == (["no store"], {"pods": "0"}, 0)


def test_other_namespaces_and_deleted_quotas_are_free(attributes: Make) -> None:
    reader = FakeReader()
    plugin = ResourceQuota(reader, StatusWriter(reader), VirtualClock())
    reader.put("", "resourcequotas", quota({"pods": "0"}))
    asyncio.run(plugin.validate(attributes("CREATE", "pods", pod(), namespace="other")))
    reader.remove("", "resourcequotas", "q", "shop")
    asyncio.run(plugin.validate(attributes("CREATE", "pods", pod(), namespace="shop")))
    assert [meta.name(each) for each in reader.list("", "resourcequotas")] == []

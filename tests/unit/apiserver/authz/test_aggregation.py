"""Aggregated roles become what their selectors choose, through several levels."""

import asyncio

from proa.api.meta import Object
from proa.apiserver.authz.aggregation import RoleAggregation, outdated
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.bootstrap.rule import rule
from proa.apiserver.fake import FakeReader, FakeWriter


def role(name: str, *rules: Object, label: str = "", selects: str = "") -> Object:
    obj: Object = {"metadata": {"name": name, "labels": {label: "true"} if label else {}}, "rules": list(rules)}
    if selects:
        obj["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {selects: "true"}}]}
    return obj


PODS, JOBS = rule("get", "pods"), rule("get", "jobs", "batch")


def test_a_role_is_outdated_until_it_has_the_rules_of_all_that_it_selects() -> None:
    roles = [role("b", JOBS, PODS, label="to-view"), role("a", PODS, label="to-view"), role("view", selects="to-view"), role("plain")]
    assert outdated(roles) == {"view": [PODS, JOBS]}
    roles[2]["rules"] = [PODS, JOBS]
    assert outdated(roles) == {}


def test_the_loop_settles_roles_that_depend_on_each_other() -> None:
    async def run() -> tuple[list[Object], list[tuple[str, str]]]:
        reader = FakeReader()
        writer = FakeWriter(reader)
        aggregation = RoleAggregation(reader, writer)
        task = asyncio.create_task(aggregation.run())
        for each in (
            role("admin", selects="to-admin"),
            role("view", label="to-admin", selects="to-view"),
            role("x", PODS, label="to-view"),
        ):
            reader.put(GROUP, "clusterroles", each)
        for _ in range(50):
            await asyncio.sleep(0)
        task.cancel()
        found = [reader.get(GROUP, "clusterroles", name) for name in ("admin", "view")]
        return [each for each in found if each], writer.requests

    roles, requests = asyncio.run(run())
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    assert [each["rules"] for each in roles] == [[PODS], [PODS]]
    assert requests == [("PUT", f"{path}/view"), ("PUT", f"{path}/admin")]

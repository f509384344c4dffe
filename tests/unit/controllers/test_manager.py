"""All controllers together, and how the process is configured."""

import asyncio
import json
from pathlib import Path

import pytest

from proa.api import meta
from proa.api.kinds import CONFIG_MAPS, DEPLOYMENTS, NODES, PODS, REPLICA_SETS, SERVICE_ACCOUNTS
from proa.client.fake import FakeClient
from proa.controllers import manager
from proa.controllers.config import ManagerConfig, load
from proa.controllers.identity import SHARED_INFORMERS, user_of
from proa.controllers.options import ControllerOptions
from proa.controllers.registry import ACCOUNTS, CONTROLLERS
from proa.lib.clock import VirtualClock
from proa.lib.tasks import cancel_and_wait

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "n"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
}  # fmt: skip
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": {}}


def test_all_controllers_work_side_by_side_each_as_itself() -> None:
    async def main() -> None:
        clock = VirtualClock()
        client = FakeClient(NAMESPACE, DEPLOYMENT, NODE, clock=clock)
        names: list[str] = []

        def client_for(name: str) -> FakeClient:
            names.append(name)
            return client

        running = asyncio.ensure_future(manager.run(client_for, ControllerOptions(root_ca="PEM"), clock))
        for _ in range(100):
            await clock.advance(0.01)
        assert len(client.objects(PODS)) == 2
        assert [meta.key(each) for each in (*client.objects(SERVICE_ACCOUNTS), *client.objects(CONFIG_MAPS))] == [
            "n/default",
            "n/kube-root-ca.crt",
        ]
        assert client.objects(NODES)[0]["spec"]["podCIDR"] == "10.244.0.0/24"
        await client.delete(DEPLOYMENTS, "web", "n", propagation_policy="Background")
        for _ in range(100):
            await clock.advance(0.01)
        assert (client.objects(REPLICA_SETS), client.objects(PODS)) == ([], [])
        assert set(names) == {SHARED_INFORMERS, *(ACCOUNTS.get(name, name) for name in CONTROLLERS)}
        await cancel_and_wait(running)

    asyncio.run(main())


def test_users() -> None:
    assert user_of("deployment-controller") == (
        "system:serviceaccount:kube-system:deployment-controller",
        ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
    )
    assert user_of(SHARED_INFORMERS) == ("system:kube-controller-manager", ("system:authenticated",))


def test_a_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("PEM")
    (tmp_path / "c").write_text(json.dumps({"socket": "/s", "root_ca_file": str(tmp_path / "ca"), "cluster_cidr": "10.1.0.0/16"}))
    config = load(tmp_path / "c")
    assert config == ManagerConfig(socket="/s", root_ca_file=str(tmp_path / "ca"), cluster_cidr="10.1.0.0/16")
    assert config.options() == ControllerOptions(cluster_cidr="10.1.0.0/16", root_ca="PEM")


@pytest.mark.parametrize(
    ("text", "message"), [('{"sockets": "/s"}', "unknown members: sockets"), ("{}", "give one of socket and kubeconfig")]
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c").write_text(text)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "c")

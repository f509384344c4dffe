"""Client libraries of others at work: each creates a Deployment, watches, patches, enters and deletes its pod."""

import asyncio
import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.namespace import Namespace, deployment

# Their warnings are not ours to end.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _leaks_end_here() -> Iterator[None]:
    """Sockets that a library forgot must not be found in a later test."""
    yield
    gc.collect()


def test_the_official_python_client(space: Namespace) -> None:
    from kubernetes import client, config, watch
    from kubernetes.stream import stream

    api = config.new_client_from_config(str(space.cluster.kubeconfig))
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    made = apps.create_namespaced_deployment(space.name, deployment("web"))
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    name = ""
    for event in watch.Watch().stream(core.list_namespaced_pod, space.name, label_selector="app=web", timeout_seconds=60):
        name = event["object"].metadata.name
        if any(each.type == "Ready" and each.status == "True" for each in event["object"].status.conditions or []):
            break
    patched = core.patch_namespaced_pod(name, space.name, {"metadata": {"labels": {"patched": "yes"}}})
    assert patched.metadata.labels["patched"] == "yes"
    arguments = {"command": ["sh", "-c", "echo out; echo err >&2"], "stderr": True, "stdin": False, "stdout": True, "tty": False}
    assert set(stream(core.connect_get_namespaced_pod_exec, name, space.name, **arguments).split()) == {"out", "err"}
    session = stream(
        core.connect_get_namespaced_pod_exec, name, space.name, **arguments | {"command": ["sh"], "stdin": True}, _preload_content=False
    )
    session.write_stdin("echo $((6*7)); exit 3\n")
    session.run_forever(timeout=20)
    assert (session.read_stdout().strip(), session.returncode) == ("42", 3)
    session.close()
    assert core.read_namespaced_pod_log(name, space.name) == ""
    core.delete_namespaced_pod(name, space.name)
    with pytest.raises(client.ApiException) as refused:
        core.read_namespaced_pod("nobody", space.name)
    assert (refused.value.status, refused.value.reason) == (404, "Not Found")
    apps.delete_namespaced_deployment("web", space.name, propagation_policy="Foreground")
    api.close()


def test_the_official_python_client_for_asyncio(space: Namespace) -> None:
    from kubernetes_asyncio import client, config, watch
    from kubernetes_asyncio.stream import WsApiClient

    async def work() -> None:
        await config.load_kube_config(str(space.cluster.kubeconfig))
        async with client.ApiClient() as api, WsApiClient() as streaming:
            apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
            await apps.create_namespaced_deployment(space.name, deployment("web"))
            name = ""
            async with watch.Watch() as events:
                async for event in events.stream(core.list_namespaced_pod, space.name, label_selector="app=web", timeout_seconds=60):
                    name = event["object"].metadata.name
                    if event["object"].status.phase == "Running":
                        break
            patched = await core.patch_namespaced_pod(name, space.name, {"metadata": {"labels": {"patched": "yes"}}})
            assert patched.metadata.labels["patched"] == "yes"
            arguments = {"command": ["echo", "out"], "stderr": True, "stdin": False, "stdout": True, "tty": False}
            assert await client.CoreV1Api(streaming).connect_get_namespaced_pod_exec(name, space.name, **arguments) == "out\n"
            scaled = await apps.patch_namespaced_deployment_scale("web", space.name, {"spec": {"replicas": 2}})
            assert scaled.spec.replicas == 2
            await core.delete_namespaced_pod(name, space.name)
            await apps.delete_namespaced_deployment("web", space.name)
            with pytest.raises(client.ApiException) as refused:
                await core.read_namespaced_pod("nobody", space.name)
            assert (refused.value.status, refused.value.reason) == (404, "Not Found")

    asyncio.run(work())


def test_kr8s(space: Namespace) -> None:
    import kr8s.asyncio
    from kr8s.asyncio.objects import Deployment, Pod

    async def work() -> None:
        api = await kr8s.asyncio.api(kubeconfig=str(space.cluster.kubeconfig), namespace=space.name)
        wanted = deployment("web")
        wanted["metadata"]["namespace"] = space.name
        made = await Deployment(wanted, api=api)
        await made.create()
        await made.wait("condition=Available", timeout=60)
        name = ""
        async for _, found in api.watch("pods", namespace=space.name, label_selector="app=web"):
            name = found.name
            if found.status.phase == "Running":
                break
        pod = await Pod.get(name, namespace=space.name, api=api)
        await pod.patch({"metadata": {"labels": {"patched": "yes"}}})
        assert (await Pod.get(name, namespace=space.name, api=api)).labels["patched"] == "yes"
        done = await pod.exec(["sh", "-c", "echo out; echo err >&2"])
        assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 0)
        await made.scale(2)
        assert (await Deployment.get("web", namespace=space.name, api=api)).replicas == 2
        await pod.delete()
        await made.delete()
        deadline = time.monotonic() + 60
        while await made.exists():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    asyncio.run(work())


def test_lightkube(space: Namespace) -> None:
    from lightkube import Client, KubeConfig
    from lightkube.core.exceptions import ApiError
    from lightkube.resources.apps_v1 import Deployment
    from lightkube.resources.core_v1 import Pod

    client = Client(config=KubeConfig.from_file(str(space.cluster.kubeconfig)), namespace=space.name, field_manager="test")
    manifest: dict[str, Any] = deployment("web")
    client.create(Deployment.from_dict(manifest))
    name = ""
    for _, found in client.watch(Pod, labels={"app": "web"}):
        name = found.metadata.name
        if found.status.phase == "Running":
            break
    client.patch(Pod, name, {"metadata": {"labels": {"patched": "yes"}}})
    assert client.get(Pod, name).metadata.labels["patched"] == "yes"
    assert [each.metadata.name for each in client.list(Pod, labels={"patched": "yes"})] == [name]
    manifest["spec"]["replicas"] = 0
    applied = client.apply(Deployment.from_dict(manifest), force=True)
    assert applied.spec.replicas == 0
    client.delete(Pod, name)
    client.delete(Deployment, "web")
    with pytest.raises(ApiError) as refused:
        client.get(Deployment, "web")
    assert refused.value.status.reason == "NotFound"

"""Pods as containerd and runc really run them under our node agent."""

import asyncio
import base64
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proa.api.kinds import CONFIG_MAPS, PODS
from proa.client.fake import FakeClient
from proa.kubelet.http_request import http_get
from proa.kubelet.main import run
from tests.e2e.containerd import PrivateContainerd, inside, private_containerd
from tests.e2e.kubelet_scenario import (
    NODE_IP,
    Node,
    configuration,
    container,
    has_phase,
    is_ready,
    is_waiting,
    pod,
    running_node,
    shell,
    until,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("containerd") or not Path("/usr/lib/cni/ptp").exists(), reason="needs a runtime"
    ),
]

SLEEP = "trap exit TERM; while :; do sleep 0.1; done"


@pytest.fixture(scope="module")
def containerd() -> Iterator[PrivateContainerd]:
    with private_containerd(Path(f"/tmp/pkt{os.getpid()}"), str(os.getpid())) as made:
        yield made


def play(containerd: PrivateContainerd, scene: Callable[[Node], Awaitable[None]], *objects: dict[str, Any], **changes: Any) -> None:
    async def main() -> None:
        async with running_node(containerd, FakeClient(*objects), **changes) as node:
            await scene(node)

    with inside(containerd.namespace):
        asyncio.run(main())


def has_ended_without_sandbox(given: dict[str, Any]) -> bool:
    first = (given.get("status", {}).get("conditions") or [{}])[0]
    return has_phase("Succeeded")(given) and first.get("status") == "False"


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"}, "data": data}


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login", "namespace": "default"},
    "data": {"password": base64.b64encode(b"hunter2").decode()},
}


def test_environment_command_and_names(containerd: PrivateContainerd) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80, "name": "http"}]},
    }
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)-$$(A)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    given = shell(
        SLEEP,
        env=env,
        envFrom=[{"prefix": "X_", "configMapRef": {"name": "settings"}}],
        resources={"limits": {"memory": "64Mi", "cpu": "200m"}},
    )

    async def scene(node: Node) -> None:
        made = await node.run(
            pod(
                "env",
                given,
                hostname="me",
                subdomain="sub",
                hostAliases=[{"ip": "1.2.3.4", "hostnames": ["far"]}],
                dnsPolicy="ClusterFirst",
            )
        )
        names = "A B POD IP HOST COLOR PASSWORD MEMORY X_color SHOP_SERVICE_HOST SHOP_PORT_80_TCP"
        printed = await node.exec("env", f'for n in {names}; do eval "echo \\$$n"; done')
        assert printed.splitlines() == [
            "1", "1-$(A)", "env", made["status"]["podIP"], NODE_IP, "red", "hunter2", "64", "red", "10.96.0.7", "tcp://10.96.0.7:80",
        ]  # fmt: skip
        assert await node.exec("env", "hostname") == "me"
        hosts = await node.exec("env", "cat /etc/hosts")
        assert f"{made['status']['podIP']}\tme.sub.default.svc.cluster.local\tme" in hosts
        assert "1.2.3.4\tfar" in hosts
        resolver = await node.exec("env", "cat /etc/resolv.conf")
        assert "search default.svc.cluster.local svc.cluster.local cluster.local" in resolver
        assert "nameserver 10.96.0.10" in resolver
        assert "options ndots:5" in resolver
        assert made["status"]["qosClass"] == "Guaranteed"

    play(containerd, scene, config_map(color="red"), SECRET, service)


def read(path: Path | str) -> str:
    return Path(path).read_text()


def _cgroup_file(group: str, v1: str, v2: str) -> Path:
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return Path("/sys/fs/cgroup", group, v2)
    controller, _, name = v1.partition("/")
    return Path("/sys/fs/cgroup", controller, group, name)


def test_limits_are_in_the_cgroups(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        made = await node.run(
            pod("limits", shell(SLEEP, resources={"limits": {"memory": "64Mi", "cpu": "200m"}, "requests": {"cpu": "100m"}}))
        )
        own = f"{containerd.cgroup_root}/kubepods/burstable/pod{made['metadata']['uid']}"
        assert read(_cgroup_file(own, "memory/memory.limit_in_bytes", "memory.max")).strip() == str(64 << 20)
        assert read(_cgroup_file(own, "cpu/cpu.cfs_quota_us", "cpu.max")).split()[0] == "20000"
        await node.delete("limits")
        assert not _cgroup_file(own, "memory/memory.limit_in_bytes", "memory.max").exists()

    play(containerd, scene)


def test_volumes_and_their_updates(containerd: PrivateContainerd, tmp_path: Path) -> None:
    volumes = [
        {"name": "scratch", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "config", "configMap": {"name": "settings", "defaultMode": 0o440}},
        {"name": "secret", "secret": {"secretName": "login"}},
        {"name": "host", "hostPath": {"path": str(tmp_path / "made"), "type": "DirectoryOrCreate"}},
        {"name": "all", "projected": {"sources": [
            {"configMap": {"name": "settings", "items": [{"key": "color", "path": "deep/color"}]}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        ]}},
    ]  # fmt: skip
    mounts: list[dict[str, Any]] = [{"name": each["name"], "mountPath": f"/{each['name']}"} for each in volumes]
    mounts += [
        {"name": "config", "mountPath": "/one", "subPath": "color"},
        {"name": "scratch", "mountPath": "/sub", "subPathExpr": "$(NAME)/x", "readOnly": True},
    ]
    given = shell(SLEEP, volumeMounts=mounts, env=[{"name": "NAME", "value": "dir"}], securityContext={"runAsUser": 1000})

    async def scene(node: Node) -> None:
        made = await node.run(pod("volumes", given, volumes=volumes, securityContext={"fsGroup": 2000}))
        printed = await node.exec("volumes", "cat /config/color /one /all/deep/color /secret/password; echo; cat /all/labels; echo; id -G")
        assert printed.splitlines() == ["redredredhunter2", 'app="volumes"', "0 2000"]
        assert await node.exec("volumes", "echo x > /scratch/f && stat -c %g /scratch/f") == "2000"
        assert "Read-only" in await node.exec("volumes", "touch /sub/f")
        assert "tmpfs" in await node.exec("volumes", "mount | grep ' /memory '")
        assert "tmpfs" in await node.exec("volumes", "mount | grep ' /secret '")
        assert (tmp_path / "made").is_dir()
        await node.client.patch(CONFIG_MAPS, "settings", {"data": {"color": "blue"}}, "default")
        deadline = time.monotonic() + 5
        while await node.exec("volumes", "cat /config/color /all/deep/color") != "blueblue":
            assert time.monotonic() < deadline
        await node.delete("volumes")
        assert not node.agent.configuration.pod_directory(made["metadata"]["uid"]).exists()

    play(containerd, scene, config_map(color="red"), SECRET)


def test_a_missing_config_map_holds_the_pod_until_it_comes(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        given = pod(
            "late",
            shell(SLEEP, volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            volumes=[{"name": "v", "configMap": {"name": "settings"}}],
        )
        await node.run(given, is_waiting("ContainerCreating"))
        message = 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found'
        deadline = time.monotonic() + 5
        while ("FailedMount", message) not in await node.events("late"):
            assert time.monotonic() < deadline
        begun = time.monotonic()
        await node.client.create(CONFIG_MAPS, config_map(color="red"))
        await node.wait("late", is_ready)
        assert time.monotonic() - begun < 2
        await node.run(pod("key", shell(SLEEP, env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "no"}}}])),
                       is_waiting("CreateContainerConfigError"))  # fmt: skip
        assert ("Failed", "Error: couldn't find key no in ConfigMap default/settings") in await node.events("key")

    play(containerd, scene)


def test_ends_and_restarts(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        failed = await node.run(pod("failed", shell("echo bye > /dev/termination-log; exit 3"), restartPolicy="Never"), has_phase("Failed"))
        ended = failed["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "bye\n")
        done = await node.run(pod("done", container("c", "true"), restartPolicy="OnFailure"), has_ended_without_sandbox)
        assert [(each["type"], each["status"], each.get("reason")) for each in done["status"]["conditions"]] == [
            ("PodReadyToStartContainers", "False", None), ("Initialized", "True", "PodCompleted"), ("Ready", "False", "PodCompleted"),
            ("ContainersReady", "False", "PodCompleted"), ("PodScheduled", "True", None),
        ]  # fmt: skip
        crash = await node.run(
            pod("crash", shell("echo why; exit 1", terminationMessagePolicy="FallbackToLogsOnError")), is_waiting("CrashLoopBackOff")
        )
        status = crash["status"]["containerStatuses"][0]
        assert (status["restartCount"], status["lastState"]["terminated"]["message"]) == (1, "why\n")
        assert crash["status"]["phase"] == "Running"
        broken = await node.run(pod("broken", container("c", "/nonexistent"), restartPolicy="Never"), has_phase("Failed"))
        assert broken["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "StartError"
        killed = await node.run(
            pod("oom", shell("tail /dev/zero", resources={"limits": {"memory": "16Mi"}}), restartPolicy="Never"), has_phase("Failed")
        )
        assert killed["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"

    play(containerd, scene)


def test_init_containers_and_sidecars_run_in_order(containerd: PrivateContainerd) -> None:
    mount = [{"name": "v", "mountPath": "/v"}]
    side = shell(
        "echo side >> /v/log; trap 'echo side-end >> /v/log; exit' TERM; while :; do sleep 0.1; done", "side", restartPolicy="Always",
        volumeMounts=mount, startupProbe={"exec": {"command": ["test", "-f", "/v/log"]}, "periodSeconds": 1},
    )  # fmt: skip
    first = shell("echo first >> /v/log", "first", volumeMounts=mount)
    last = shell("cat /v/log; echo main >> /v/log", volumeMounts=mount)

    async def scene(node: Node) -> None:
        volumes = [{"name": "v", "emptyDir": {}}]
        given = pod("order", last, initContainers=[first, side], volumes=volumes, restartPolicy="Never")
        made = await node.run(given, has_phase("Succeeded"))
        found = await node.agent.find_container("default", "order", "c")
        assert found is not None
        lines = [line.split(" ", 3)[3] for line in read(found.log_path).splitlines()]
        assert lines == ["first", "side"]
        states = [(each["name"], each["state"]["terminated"]["exitCode"]) for each in made["status"]["initContainerStatuses"]]
        assert states == [("first", 0), ("side", 0)]
        await node.run(pod("bad", shell(SLEEP), initContainers=[shell("exit 1", "init")], restartPolicy="Never"), has_phase("Failed"))

    play(containerd, scene)


def test_probes(containerd: PrivateContainerd) -> None:
    web = shell(
        "sleep 0.5; mkdir /w; touch /w/ok; exec httpd -f -p 8080 -h /w", ports=[{"name": "http", "containerPort": 8080}],
        startupProbe={"tcpSocket": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 20},
        readinessProbe={"httpGet": {"port": "http", "path": "/ok"}, "periodSeconds": 1, "failureThreshold": 1},
        livenessProbe={"exec": {"command": ["test", "!", "-f", "/w/dead"]}, "periodSeconds": 1, "failureThreshold": 1},
    )  # fmt: skip

    async def scene(node: Node) -> None:
        await node.run(pod("web", web))
        await node.exec("web", "rm /w/ok")
        await node.wait("web", lambda found: not is_ready(found))
        assert ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404") in await node.events("web")
        await node.exec("web", "touch /w/ok")
        await node.wait("web", is_ready)
        await node.exec("web", "touch /w/dead")
        await node.wait("web", lambda found: found["status"]["containerStatuses"][0]["restartCount"] == 1 and is_ready(found))
        assert ("Killing", "Container c failed liveness probe, will be restarted") in await node.events("web")

    play(containerd, scene)


def test_hooks_and_graceful_end(containerd: PrivateContainerd, tmp_path: Path) -> None:
    lifecycle = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo post >> /h/log"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo pre >> /h/log"]}},
    }
    given = shell(
        "trap 'echo term >> /h/log; exit 0' TERM; touch /h/up; while :; do sleep 0.05; done", lifecycle=lifecycle,
        volumeMounts=[{"name": "h", "mountPath": "/h"}],
    )  # fmt: skip

    async def scene(node: Node) -> None:
        await node.run(pod("hooks", given, volumes=[{"name": "h", "hostPath": {"path": str(tmp_path)}}], terminationGracePeriodSeconds=10))
        await node.exec("hooks", "while [ ! -f /h/up ]; do sleep 0.01; done")
        begun = time.monotonic()
        await node.delete("hooks")
        assert time.monotonic() - begun < 5
        assert (tmp_path / "log").read_text().split() == ["post", "pre", "term"]
        await node.run(pod("stubborn", shell("trap '' TERM; while :; do sleep 0.1; done"), terminationGracePeriodSeconds=60))
        await node.client.delete(PODS, "stubborn", "default")
        await asyncio.sleep(0.3)
        begun = time.monotonic()
        await node.delete("stubborn", grace_period_seconds=1)
        assert time.monotonic() - begun < 6

    play(containerd, scene)


def test_security_context(containerd: PrivateContainerd) -> None:
    context = {
        "runAsUser": 1000, "runAsGroup": 1001, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip

    async def scene(node: Node) -> None:
        await node.run(pod("secure", shell(SLEEP, securityContext=context), securityContext={"supplementalGroups": [7]}))
        assert await node.exec("secure", "id -u; id -g; id -G") == "1000\n1001\n1001 7"
        assert "Read-only" in await node.exec("secure", "touch /f")
        status = dict(line.split(":\t", 1) for line in (await node.exec("secure", "cat /proc/1/status")).splitlines() if ":\t" in line)
        assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapBnd"], 16)) == ("1", "2", 1 << 10)
        refused = await node.run(
            pod("root", shell(SLEEP), securityContext={"runAsNonRoot": True}), is_waiting("CreateContainerConfigError")
        )
        uid = refused["metadata"]["uid"]
        message = f'container has runAsNonRoot and image will run as root (pod: "root_default({uid})", container: c)'
        assert refused["status"]["containerStatuses"][0]["state"]["waiting"]["message"] == message
        await node.run(pod("strong", shell(SLEEP, securityContext={"privileged": True}), hostPID=True, hostNetwork=True, hostIPC=True))
        assert int((await node.exec("strong", "grep CapEff /proc/self/status")).split()[1], 16) >> 21 & 1

    play(containerd, scene)


def test_host_ports_lead_to_the_pod(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        ports = [{"containerPort": 8080, "hostPort": 18080}]
        await node.run(pod("web", shell("mkdir /w; echo hello > /w/index.html; exec httpd -f -p 8080 -h /w", ports=ports)))
        answer = None
        for _ in range(50):
            try:
                # From this network namespace's own address: loopback would need route_localnet.
                answer = await http_get(f"http://{NODE_IP}:18080/", {})
                break
            except OSError:
                await asyncio.sleep(0.05)
        assert answer is not None
        assert answer.body == b"hello\n"

    subprocess.run(["ip", "-n", containerd.namespace, "addr", "add", f"{NODE_IP}/32", "dev", "lo"], check=False)
    play(containerd, scene)


def test_what_is_not_supported_fails_by_name(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        claim = {"name": "data", "persistentVolumeClaim": {"claimName": "x"}}
        failed = await node.run(pod("claim", shell(SLEEP), volumes=[claim], hostUsers=False), has_phase("Failed"))
        message = "Pod was rejected: fields not supported by this node agent: spec.hostUsers, spec.volumes[0].persistentVolumeClaim"
        assert (failed["status"]["reason"], failed["status"]["message"]) == ("UnsupportedField", message)

        async def is_told() -> bool:
            return bool(await node.events("claim"))

        await until(is_told)
        assert await node.events("claim") == [("UnsupportedField", message)]
        late = await node.run(pod("late", shell(SLEEP), activeDeadlineSeconds=1), has_phase("Failed"))
        assert late["status"]["reason"] == "DeadlineExceeded"
        await node.run(
            pod("absent", shell(SLEEP, image="example.invalid/none:1", imagePullPolicy="Never")), is_waiting("ErrImageNeverPull")
        )
        await node.run(pod("name", shell(SLEEP, image="Not A Name")), is_waiting("InvalidImageName"))
        await node.run(pod("pull", shell(SLEEP, image="127.0.0.1:1/none:1")), is_waiting("ImagePullBackOff"))

    play(containerd, scene)


def test_a_new_agent_takes_over_and_removes_what_was_deleted_meanwhile(containerd: PrivateContainerd) -> None:
    async def main() -> None:
        client = FakeClient()
        async with running_node(containerd, client, clean=False) as node:
            await node.run(pod("kept", shell(SLEEP)))
            await node.run(pod("orphan", shell(SLEEP)))
            before = {each.id for each in await node.runtime.list_containers() if each.labels["io.kubernetes.pod.name"] == "kept"}
        await client.delete(PODS, "orphan", "default", grace_period_seconds=0)
        async with running_node(containerd, client) as node:
            deadline = time.monotonic() + 10
            while "orphan" in {each.name for each in await node.runtime.list_pod_sandboxes()}:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
            kept = await node.wait("kept", is_ready)
            assert {each.id for each in await node.runtime.list_containers()} == before
            assert kept["status"]["containerStatuses"][0]["restartCount"] == 0
            assert [reason for reason, _ in await node.events("kept")].count("Started") == 1

    asyncio.run(main())


def test_an_agent_that_is_stopped_leaves_its_containers(containerd: PrivateContainerd) -> None:
    async def main() -> None:
        client, ready = FakeClient(), asyncio.Event()
        agent = asyncio.ensure_future(run(configuration(containerd), client, started=ready.set))
        await ready.wait()
        await client.create(PODS, pod("stays", shell(SLEEP)))

        async def stays() -> bool:
            return is_ready(await client.get(PODS, "stays", "default"))

        await until(stays)
        agent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await agent
        async with running_node(containerd, client) as node:
            assert [(each.name, each.state) for each in await node.runtime.list_containers()] == [("c", "RUNNING")]

    asyncio.run(main())


def test_a_killed_sandbox_is_made_again(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        made = await node.run(pod("sandbox", shell(SLEEP)))
        sandbox = (await node.runtime.list_pod_sandboxes(made["metadata"]["uid"]))[0]
        await node.runtime.stop_pod_sandbox(sandbox.id)
        address = made["status"]["podIP"]
        await node.wait("sandbox", lambda found: found["status"]["podIP"] != address and is_ready(found))

    play(containerd, scene)


def test_thirty_pods_at_once(containerd: PrivateContainerd) -> None:
    async def scene(node: Node) -> None:
        begun = time.monotonic()
        await asyncio.gather(*(node.run(pod(f"p{number}", container("c", "sleep", "1000"))) for number in range(30)))
        assert time.monotonic() - begun < 20

    play(containerd, scene)

"""What `kubectl get` and `kubectl describe` print: the tables, forms and texts of upstream."""

import json
import re
import time

from tests.e2e.namespace import Namespace, columns, container, deployment, pod
from tests.e2e.real_cluster import wait_for

AGE = re.compile(r"^(\d+[smh])+$")
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "clusterIP": "None", "ports": [{"name": "http", "port": 80}]},
}


def _table(text: str) -> list[list[str]]:
    """Columns, with ages that are any age."""
    return [["AGE" if AGE.match(cell) else cell for cell in row] for row in columns(text)]


def _two_pods(space: Namespace) -> None:
    space.apply(pod("a", labels={"app": "a", "tier": "front"}), pod("b", labels={"app": "b", "tier": "back"}))
    space.ready("a", "b")


def test_pods_are_listed_as_upstream_lists_them(space: Namespace) -> None:
    _two_pods(space)
    assert _table(space.out("get", "pods")) == [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
        ["a", "1/1", "Running", "0", "AGE"],
        ["b", "1/1", "Running", "0", "AGE"],
    ]
    found = space.get("pod", "a")
    assert _table(space.out("get", "pod", "a", "-o", "wide")) == [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
        ["a", "1/1", "Running", "0", "AGE", found["status"]["podIP"], found["spec"]["nodeName"], "<none>", "<none>"],
    ]
    assert _table(space.out("get", "pods", "--show-labels", "-L", "tier", "--no-headers")) == [
        ["a", "1/1", "Running", "0", "AGE", "front", "app=a,tier=front"],
        ["b", "1/1", "Running", "0", "AGE", "back", "app=b,tier=back"],
    ]
    every = [row for row in _table(space.out("get", "pods", "-A")) if row[0] in ("NAMESPACE", space.name)]
    assert every[0] == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [row[1] for row in every[1:]] == ["a", "b"]


def test_selectors_choose_by_label_and_field(space: Namespace) -> None:
    _two_pods(space)
    asked = {
        ("-l", "tier=front"): "a",
        ("-l", "tier in (back, none)"): "b",
        ("-l", "tier!=back"): "a",
        ("-l", "!tier"): "",
        ("--field-selector", "metadata.name=b"): "b",
        ("--field-selector", "status.phase=Running,metadata.name!=b"): "a",
        ("--field-selector", "status.phase=Pending"): "",
    }
    assert {each: space.out("get", "pods", *each, "-o", "name") for each in asked} == {
        each: f"pod/{name}\n" if name else "" for each, name in asked.items()
    }
    assert space.run("get", "pods", "-l", "app=none").stderr == f"No resources found in {space.name} namespace.\n"
    refused = space.fails("get", "pods", "--field-selector", "spec.foo=b")
    assert "field label not supported: spec.foo" in refused


def test_objects_are_printed_in_every_form(space: Namespace) -> None:
    space.out("create", "configmap", "settings", "--from-literal=colour=red", "--from-literal=size=4")
    forms = {
        "name": "configmap/settings\n",
        "jsonpath={.data.colour}": "red",
        "go-template={{.data.size}}": "4",
        "custom-columns=NAME:.metadata.name,C:.data.colour,NO:.data.none": "NAME       C     NO\nsettings   red   <none>\n",
    }
    assert {form: space.out("get", "configmap", "settings", "-o", form) for form in forms} == forms
    assert json.loads(space.out("get", "cm", "settings", "-o", "json"))["data"] == {"colour": "red", "size": "4"}
    printed = space.out("get", "cm", "settings", "-o", "yaml")
    assert printed.startswith('apiVersion: v1\ndata:\n  colour: red\n  size: "4"\nkind: ConfigMap\nmetadata:\n  creationTimestamp: "20')
    assert "managedFields" not in printed
    assert "kubectl-create" in space.out("get", "cm", "settings", "-o", "yaml", "--show-managed-fields")


def test_sort_by_orders_the_rows(space: Namespace) -> None:
    for name, size in (("a", "3"), ("b", "1"), ("c", "2")):
        space.out("create", "configmap", name, f"--from-literal=size={size}")
        space.out("label", "configmap", name, "sorted=yes")
    listed = space.out("get", "cm", "-l", "sorted", "--sort-by=.data.size", "-o", "name")
    assert listed.split() == ["configmap/b", "configmap/c", "configmap/a"]
    rows = _table(space.out("get", "cm", "-l", "sorted", "--sort-by=.data.size"))
    assert [row[0] for row in rows] == ["NAME", "b", "c", "a"]


def test_workloads_and_services_have_upstreams_columns(space: Namespace) -> None:
    space.apply(deployment("web", 2), SERVICE)
    space.out("rollout", "status", "deployment/web", "--timeout=60s")
    wait_for(lambda: len(space.get("endpoints", "web").get("subsets", [{}])[0].get("addresses", [])) == 2, "no endpoints")
    replica_set = space.get("rs")["items"][0]
    digest = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert _table(space.out("get", "deployment,replicaset,service", "-o", "wide")) == [
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
        ["deployment.apps/web", "2/2", "2", "2", "AGE", "main", "example.com/shop:v1", "app=web"],
        [""],
        ["NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
        [f"replicaset.apps/web-{digest}", "2", "2", "2", "AGE", "main", "example.com/shop:v1", f"app=web,pod-template-hash={digest}"],
        [""],
        ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"],
        ["service/web", "ClusterIP", "None", "<none>", "80/TCP", "AGE", "app=web"],
    ]
    addresses = sorted(each["status"]["podIP"] for each in space.get("pods")["items"])
    rows = _table(space.out("get", "endpoints", "web"))
    assert rows[0] == ["NAME", "ENDPOINTS", "AGE"]
    assert sorted(rows[1][1].split(",")) == sorted(f"{address}:80" for address in addresses)
    slices = _table(space.out("get", "endpointslices"))
    assert slices[0] == ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"]
    assert (slices[1][1:3], sorted(slices[1][3].split(","))) == (["IPv4", "80"], addresses)


def test_nodes_and_namespaces_have_upstreams_columns(space: Namespace) -> None:
    nodes = _table(space.out("get", "nodes", "-o", "wide"))
    assert nodes[0] == [
        "NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME",
    ]  # fmt: skip
    assert [row[1:3] for row in nodes[1:]] == [["Ready", "<none>"]] * 2
    assert all(row[-1].startswith("containerd://") for row in nodes[1:])
    assert _table(space.out("get", "namespace", space.name)) == [["NAME", "STATUS", "AGE"], [space.name, "Active", "AGE"]]
    assert space.fails("get", "pod", "nobody") == 'Error from server (NotFound): pods "nobody" not found\n'
    assert space.fails("get", "nonsense") == 'error: the server doesn\'t have a resource type "nonsense"\n'


def test_a_watch_prints_each_change(space: Namespace) -> None:
    with space.start("get", "pods", "-w", "-o", "custom-columns=N:.metadata.name,P:.status.phase", "--no-headers") as watch:
        time.sleep(0.3)
        space.apply(pod("seen"))
        space.ready("seen")
        space.out("delete", "pod", "seen")
        time.sleep(0.2)
        watch.terminate()
        assert watch.stdout is not None
        phases = [columns(line)[0] for line in watch.stdout.read().splitlines()]
    assert phases[0] == ["seen", "Pending"]
    assert ["seen", "Running"] in phases


def test_describe_tells_a_pods_story_with_its_events(space: Namespace) -> None:
    space.apply(pod("told", container(resources={"requests": {"cpu": "10m"}}, env=[{"name": "A", "value": "b"}])))
    space.ready("told")
    space.wait_for_event("told", "Started")
    text = space.out("describe", "pod", "told")
    for line in (
        rf"Name: +told\nNamespace: +{space.name}\nPriority: +0\nService Account: +default\nNode: +\S+/172\.\S+\n",
        r"Status: +Running\nIP: +10\.\S+\n",
        r"    State: +Running\n      Started: ",
        r"    Ready: +True\n    Restart Count: +0\n    Requests:\n      cpu: +10m\n    Environment:\n      A: +b\n",
        r"      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-\w{5} \(ro\)",
        r"QoS Class: +Burstable\n",
        r"  Type +Reason +Age +From +Message\n",
        rf"  Normal +Scheduled +\S+( \S+)? +default-scheduler +Successfully assigned {space.name}/told to \S+\n",
        r"  Normal +Pulled +\S+ +kubelet +Container image \"example.com/shop:v1\" already present on machine",
        r"  Normal +Started +\S+ +kubelet +Container started",
    ):
        assert re.search(line, text), f"{line} is not in\n{text}"


def test_describe_tells_of_deployments_services_and_nodes(space: Namespace) -> None:
    space.apply(deployment("web", 2), SERVICE)
    space.out("rollout", "status", "deployment/web", "--timeout=60s")
    digest = space.get("rs")["items"][0]["metadata"]["labels"]["pod-template-hash"]
    space.wait_for_event("web", "ScalingReplicaSet")
    told = space.out("describe", "deployment", "web")
    for line in (
        r"Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable\n",
        r"StrategyType: +RollingUpdate\nMinReadySeconds: +0\nRollingUpdateStrategy: +25% max unavailable, 25% max surge\n",
        r"  Available +True +MinimumReplicasAvailable\n",
        r"  Progressing +True +NewReplicaSetAvailable\n",
        rf"OldReplicaSets: +<none>\nNewReplicaSet: +web-{digest} \(2/2 replicas created\)\n",
        rf"  Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set web-{digest} from 0 to 2",
    ):
        assert re.search(line, told), f"{line} is not in\n{told}"
    wait_for(lambda: re.search(r"Endpoints: +10\.\S+:80,10\.\S+:80\n", space.out("describe", "service", "web")), "no endpoints told")
    node = space.get("nodes")["items"][0]["metadata"]["name"]
    told = space.out("describe", "node", node)
    for line in (
        rf"Name: +{node}\nRoles: +<none>\n",
        r"  Ready +True .* KubeletReady +kubelet is posting ready status\n",
        r"Non-terminated Pods: +\(\d+ in total\)\n",
        r"PodCIDR: +10\.\S+/24\n",
        rf"  HolderIdentity: +{node}\n",
    ):
        assert re.search(line, told), f"{line} is not in\n{told}"

"""Objects made and changed with kubectl, one test for each way to do it."""

import json
import stat
from pathlib import Path
from typing import Any

from tests.e2e.namespace import Namespace, container, deployment, pod
from tests.e2e.real_cluster import wait_for

COMMANDS = {
    ("deployment", "web", "--image=example.com/shop:v1", "--replicas=2", "--port=80"): "deployment.apps/web created",
    ("configmap", "settings", "--from-literal=a=b"): "configmap/settings created",
    ("secret", "generic", "key", "--from-literal=a=b"): "secret/key created",
    ("secret", "docker-registry", "pull", "--docker-username=u", "--docker-password=p"): "secret/pull created",
    ("serviceaccount", "robot"): "serviceaccount/robot created",
    ("service", "clusterip", "inner", "--tcp=80:8080"): "service/inner created",
    ("service", "nodeport", "outer", "--tcp=80"): "service/outer created",
    ("service", "loadbalancer", "edge", "--tcp=80"): "service/edge created",
    ("service", "externalname", "alias", "--external-name=example.com"): "service/alias created",
    ("role", "reader", "--verb=get,list", "--resource=pods,deployments.apps/scale"): "role.rbac.authorization.k8s.io/reader created",
    ("rolebinding", "robot-reads", "--role=reader", "--serviceaccount=default:robot"): (
        "rolebinding.rbac.authorization.k8s.io/robot-reads created"
    ),
    ("quota", "limits", "--hard=pods=100"): "resourcequota/limits created",
    ("ingress", "front", "--rule=example.com/=web:80"): "ingress.networking.k8s.io/front created",
    ("poddisruptionbudget", "keep", "--selector=app=web", "--min-available=1"): "poddisruptionbudget.policy/keep created",
    ("job", "once", "--image=example.com/shop:v1", "--", "true"): "job.batch/once created",
    ("cronjob", "often", "--image=example.com/shop:v1", "--schedule=* * * * *", "--", "true"): "cronjob.batch/often created",
}  # fmt: skip


def test_create_makes_every_kind_that_it_knows(space: Namespace) -> None:
    assert {each: space.out("create", *each) for each in COMMANDS} == {each: f"{answer}\n" for each, answer in COMMANDS.items()}
    assert space.fails("create", "configmap", "settings") == ('error: failed to create configmap: configmaps "settings" already exists\n')
    secret = space.get("secret", "key")
    assert (secret["type"], secret["data"]) == ("Opaque", {"a": "Yg=="})
    service = space.get("service", "outer")["spec"]
    assert (service["type"], service["ports"][0]["nodePort"] >= 30000) == ("NodePort", True)
    assert space.get("service", "alias")["spec"]["externalName"] == "example.com"


def test_kinds_without_a_controller_say_so_when_written(space: Namespace) -> None:
    space.apply(deployment("web"))
    warned = space.run("autoscale", "deployment", "web", "--max=3", "--cpu-percent=50")
    assert (warned.returncode, warned.stdout) == (0, "horizontalpodautoscaler.autoscaling/web autoscaled\n")
    assert "Warning: HorizontalPodAutoscaler is stored and served, but this version of proa has no controller" in warned.stderr


def test_apply_creates_configures_and_leaves_alone(space: Namespace) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}
    changed = manifest | {"data": {"a": "3"}}
    assert space.apply(manifest) == "configmap/c created\n"
    assert space.apply(manifest) == "configmap/c unchanged\n"
    space.out("patch", "configmap", "c", "-p", '{"data":{"other":"kept"}}')
    difference = space.run("diff", "-f", "-", stdin=json.dumps(changed))
    assert difference.returncode == 1
    assert {line for line in difference.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")} == {
        "-  a: \"1\"", "-  b: \"2\"", "+  a: \"3\"",
    }  # fmt: skip
    assert space.apply(changed) == "configmap/c configured\n"
    assert space.get("configmap", "c")["data"] == {"a": "3", "other": "kept"}
    assert space.run("diff", "-f", "-", stdin=json.dumps(changed)).returncode == 0
    dry = space.out("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    assert dry == "configmap/c configured (server dry run)\n"
    assert space.get("configmap", "c")["data"] == {"a": "3", "other": "kept"}
    pruned = space.out("apply", "--prune", "-l", "!none", "--prune-allowlist=core/v1/ConfigMap", "-f", "-", stdin=json.dumps(manifest))
    assert "configmap/c configured" in pruned


def test_server_side_apply_tells_of_conflicts(space: Namespace) -> None:
    def manifest(replicas: int) -> str:
        return json.dumps(deployment("web", replicas))

    apply = ("apply", "--server-side", "-f", "-")
    assert space.out(*apply, "--field-manager=first", stdin=manifest(1)) == "deployment.apps/web serverside-applied\n"
    refused = space.fails(*apply, "--field-manager=second", stdin=manifest(2))
    assert refused.startswith('error: Apply failed with 1 conflict: conflict with "first": .spec.replicas\nPlease review the fields above')
    space.out(*apply, "--field-manager=second", "--force-conflicts", stdin=manifest(2))
    assert space.get("deployment", "web")["spec"]["replicas"] == 2
    space.out("scale", "deployment", "web", "--replicas=3")
    assert 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas' in space.fails(
        *apply, "--field-manager=second", stdin=manifest(2)
    )


def test_the_three_patches_merge_lists_each_in_its_way(space: Namespace) -> None:
    space.apply(deployment("web"))
    sidecar = {"spec": {"template": {"spec": {"containers": [container(name="extra")]}}}}
    assert space.out("patch", "deployment", "web", "-p", json.dumps(sidecar)) == "deployment.apps/web patched\n"

    def names() -> list[str]:
        return [each["name"] for each in space.get("deployment", "web")["spec"]["template"]["spec"]["containers"]]

    assert sorted(names()) == ["extra", "main"]
    space.out("patch", "deployment", "web", "--type=merge", "-p", json.dumps(sidecar))
    assert names() == ["extra"]
    steps: list[dict[str, Any]] = [
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "add", "path": "/spec/template/spec/containers/-", "value": container(name="third")},
    ]
    space.out("patch", "deployment", "web", "--type=json", "-p", json.dumps(steps))
    assert names() == ["extra", "third"]
    assert space.out("patch", "deployment", "web", "-p", '{"spec":{"replicas":1}}') == "deployment.apps/web patched (no change)\n"
    steps[0]["value"] = 9
    assert "the server rejected our request due to an error in our request" in space.fails(
        "patch", "deployment", "web", "--type=json", "-p", json.dumps(steps)
    )
    space.out("patch", "deployment", "web", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":0}}')
    assert space.get("deployment", "web")["spec"]["replicas"] == 0


def test_labels_and_annotations_are_set_changed_and_removed(space: Namespace) -> None:
    space.out("create", "configmap", "c")
    assert space.out("label", "configmap", "c", "a=1") == "configmap/c labeled\n"
    assert space.fails("label", "configmap", "c", "a=2") == ("error: 'a' already has a value (1), and --overwrite is false\n")
    assert space.out("label", "configmap", "c", "a=2", "--overwrite") == "configmap/c labeled\n"
    assert space.out("label", "configmap", "c", "a=2") == "configmap/c not labeled\n"
    assert space.out("label", "configmap", "c", "a-") == "configmap/c unlabeled\n"
    assert space.out("annotate", "configmap", "c", "note=hello") == "configmap/c annotated\n"
    assert space.out("annotate", "configmap", "--all", "note-").splitlines() == [
        "configmap/c annotated",
        "configmap/kube-root-ca.crt annotated",
    ]
    meta = space.get("configmap", "c")["metadata"]
    assert (meta.get("labels"), meta.get("annotations")) == (None, None)
    assert "a valid label must be an empty string or consist of" in space.fails("label", "configmap", "c", "a=b c")


def test_edit_opens_an_editor_and_sends_what_changed(space: Namespace, tmp_path: Path) -> None:
    space.out("create", "configmap", "c", "--from-literal=a=old")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/a: old/a: new/" "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    assert space.out("edit", "configmap", "c", KUBE_EDITOR=str(editor)) == "configmap/c edited\n"
    assert space.get("configmap", "c")["data"] == {"a": "new"}
    unchanged = space.run("edit", "configmap", "c", environment={"KUBE_EDITOR": "true"})
    assert (unchanged.returncode, unchanged.stdout + unchanged.stderr) == (0, "Edit cancelled, no changes made.\n")


def test_replace_needs_the_whole_object_and_force_makes_it_anew(space: Namespace) -> None:
    space.apply(pod("p"))
    space.ready("p")
    found = space.get("pod", "p")
    uid = found["metadata"]["uid"]
    found["metadata"]["labels"] = {"new": "yes"}
    assert space.out("replace", "-f", "-", stdin=json.dumps(found)) == "pod/p replaced\n"
    assert space.get("pod", "p")["metadata"]["labels"] == {"new": "yes"}
    stale = space.fails("replace", "-f", "-", stdin=json.dumps(found))
    assert "the object has been modified; please apply your changes to the latest version and try again" in stale
    found["metadata"].pop("resourceVersion")
    found["spec"]["containers"][0]["command"] = ["sleep", "1000"]
    refused = space.fails("replace", "-f", "-", stdin=json.dumps(found))
    assert "spec: Forbidden: pod updates may not change fields other than" in refused
    assert space.out("replace", "--force", "-f", "-", stdin=json.dumps(pod("p"))) == 'pod "p" deleted\npod/p replaced\n'
    assert space.get("pod", "p")["metadata"]["uid"] != uid


def test_wrong_manifests_are_refused_with_the_fields_name(space: Namespace) -> None:
    unknown = pod("p", container(imagePullPolcy="Always"))
    assert 'strict decoding error: unknown field "spec.containers[0].imagePullPolcy"' in space.fails(
        "apply", "-f", "-", stdin=json.dumps(unknown)
    )
    wrong = pod("P", container(name="Main", imagePullPolicy="Sometimes"))
    text = space.fails("create", "-f", "-", stdin=json.dumps(wrong))
    assert text.startswith('The Pod "P" is invalid: \n* metadata.name: Invalid value: "P": a lowercase RFC 1123 subdomain must consist of')
    assert '* spec.containers[0].name: Invalid value: "Main": a lowercase RFC 1123 label must consist of' in text
    assert (
        '* spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"' in text
    )


def test_delete_waits_cascades_and_orphans(space: Namespace) -> None:
    for name in ("back", "orphan", "fore"):
        space.apply(deployment(name))
    for name in ("back", "orphan", "fore"):
        space.out("rollout", "status", f"deployment/{name}", "--timeout=60s")
    assert space.out("delete", "deployment", "back") == 'deployment.apps "back" deleted\n'
    assert space.out("delete", "deployment", "orphan", "--cascade=orphan") == 'deployment.apps "orphan" deleted\n'
    assert space.out("delete", "deployment", "fore", "--cascade=foreground") == 'deployment.apps "fore" deleted\n'
    assert space.get("rs,pods", "-l", "app=fore")["items"] == []
    wait_for(lambda: not space.get("rs,pods", "-l", "app=back")["items"], "the garbage collector left something")
    left = space.get("rs,pods", "-l", "app=orphan")["items"]
    assert sorted(each["kind"] for each in left) == ["Pod", "ReplicaSet"]
    assert next("ownerReferences" not in each["metadata"] for each in left if each["kind"] == "ReplicaSet")
    assert space.out("delete", "rs,pods", "-l", "app=orphan", "--wait=false").count(" deleted") >= 1
    assert space.out("delete", "deployment", "none", "--ignore-not-found") == ""
    assert space.fails("delete", "deployment", "none") == 'Error from server (NotFound): deployments.apps "none" not found\n'


def test_a_deleted_namespace_takes_everything_along(space: Namespace) -> None:
    name = f"{space.name}-gone"
    inside = Namespace(space.cluster, name)
    space.out("create", "namespace", name)
    inside.apply(deployment("web", 2), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    inside.out("rollout", "status", "deployment/web", "--timeout=60s")
    assert space.out("delete", "namespace", name, "--timeout=60s") == f'namespace "{name}" deleted\n'
    assert inside.get("all,configmap")["items"] == []
    assert "not found" in inside.fails("create", "configmap", "c")


def test_every_resource_can_be_explained(space: Namespace) -> None:
    for line in space.out("api-resources", "--no-headers").splitlines():
        *_, api_version, _, kind = line.split()
        name = line.split()[0]
        told = space.out("explain", name, f"--api-version={api_version}", "--recursive")
        assert f"KIND:       {kind}\n" in told, name


def test_explain_and_api_resources_know_every_kind(space: Namespace) -> None:
    told = space.out("explain", "pod.spec.containers.livenessProbe.httpGet.port")
    assert told.startswith("KIND:       Pod\nVERSION:    v1\n\nFIELD: port <IntOrString>\n")
    assert "FIELDS:\n" in space.out("explain", "deployments", "--recursive")
    assert space.out("explain", "ingress").startswith("GROUP:      networking.k8s.io\nKIND:       Ingress\nVERSION:    v1\n")
    assert 'error: field "nothing" does not exist' in space.fails("explain", "pod.nothing")
    rows = [line.split() for line in space.out("api-resources", "--no-headers").splitlines()]
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in rows
    assert ["nodes", "no", "v1", "false", "Node"] in rows
    verbs = space.out("api-resources", "--api-group=apps", "-o", "wide", "--no-headers").splitlines()
    assert any("create,delete,deletecollection,get,list,patch,update,watch" in line and line.endswith("all") for line in verbs)
    assert {"v1", "apps/v1", "autoscaling/v1", "autoscaling/v2", "batch/v1"} <= set(space.out("api-versions").split())
    assert space.out("api-resources", "--namespaced=false", "-o", "name").splitlines().count("nodes") == 1

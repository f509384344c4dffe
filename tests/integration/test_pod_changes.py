"""Changes of pods through the front door: of the pod itself, of its resources while it runs, and of its status."""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import causes, changed

PODS = "/api/v1/namespaces/default/pods"
Object = dict[str, Any]
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]}}
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
OTHERS = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it "
    "to be set to 1 if it was previously negative)\n"
)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TERMS = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
GATED = {"schedulingGates": [{"name": "g"}]}


def nodes(*terms: Object) -> Object:
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


def term(*keys: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": "Exists"} for key in keys]}


def apart(key: str) -> Object:
    return {"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": key, "labelSelector": {}}]}}}


@pytest.mark.parametrize(
    ("former", "changes", "expected"),
    [
        ({}, {"containers": [{"name": "a", "image": "i"}]}, ["spec.containers: Forbidden: pod updates may not add or remove containers"]),
        ({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 6},
         ["spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value"]),
        ({"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": None},
         ["spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"]),
        ({}, {"activeDeadlineSeconds": -1}, [
            "spec.activeDeadlineSeconds: Invalid value: -1: must be between 1 and 2147483647, inclusive",
            "spec.activeDeadlineSeconds: Invalid value: -1: must be between 0 and 2147483647, inclusive"]),
        ({}, {"hostname": "h"}, [f'{OTHERS}  spec.hostname:\n- \tnull\n+ \t"h"']),
        ({"tolerations": [{"key": "a", "operator": "Exists"}]}, {"tolerations": []},
         ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]),
        (GATED, {"schedulingGates": [{"name": "g"}, {"name": "h"}]},
         ["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"]),
        (GATED, {"nodeSelector": {"a": "b"}}, []),
        ({**GATED, "nodeSelector": {"a": "b"}}, {"nodeSelector": {"a": "c"}}, [
            'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)']),
        ({**GATED, **nodes(term("a"))}, nodes(term("a", "b")), []),
        ({**GATED, **nodes(term("a"))}, nodes(term("b", "a")), [
            f'{TERMS}[0]: Invalid value: {{"matchExpressions":[{{"key":"b","operator":"Exists"}},{{"key":"a","operator":"Exists"}}]}}: '
            'only '
            "additions are allowed (no mutations or deletions)"]),
        ({**GATED, **nodes(term("a"))}, nodes(term("a"), term("b")), [
            f'{TERMS}: Invalid value: [{{"matchExpressions":[{{"key":"a","operator":"Exists"}}]}},{{"matchExpressions":[{{"key":"b",'
            '"operator":"Exists"}]}]: no additions/deletions to non-empty NodeSelectorTerms list are allowed']),
        (GATED, nodes(term("a")), []),
        ({**GATED, **apart("zone")}, apart("host"), [
            f'{OTHERS}  spec.affinity.podAntiAffinity.{REQUIRED}[0].topologyKey:\n- \t"zone"\n+ \t"host"']),
        ({}, {"nodeSelector": {"a": "b"}}, [f'{OTHERS}  spec.nodeSelector:\n- \tnull\n+ \t{{"a":"b"}}']),
    ],
)  # fmt: skip
def test_what_changes_of_a_pod(run: Run, former: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", PODS, changed(POD, {f"spec.{key}": value for key, value in former.items()}))
        assert causes(await api.patch("merge", f"{PODS}/p", {"spec": changes})) == expected

    run(scenario)


@pytest.mark.parametrize(
    ("annotations", "contexts", "profiles", "warned"),
    [
        ({f"{APP_ARMOR}a": "runtime/default"}, {}, [{"type": "RuntimeDefault"}, None], True),
        ({f"{APP_ARMOR}b": "localhost/x"}, {}, [None, {"type": "Localhost", "localhostProfile": "x"}], True),
        ({f"{APP_ARMOR}a": "unconfined"}, {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, [None, None], False),
        ({f"{APP_ARMOR}a": "unconfined"}, {"os": {"name": "windows"}}, [None, None], False),
        ({f"{APP_ARMOR}a": ""}, {}, [None, None], True),
    ],
)
def test_app_armor_annotations_become_fields(
    run: Run, annotations: Object, contexts: Object, profiles: list[Object | None], warned: bool
) -> None:
    body = changed(POD, {"metadata.annotations": annotations} | {f"spec.{key}": value for key, value in contexts.items()})

    async def scenario(api: Api) -> None:
        made = await api("POST", PODS, body)
        found = [(each.get("securityContext") or {}).get("appArmorProfile") for each in made.body["spec"]["containers"]]
        assert found == profiles
        assert any("deprecated since v1.30" in warning for warning in made.warnings) is warned

    run(scenario)


@pytest.mark.parametrize(
    ("annotation", "profile", "expected"),
    [
        ("docker/default", {"type": "RuntimeDefault"}, []),
        ("unconfined", {"type": "RuntimeDefault"}, ["type: Forbidden: seccomp type in annotation and field must match"]),
        ("localhost/a", {"type": "Localhost", "localhostProfile": "b"}, [
            "localhostProfile: Forbidden: seccomp profile in annotation and field must match"]),
    ],
)  # fmt: skip
def test_a_seccomp_profile_that_is_told_twice(run: Run, annotation: str, profile: Object, expected: list[str]) -> None:
    body = changed(
        POD, {"metadata.annotations": {f"{SECCOMP}a": annotation}, "spec.containers.0.securityContext": {"seccompProfile": profile}}
    )

    async def scenario(api: Api) -> None:
        own = "spec.containers[0].securityContext.seccompProfile"
        assert causes(await api("POST", PODS, body)) == [f"{own}.{cause}" for cause in expected]

    run(scenario)


MIRROR = {"kubernetes.io/config.mirror": "x"}


def test_mirror_pods_have_neither_claims_nor_ephemeral_containers(run: Run) -> None:
    mirror = changed(POD, {"metadata.annotations": MIRROR, "spec.nodeName": "n"})

    async def scenario(api: Api) -> None:
        claims = [{"name": "c", "resourceClaimName": "x"}]
        assert causes(await api("POST", PODS, changed(mirror, {"spec.resourceClaims": claims}))) == [
            ": Forbidden: static pods do not support resource claims"
        ]
        await api("POST", PODS, mirror)
        extra = {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}
        assert causes(await api.patch("merge", f"{PODS}/p/ephemeralcontainers", extra)) == [
            ": Forbidden: static pods do not support ephemeral containers"
        ]

    run(scenario)


SMALL = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
RUNNING: Object = {"name": "a", "image": "i", "imageID": "", "ready": True, "restartCount": 0, "state": {"running": {}}}
DEVICE = [{"name": "d", "resourceClaimName": "x"}]


def resized(**resources: Any) -> Object:
    return {"containers": [{"name": "a", "resources": resources}, {"name": "b"}]}


@pytest.mark.parametrize(
    ("former", "status", "changes", "expected"),
    [
        ({}, {}, resized(requests={"cpu": "500m"}, limits={"cpu": "2"}), []),
        ({}, {"containerStatuses": [RUNNING]}, resized(requests={"cpu": "500m"}, limits={"cpu": "2"}),
         ["spec: Forbidden: Pod running on node without support for resize"]),
        ({}, {"containerStatuses": [RUNNING | {"resources": {}}]}, resized(requests={"cpu": "500m"}, limits={"cpu": "2"}), []),
        ({"resourceClaims": DEVICE}, {"nodeAllocatableResourceClaimStatuses": [
            {"resourceClaimName": "x", "containers": ["a"]}]}, resized(requests={"cpu": "500m"}),
         ["spec: Forbidden: pods with node allocatable resource claims cannot be resized"]),
        ({}, {}, resized(requests={"cpu": "1"}, limits=None),
         ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"]),
        ({"resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}}, {}, {"resources": None},
         ["spec.resources: Forbidden: pod-level resources cannot be removed"]),
        ({"resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}}, {}, {"resources": {"requests": {"cpu": "2"}}}, []),
        ({"initContainers": [{"name": "i", "image": "i"}]}, {}, {"initContainers": [{"name": "j", "image": "i"}]},
         ["spec.initContainers[0].name: Forbidden: initContainers may not be renamed or reordered on resize"]),
        ({"initContainers": [{"name": "i", "image": "i", "resources": SMALL}]}, {},
         {"initContainers": [{"name": "i", "image": "i", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}}]}, []),
        ({}, {}, {"containers": [{"name": "a", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]},
                                 {"name": "b"}]}, ["spec: Forbidden: only cpu and memory resources are mutable"]),
    ],
)  # fmt: skip
def test_what_a_resize_changes(run: Run, former: Object, status: Object, changes: Object, expected: list[str]) -> None:
    body = changed(POD, {"spec.containers.0.resources": SMALL} | {f"spec.{key}": value for key, value in former.items()})

    async def scenario(api: Api) -> None:
        await api("POST", PODS, body)
        if status:
            assert causes(await api.patch("merge", f"{PODS}/p/status", {"status": status})) == []
        assert (
            causes(await api.patch("strategic" if "containers" in changes else "merge", f"{PODS}/p/resize", {"spec": changes})) == expected
        )

    run(scenario)


def status_of(**fields: Any) -> Object:
    return {"containerStatuses": [RUNNING | fields]}


MANY = {"name": "cpu", "resources": [{"resourceID": "d", "health": "Ill"}, {"resourceID": "d", "health": "Healthy", "message": ""}]}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {"conditions": [{"type": "a b", "status": "True"}, {"type": "Ready", "status": "True", "observedGeneration": -1}]}, [
            "status.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and "
            "must "
            "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            "status.conditions[1].observedGeneration: Invalid value: -1: must be a non-negative integer"]),
        ({"nodeName": "n"}, {"nominatedNodeName": "m"},
         ["status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"]),
        ({}, {"observedGeneration": -1}, ["status.observedGeneration: Invalid value: -1: must be a non-negative integer"]),
        ({}, {"hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.2"}]},
         ['status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`']),
        ({}, {"podIP": "010.0.0.1", "podIPs": [{"ip": "010.0.0.1"}]},
         ['status.podIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s']),
        ({}, {"podIP": "::ffff:10.0.0.1", "podIPs": [{"ip": "::ffff:10.0.0.1"}]},
         ['status.podIPs[0]: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address']),
        ({"resourceClaims": DEVICE}, {"resourceClaimStatuses": [{"name": "d"}, {"name": "d"}]},
         ['status.resourceClaimStatuses[1].name: Duplicate value: "d"']),
        ({}, {"nodeAllocatableResourceClaimStatuses": [{"resourceClaimName": "x"}]}, [
            'status.nodeAllocatableResourceClaimStatuses[0].resourceClaimName: Invalid value: "x": no mapping found in pod reference',
            "status.nodeAllocatableResourceClaimStatuses[0].containers: Required value: must not be empty"]),
        ({}, {"extendedResourceClaimStatus": {"requestMappings": [{"containerName": "z", "resourceName": "r", "requestName": "q"}],
                                              "resourceClaimName": ""}}, [
            'status.extendedResourceClaimStatus.requestMappings[0].containerName: Invalid value: "z": must match the name of an entry in '
            "spec.initContainers.name or spec.containers.name",
            "status.extendedResourceClaimStatus.resourceClaimName: Required value"]),
        ({}, status_of(user={"linux": {"uid": -1, "gid": 0}}),
         ["status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 4294967295, inclusive"]),
        ({"os": {"name": "windows"}}, status_of(user={"linux": {"uid": 0, "gid": 0}}),
         ["status.containerStatuses[0].user.linux: Forbidden: cannot be set for a windows pod"]),
        ({}, status_of(allocatedResourcesStatus=[MANY]), [
            'status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: "cpu": must match one of the container\'s '
            'resource '
            "requests",
            'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Ill": supported values: '
            '"Healthy", "Unhealthy", "Unknown"',
            "status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].message: Required value: must be non-empty if specified",
            'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "d"']),
    ],
)  # fmt: skip
def test_what_a_status_may_say(run: Run, spec: Object, status: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", PODS, changed(POD, {f"spec.{key}": value for key, value in spec.items()}))
        assert causes(await api.patch("merge", f"{PODS}/p/status", {"status": status})) == expected

    run(scenario)


def test_any_container_restarts_where_a_rule_restarts_them_all(run: Run) -> None:
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [3]}}
    body = changed(
        POD, {"spec.restartPolicy": "Never", "spec.containers.0.restartPolicy": "Never", "spec.containers.0.restartPolicyRules": [rule]}
    )
    ended = RUNNING | {"name": "b", "state": {"terminated": {"exitCode": 1}}}

    async def scenario(api: Api) -> None:
        await api("POST", PODS, body)
        assert causes(await api.patch("merge", f"{PODS}/p/status", {"status": {"containerStatuses": [ended]}})) == []
        again = {"status": {"containerStatuses": [RUNNING | {"name": "b"}]}}
        assert causes(await api.patch("merge", f"{PODS}/p/status", again)) == []

    run(scenario)


def test_the_limits_of_a_pod_come_from_containers_that_all_have_one(run: Run) -> None:
    both = {"spec.containers.0.resources": {"limits": {"cpu": "1"}}, "spec.resources": {"requests": {"cpu": "4"}}}

    async def scenario(api: Api) -> None:
        made = (await api("POST", PODS, changed(POD, both))).body
        assert made["spec"]["resources"] == {"requests": {"cpu": "4"}}
        of_b = {"metadata.name": "q", "spec.containers.1.resources": {"limits": {"cpu": "3"}}}
        made = (await api("POST", PODS, changed(changed(POD, both), of_b))).body
        assert made["spec"]["resources"] == {"requests": {"cpu": "4"}, "limits": {"cpu": "4"}}

    run(scenario)

"""Security contexts as the runtime takes them."""

from typing import Any

import pytest

from proa.kubelet.cri.runtime import Image
from proa.kubelet.environment import ConfigError
from proa.kubelet.security_context import MASKED_PATHS, READONLY_PATHS, container_security_context
from tests.unit.kubelet.objects import container, pod

PLAIN = {
    "privileged": False, "namespace_options": {"network": "POD", "pid": "CONTAINER", "ipc": "POD"}, "readonly_rootfs": False,
    "no_new_privs": False, "supplemental_groups": [], "seccomp": {"profile_type": "Unconfined"}, "masked_paths": list(MASKED_PATHS),
    "readonly_paths": list(READONLY_PATHS),
}  # fmt: skip


@pytest.mark.parametrize(
    ("own", "of_pod", "image", "expected"),
    [
        ({}, {}, Image("i"), {}),
        ({}, {}, Image("i", uid=5), {"run_as_user": {"value": 5}}),
        ({}, {}, Image("i", username="www"), {"run_as_username": "www"}),
        ({"runAsUser": 0}, {"runAsUser": 7}, Image("i", uid=5), {"run_as_user": {"value": 0}}),
        ({}, {"runAsUser": 7, "runAsGroup": 8, "fsGroup": 9, "supplementalGroups": [10]}, Image("i"),
         {"run_as_user": {"value": 7}, "run_as_group": {"value": 8}, "supplemental_groups": [9, 10]}),
        ({"capabilities": {"add": ["A"], "drop": ["ALL"]}}, {}, Image("i"),
         {"capabilities": {"add_capabilities": ["A"], "drop_capabilities": ["ALL"]}}),
        ({"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}, {}, Image("i"),
         {"no_new_privs": True, "readonly_rootfs": True}),
        ({"privileged": True}, {"seccompProfile": {"type": "RuntimeDefault"}}, Image("i"), {"privileged": True}),
        ({}, {"seccompProfile": {"type": "RuntimeDefault"}}, Image("i"), {"seccomp": {"profile_type": "RuntimeDefault"}}),
        ({"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}}, {}, Image("i"),
         {"seccomp": {"profile_type": "Localhost", "localhost_ref": "/root/p.json"}}),
        ({"procMount": "Unmasked"}, {}, Image("i"), {"masked_paths": [], "readonly_paths": []}),
        ({}, {"runAsNonRoot": True}, Image("i", uid=1), {"run_as_user": {"value": 1}}),
    ],
)  # fmt: skip
def test_contexts(own: dict[str, Any], of_pod: dict[str, Any], image: Image, expected: dict[str, Any]) -> None:
    given = container(securityContext=own)
    assert container_security_context(pod(given, securityContext=of_pod), given, image, "/root") == PLAIN | expected


@pytest.mark.parametrize(
    ("own", "image", "message"),
    [
        ({}, Image("i"), "container has runAsNonRoot and image will run as root"),
        ({"runAsUser": 0}, Image("i"), "container's runAsUser breaks non-root policy"),
        ({}, Image("i", username="www"), "container has runAsNonRoot and image has non-numeric user (www), cannot verify user is non-root"),
    ],
)
def test_root_is_refused(own: dict[str, Any], image: Image, message: str) -> None:
    given = container(securityContext=own | {"runAsNonRoot": True})
    with pytest.raises(ConfigError) as caught:
        container_security_context(pod(given), given, image, "/root")
    assert str(caught.value) == f'{message} (pod: "p_n(u1)", container: c)'

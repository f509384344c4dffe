"""Only what changed is sent."""

from typing import Any

import pytest

from proa.kubelet.status_patch import build_status_patch
from tests.unit.kubelet.objects import pod


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"phase": "Running"}, {"phase": "Running"}, None),
        ({"phase": "Running", "message": ""}, {"phase": "Running"}, {"message": None}),
        ({"phase": "Pending"}, {"phase": "Running"}, {"phase": "Running"}),
        ({"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]},
         {"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "False"}]},
         {"conditions": [{"type": "B", "status": "False"}]}),
        ({"conditions": [{"type": "A", "status": "False", "reason": "x"}]}, {"conditions": [{"type": "A", "status": "True"}]},
         {"conditions": [{"status": "True", "reason": None, "type": "A"}]}),
        ({"conditions": [{"type": "A", "status": "True"}]}, {"conditions": [{"type": "A", "status": "True", "lastProbeTime": None}]}, None),
        ({"podIPs": [{"ip": "1"}]}, {"podIPs": [{"ip": "2"}]}, {"podIPs": [{"$patch": "delete", "ip": "1"}, {"ip": "2"}]}),
        ({"containerStatuses": [{"name": "a", "state": {"waiting": {}}}]},
         {"containerStatuses": [{"name": "a", "state": {"running": {"x": 1}}}]},
         {"containerStatuses": [{"name": "a", "state": {"running": {"x": 1}}}]}),
        ({"containerStatuses": [{"name": "a", "ready": True}]}, {"containerStatuses": [{"name": "a", "ready": False}]},
         {"containerStatuses": [{"name": "a", "ready": False}]}),
    ],
)  # fmt: skip
def test_patches(old: dict[str, Any], new: dict[str, Any], expected: dict[str, Any] | None) -> None:
    made = build_status_patch(pod(status=old), new)
    assert made == (None if expected is None else {"metadata": {"uid": "u1"}, "status": expected})

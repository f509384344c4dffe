"""Which answers of webhooks count, and how failures of the transport are worded."""

import base64
from typing import Any

import pytest

from proa.apiserver.admission.webhook.hook import Wanted, rule_of
from proa.apiserver.admission.webhook.review import InvalidReview, Verdict, verify

PATCH = base64.b64encode(b"[]").decode()


def answer(api_version: str = "admission.k8s.io/v1", **response: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": "AdmissionReview", "response": {"uid": "u", "allowed": True, **response}}


@pytest.mark.parametrize(
    ("given", "mutating", "expected"),
    [
        (answer(), False, Verdict(True)),
        (answer(allowed=False, status={"message": "no"}, warnings=["w"]), False, Verdict(False, {"message": "no"}, warnings=("w",))),
        (answer(patch=PATCH, patchType="JSONPatch"), True, Verdict(True, patch=b"[]", patch_type="JSONPatch")),
        (answer(auditAnnotations={"k": "v"}), True, Verdict(True, audit_annotations={"k": "v"})),
        ([], False, "webhook response was absent"),
        ({"response": None}, False, "webhook response was absent"),
        (answer(uid="other"), False, 'expected response.uid="u", got "other"'),
        (
            answer("admission.k8s.io/v1beta1"), False,
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview",
        ),
        (answer(patch=PATCH), True, "webhook returned response.patch but not response.patchType"),
        (answer(patchType="JSONPatch"), True, "webhook returned response.patchType but not response.patch"),
        (answer(patch=PATCH, patchType=""), True, 'webhook returned invalid response.patchType of ""'),
        (answer(patch=PATCH), False, "validating webhook may not return response.patch"),
        (answer(patchType="JSONPatch"), False, "validating webhook may not return response.patchType"),
    ],
)  # fmt: skip
def test_answers_of_v1(given: Any, mutating: bool, expected: Any) -> None:
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
    try:
        found: Any = verify(given, review, "u", mutating=mutating)
    except InvalidReview as error:
        found = str(error)
    assert found == expected


def test_v1beta1_need_not_name_the_patch_type() -> None:
    review = {"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}
    assert verify(answer("admission.k8s.io/v1beta1", patch=PATCH), review, "u", mutating=True) == Verdict(True, {}, b"[]", "JSONPatch")


def rule(*resources: str, **more: Any) -> dict[str, Any]:
    return {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": list(resources), **more}


@pytest.mark.parametrize(
    ("declared", "wanted", "expected"),
    [
        (rule("deployments"), ("CREATE", ""), True),
        (rule("deployments"), ("UPDATE", ""), False),
        (rule("deployments"), ("CREATE", "scale"), False),
        (rule("deployments/*"), ("CREATE", "scale"), True),
        (rule("deployments/*"), ("CREATE", ""), True),
        (rule("*/scale"), ("CREATE", "scale"), True),
        (rule("*"), ("CREATE", "scale"), False),
        (rule("*/*"), ("CREATE", "scale"), True),
        (rule("deployments", apiVersions=["v2"]), ("CREATE", ""), False),
        (rule("deployments", apiGroups=["*"], operations=["*"], apiVersions=["*"]), ("DELETE", ""), True),
        (rule("deployments", scope="Cluster"), ("CREATE", ""), False),
        (rule("deployments", scope="Namespaced"), ("CREATE", ""), True),
    ],
)
def test_rules(declared: dict[str, Any], wanted: tuple[str, str], expected: bool) -> None:
    operation, subresource = wanted
    assert rule_of(declared).matches(Wanted(operation, "apps", "v1", "deployments", subresource, True)) is expected

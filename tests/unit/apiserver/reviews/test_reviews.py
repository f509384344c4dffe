"""What the review APIs answer, whole."""

import asyncio
from pathlib import Path

import pytest

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.authn.build import Authentication, build_authentication
from proa.apiserver.authz.build import build_authorizer
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.bootstrap.rule import rule
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import User
from proa.apiserver.reviews.build import Review, build_reviews
from proa.lib.clock import VirtualClock
from proa.lib.pki import load_or_create_private_key

AUTHORIZATION = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"
JANE = User("jane", ("dev", "system:authenticated"))
AUDIENCE = "https://kubernetes.default.svc.cluster.local"
LIST_PODS = {"verb": "list", "resource": "pods", "namespace": "shop"}
PATH = {"verb": "get", "path": "/x"}
ALLOWED = {"allowed": True, "reason": 'RBAC: allowed by RoleBinding "b/shop" of ClusterRole "view-pods" to User "jane"'}


@pytest.fixture
def served(tmp_path: Path) -> tuple[dict[tuple[str, str], Review], Authentication]:
    reader = FakeReader()
    reader.put("", "serviceaccounts", {"metadata": {"name": "app", "namespace": "shop", "uid": "u"}})
    reader.put(GROUP, "clusterroles", {"metadata": {"name": "view-pods"}, "rules": [rule("list", "pods")]})
    binding = {
        "metadata": {"name": "b", "namespace": "shop"},
        "roleRef": {"kind": "ClusterRole", "name": "view-pods"},
        "subjects": [{"kind": "User", "name": "jane"}],
    }
    reader.put(GROUP, "rolebindings", binding)
    load_or_create_private_key(tmp_path / "sa.key")
    config = ApiServerConfig(tmp_path, (), None, tmp_path, tmp_path, tmp_path, tmp_path / "sa.key")
    authentication = build_authentication(config, reader, VirtualClock())
    return build_reviews(authentication, build_authorizer(reader)), authentication


Served = tuple[dict[tuple[str, str], Review], Authentication]


def review(served: Served, group: str, plural: str, spec: Object, user: User = JANE, namespace: str = "") -> Object:
    return asyncio.run(_call(served[0][group, plural], user, namespace, {"kind": "K", "spec": spec}))


async def _call(handler: Review, user: User, namespace: str, obj: Object) -> Object:
    return await handler(user, namespace, obj)


@pytest.mark.parametrize(
    ("plural", "spec", "user", "expected"),
    [
        ("subjectaccessreviews", {"user": "jane", "resourceAttributes": LIST_PODS}, User("asker"), ALLOWED),
        ("subjectaccessreviews", {"user": "joe", "resourceAttributes": LIST_PODS}, User("asker"), {"allowed": False}),
        ("subjectaccessreviews", {"groups": ["system:masters"], "nonResourceAttributes": PATH}, JANE, {"allowed": True}),
        ("localsubjectaccessreviews", {"user": "jane", "resourceAttributes": LIST_PODS}, User("asker"), ALLOWED),
        ("selfsubjectaccessreviews", {"resourceAttributes": LIST_PODS}, JANE, ALLOWED),
        ("selfsubjectaccessreviews", {"resourceAttributes": LIST_PODS | {"namespace": "other"}}, JANE, {"allowed": False}),
        (
            "subjectaccessreviews",
            {
                "user": "system:node:n1", "groups": ["system:nodes"],
                "resourceAttributes": {
                    "verb": "list", "resource": "pods",
                    "fieldSelector": {"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}]},
                },
            },
            JANE, {"allowed": True},
        ),
    ],
)  # fmt: skip
def test_access_reviews(served: Served, plural: str, spec: Object, user: User, expected: Object) -> None:
    namespace = "shop" if plural.startswith("local") else ""
    assert review(served, AUTHORIZATION, plural, spec, user, namespace) == {"kind": "K", "metadata": {}, "spec": spec, "status": expected}


@pytest.mark.parametrize(
    ("group", "plural", "spec", "expected"),
    [
        (AUTHORIZATION, "subjectaccessreviews", {"resourceAttributes": LIST_PODS}, "spec.user"),
        (AUTHORIZATION, "subjectaccessreviews", {"user": "x"}, "spec.resourceAttributes"),
        (
            AUTHORIZATION, "selfsubjectaccessreviews", {"resourceAttributes": LIST_PODS, "nonResourceAttributes": PATH},
            "spec.nonResourceAttributes",
        ),
        (AUTHORIZATION, "localsubjectaccessreviews", {"user": "x", "resourceAttributes": LIST_PODS}, "spec.resourceAttributes.namespace"),
    ],
)  # fmt: skip
def test_reviews_that_say_too_little(served: Served, group: str, plural: str, spec: Object, expected: str) -> None:
    with pytest.raises(ApiError) as caught:
        review(served, group, plural, spec)
    assert (caught.value.status_code, [cause["field"] for cause in caught.value.details["causes"]]) == (422, [expected])


@pytest.mark.parametrize(
    ("group", "plural", "message"),
    [
        (AUTHORIZATION, "selfsubjectrulesreviews", "no namespace on request"),
        (AUTHENTICATION, "tokenreviews", "token is required for TokenReview in authentication"),
    ],
)
def test_reviews_about_nothing(served: Served, group: str, plural: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        review(served, group, plural, {})
    assert (caught.value.status_code, caught.value.message) == (400, message)


def test_rules_of_oneself(served: Served) -> None:
    answer = review(served, AUTHORIZATION, "selfsubjectrulesreviews", {"namespace": "shop"})
    rules = [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]
    assert answer["status"] == {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}


def test_token_reviews(served: Served) -> None:
    token = asyncio.run(served[1].token_requests.create(JANE, "shop", "app", {}))["status"]["token"]
    claims = served[1].signing_key.decode(token) or {}
    user = {
        "username": "system:serviceaccount:shop:app",
        "uid": "u",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]},
    }
    wrong = {"user": {}, "error": "invalid bearer token"}
    elsewhere = {"user": {}, "error": f'token audiences ["{AUDIENCE}"] is invalid for the target audiences ["x"]'}
    answers = [review(served, AUTHENTICATION, "tokenreviews", spec)["status"] for spec in (
        {"token": token}, {"token": token, "audiences": [AUDIENCE, "x"]}, {"token": token, "audiences": ["x"]}, {"token": "x"},
    )]  # fmt: skip
    right = {"authenticated": True, "user": user, "audiences": [AUDIENCE]}
    assert answers == [right, right, elsewhere, wrong]


def test_who_am_i(served: Served) -> None:
    answer = review(served, AUTHENTICATION, "selfsubjectreviews", {})
    assert answer == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "SelfSubjectReview",
        "metadata": {},
        "status": {"userInfo": {"username": "jane", "groups": ["dev", "system:authenticated"]}},
    }

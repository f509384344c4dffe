"""Tokens that lie in Secrets of type kubernetes.io/service-account-token: who makes them and who reads them agree here on what they say."""

from typing import Any

ISSUER = "kubernetes/serviceaccount"
CLAIM = "kubernetes.io/serviceaccount/"
SECRET_TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"
LAST_USED = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
TRACKING_NAMESPACE, TRACKING = "kube-system", "kube-apiserver-legacy-service-account-token-tracking"


def build_claims(namespace: str, account: str, account_uid: str, secret: str) -> dict[str, Any]:
    """Neither an audience nor an end."""
    members = {"namespace": namespace, "secret.name": secret, "service-account.name": account, "service-account.uid": account_uid}
    claims = {f"{CLAIM}{name}": value for name, value in members.items()}
    return {"iss": ISSUER, **claims, "sub": f"system:serviceaccount:{namespace}:{account}"}

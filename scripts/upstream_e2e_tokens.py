"""Gives each ServiceAccount a token Secret, as controllers before Kubernetes 1.24 did: `python upstream_e2e_tokens.py CONTEXT`.

Upstream's suites of those versions wait for the Secret before each test. Needs the package `kubernetes`; runs until it is killed.
"""

import sys
import time
from typing import Any

import kubernetes


def give(api: Any, account: Any) -> None:
    name, namespace = account.metadata.name, account.metadata.namespace
    annotations = {"kubernetes.io/service-account.name": name}
    secret = {"metadata": {"name": f"{name}-token", "annotations": annotations}, "type": "kubernetes.io/service-account-token"}
    try:
        api.create_namespaced_secret(namespace, secret)
        api.patch_namespaced_service_account(name, namespace, {"secrets": [{"name": f"{name}-token"}]})
    except kubernetes.client.ApiException as error:
        # The namespace ends, or the account does.
        print(namespace, name, error.reason, file=sys.stderr)


def main(context: str) -> None:
    kubernetes.config.load_kube_config(context=context)
    api = kubernetes.client.CoreV1Api()
    while True:
        try:
            for event in kubernetes.watch.Watch().stream(api.list_service_account_for_all_namespaces):
                account = event["object"]
                if event["type"] != "DELETED" and not account.secrets and not account.metadata.namespace.startswith("kube-"):
                    give(api, account)
        except (kubernetes.client.ApiException, OSError):
            time.sleep(0.5)


if __name__ == "__main__":
    main(sys.argv[1])

"""The file of --admission-control-config-file."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from proa.apiserver.admission.event_rate_limit import Limit
from proa.apiserver.admission.pod_security.exemptions import Exemptions
from proa.apiserver.admission.pod_security.policy import Level
from proa.apiserver.admission.settings import SettingsError, read_settings
from proa.apiserver.admission.webhook.credentials import Identity


def written(folder: Path, *plugins: dict[str, Any]) -> Path:
    path = folder / "admission.yaml"
    path.write_bytes(orjson.dumps({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins}))
    return path


POD_SECURITY = {
    "apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration",
    "defaults": {"enforce": "baseline", "enforce-version": "v1.30", "audit": "restricted", "warn": "restricted"},
    "exemptions": {"usernames": ["ci"], "namespaces": ["kube-system"], "runtimeClasses": ["kata"]},
}  # fmt: skip


def test_pod_security(tmp_path: Path) -> None:
    found = read_settings(written(tmp_path, {"name": "PodSecurity", "configuration": POD_SECURITY}))
    assert (found.pod_security.enforce, found.pod_security.warn) == (Level("baseline", 30), Level("restricted"))
    assert found.exemptions == Exemptions(frozenset({"ci"}), frozenset({"kube-system"}), frozenset({"kata"}))


def test_settings_in_files_of_their_own(tmp_path: Path) -> None:
    limits = {"apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration",
              "limits": [{"type": "Namespace", "qps": 5, "burst": 10, "cacheSize": 2}]}  # fmt: skip
    (tmp_path / "limits.yaml").write_bytes(orjson.dumps(limits))
    found = read_settings(written(tmp_path, {"name": "EventRateLimit", "path": "limits.yaml"}))
    assert found.event_limits == (Limit("Namespace", 5, 10, 2),)


def test_what_webhooks_are_shown(tmp_path: Path) -> None:
    users = [{"name": "hook.web.svc", "user": {"token": "t"}}, {"name": "*.example.com", "user": {"username": "u", "password": "p"}}]
    (tmp_path / "kube.yaml").write_bytes(orjson.dumps({"kind": "Config", "apiVersion": "v1", "users": users}))
    given = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration", "kubeConfigFile": "kube.yaml"}
    credentials = read_settings(written(tmp_path, {"name": "ValidatingAdmissionWebhook", "configuration": given})).validating_credentials
    hosts = [("hook.web.svc", 443), ("hook.web.svc", 8443), ("a.example.com", 443), ("other", 443)]
    assert [credentials.of(*each).authorization for each in hosts] == ["Bearer t", "", "Basic dTpw", ""]
    assert credentials.of("nobody", 443) == Identity()


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        ({"name": "Nothing", "configuration": {}}, 'plugins[0].name: "Nothing" has no configuration; those that have: '),
        ({"name": "PodSecurity", "configuration": {**POD_SECURITY, "kind": "X"}}, "(PodSecurity): must be a PodSecurityConfiguration of "),
        ({"name": "PodSecurity", "configuration": {**POD_SECURITY, "defaults": {"enforce": "strict"}}},
         'plugins[0] (PodSecurity): defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted'),
        ({"name": "EventRateLimit", "configuration": {"apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration",
                                                      "limits": [{"type": "Server", "qps": 0}]}},
         "plugins[0] (EventRateLimit): limits[0].qps: Invalid value: 0: must be positive"),
        ({"name": "PodSecurity", "path": "missing.yaml"}, "No such file or directory"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, plugin: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(written(tmp_path, plugin))
    assert problem in str(raised.value)

"""The default roles and bindings, as a fresh cluster serves them, beside a table that can be read and compared with upstream's policy.

To take over a wanted change: UPDATE_TABLES=1 pytest tests/integration/test_default_roles.py, and read the difference.
"""

import os
from pathlib import Path
from typing import Any

from tests.integration.conftest import Api, Run

GROUP = "/apis/rbac.authorization.k8s.io/v1"
TABLE = Path(__file__).parents[1] / "testdata/default_roles.txt"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
MARK = "kubernetes.io/bootstrapping"
Object = dict[str, Any]


def is_kept(meta: Object) -> bool:
    """Whether a restart brings back what is missing."""
    return meta.get("labels", {}).get(MARK) == "rbac-defaults" and meta.get("annotations") == {AUTOUPDATE: "true"}


def role_lines(role: Object) -> list[str]:
    meta = role["metadata"]
    title = f"{role['kind']} {meta.get('namespace', '')}{'/' if meta.get('namespace') else ''}{meta['name']}"
    labels = sorted(f"{key}={value}" for key, value in meta.get("labels", {}).items() if key != MARK)
    labels += [] if is_kept(meta) else ["not kept up"]
    aggregated = role.get("aggregationRule", {}).get("clusterRoleSelectors", [])
    lines = [" ".join([title, *labels, *(f"<- {key}" for each in aggregated for key in each["matchLabels"])])]
    return lines + ([] if aggregated else [f"  {rule_line(rule)}" for rule in role.get("rules") or ()])


def rule_line(rule: Object) -> str:
    verbs = ",".join(rule["verbs"])
    if "nonResourceURLs" in rule:
        return f"{verbs} {' '.join(rule['nonResourceURLs'])}"
    groups = ",".join(group or "core" for group in rule["apiGroups"])
    names = f" named {' '.join(rule['resourceNames'])}" if rule.get("resourceNames") else ""
    return f"{verbs} {groups}: {' '.join(rule['resources'])}{names}"


def binding_line(binding: Object) -> str:
    meta, role = binding["metadata"], binding["roleRef"]
    title = f"{binding['kind']} {meta.get('namespace', '')}{'/' if meta.get('namespace') else ''}{meta['name']}"
    subjects = ", ".join(
        f"{each['kind']} {each.get('namespace', '')}{'/' if each.get('namespace') else ''}{each['name']}"
        for each in binding.get("subjects") or ()
    )
    return f"{title} = {role['kind']} {role['name']} for {subjects or 'nobody'}"


def test_a_fresh_cluster_has_the_default_roles_and_bindings(run: Run) -> None:
    async def scenario(api: Api) -> None:
        lines: list[str] = []
        for plural in ("clusterroles", "roles"):
            for role in (await api("GET", f"{GROUP}/{plural}")).body["items"]:
                kind = {"clusterroles": "ClusterRole", "roles": "Role"}[plural]
                lines += role_lines({"kind": kind} | role)
        for plural in ("clusterrolebindings", "rolebindings"):
            kind = {"clusterrolebindings": "ClusterRoleBinding", "rolebindings": "RoleBinding"}[plural]
            lines += [binding_line({"kind": kind} | each) for each in (await api("GET", f"{GROUP}/{plural}")).body["items"]]
        text = "\n".join(lines) + "\n"
        if os.environ.get("UPDATE_TABLES"):
            TABLE.write_text(text)
        assert text == TABLE.read_text()

    run(scenario)

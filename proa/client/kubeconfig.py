"""Reads a kubeconfig down to what a connection needs. Embedded data wins over file names, which are relative to the file."""

import base64
from pathlib import Path
from typing import Any

from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One context, resolved."""

    server: str
    ca: bytes | None = None
    certificate: bytes | None = None
    private_key: bytes | None = None
    token: str = ""
    verify: bool = True
    server_name: str = ""
    namespace: str = ""


def load_access(path: Path, context: str = "") -> ClusterAccess:
    """Of the named context, or the current one; raises ValueError, OSError."""
    import orjson

    text = path.read_bytes()
    if text.lstrip().startswith(b"{"):
        config = orjson.loads(text)
    else:
        import yaml

        config = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return resolve(config or {}, context, path.parent)


def resolve(config: dict[str, Any], context: str, folder: Path) -> ClusterAccess:
    wanted = context or config.get("current-context") or ""
    if not wanted:
        raise ValueError("the kubeconfig has no current context")
    chosen = _named(config, "contexts", "context", wanted)
    cluster = _named(config, "clusters", "cluster", chosen.get("cluster", ""))
    user = _named(config, "users", "user", chosen["user"]) if chosen.get("user") else {}
    token = user.get("token") or ""
    if not token and user.get("tokenFile"):
        token = (folder / user["tokenFile"]).read_text().strip()
    return ClusterAccess(
        server=cluster["server"],
        ca=_data(cluster, "certificate-authority", folder),
        certificate=_data(user, "client-certificate", folder),
        private_key=_data(user, "client-key", folder),
        token=token,
        verify=not cluster.get("insecure-skip-tls-verify", False),
        server_name=cluster.get("tls-server-name") or "",
        namespace=chosen.get("namespace") or "",
    )


def _named(config: dict[str, Any], plural: str, singular: str, name: str) -> dict[str, Any]:
    for each in config.get(plural) or []:
        if each.get("name") == name:
            found: dict[str, Any] = each.get(singular) or {}
            return found
    raise ValueError(f'the kubeconfig has no {singular} "{name}"')


def _data(section: dict[str, Any], field: str, folder: Path) -> bytes | None:
    if section.get(f"{field}-data"):
        return base64.b64decode(section[f"{field}-data"])
    return (folder / section[field]).read_bytes() if section.get(field) else None

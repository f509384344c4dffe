"""What the server shows webhooks of itself: client certificate, token or password from a kubeconfig, by the webhook's name.

Users are named by host (`svc.namespace.svc`, `host:port`), by `*.domain`, or `*` for all. Source: "Authenticate apiservers" in the
Kubernetes documentation.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from proa.api.meta import Object
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """PEM, both or neither; `authorization` is the header's value."""

    certificate: bytes = b""
    key: bytes = b""
    authorization: str = ""


NOBODY = Identity()


@dataclass(frozen=True, slots=True)
class Credentials:
    users: Mapping[str, Identity] = field(default_factory=dict)

    def of(self, host: str, port: int) -> Identity:
        """The most special name wins."""
        if not self.users:
            return NOBODY
        names = [f"{host}:{port}", *([host] if port == 443 else [])]
        rest = host
        while "." in rest:
            rest = rest.partition(".")[2]
            names += [f"*.{rest}:{port}", *([f"*.{rest}"] if port == 443 else [])]
        return next((self.users[name] for name in (*names, "*") if name in self.users), NOBODY)

    @staticmethod
    def of_kubeconfig(document: Object, folder: Path) -> Credentials:
        """Raises ValueError, OSError."""
        return Credentials({each["name"]: _identity(each.get("user") or {}, folder) for each in document.get("users") or ()})


def _identity(user: Mapping[str, Any], folder: Path) -> Identity:
    certificate, key = (_pem(user, name, folder) for name in ("client-certificate", "client-key"))
    token = user.get("token") or ""
    if user.get("tokenFile"):
        token = (folder / user["tokenFile"]).read_text().strip()
    if token:
        return Identity(certificate, key, f"Bearer {token}")
    if user.get("username"):
        pair = base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
        return Identity(certificate, key, f"Basic {pair}")
    return Identity(certificate, key)


def _pem(user: Mapping[str, Any], name: str, folder: Path) -> bytes:
    if user.get(f"{name}-data"):
        return base64.b64decode(user[f"{name}-data"])
    return (folder / user[name]).read_bytes() if user.get(name) else b""
